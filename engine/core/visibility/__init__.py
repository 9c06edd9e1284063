"""Search attributes and list filters."""
