"""The benchmark: our server beside the reference server in one run (`python -m tests.bench`)."""
