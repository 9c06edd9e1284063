"""`dx.toml`: its format, and how a file becomes a `Project`."""
