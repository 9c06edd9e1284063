"""`dx time`."""
