"""What `dx dev` does in the project here: models of its journal and its log, without widgets and without a server."""
