"""`dx workflow`."""
