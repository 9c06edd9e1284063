"""The durable engine: a sans-IO core, a SQLite store, a runtime and the gRPC service (see engine/README.md)."""
