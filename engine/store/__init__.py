"""SQLite: the only place that knows SQL. One writer connection, read-only readers, forward-only migrations."""
