"""`dx worker`."""
