"""The one log view of `dx dev`."""
