"""The Python SDK's own tests, run against this server and against the reference server."""
