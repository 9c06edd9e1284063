"""The `dx` command line (see durable_cli/README.md)."""
