"""The history browser: Textual screens over any Temporal server."""
