"""What is written to the terminal can't steer it: of a name that a client chose, control characters are left out."""

from __future__ import annotations

import re

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

__all__ = ["HarmlessFilter"]

# Controls of both kinds, and what turns the direction of a line; a terminal gives none of them a cell.
_HARMFUL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]")


class HarmlessFilter(LineFilter):
    """Drops control characters from whatever is drawn."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments without them."""
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [
            segment if segment.text.isprintable() else segment._replace(text=_HARMFUL.sub("", segment.text))
            for segment in segments
        ]
