"""What a schedule says, in words and as a week; no widget, no server."""
