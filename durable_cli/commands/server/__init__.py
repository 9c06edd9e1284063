"""`dx server`."""
