"""What `dx.toml` declares, made on any Temporal server."""
