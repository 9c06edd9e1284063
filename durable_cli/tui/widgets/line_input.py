"""An input of one line, into which a text of several may be pasted."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

__all__ = ["LineInput"]


class LineInput(Input):
    """Takes a pasted text whole: half of a filter would match more than was meant."""

    def on_paste(self, event: events.Paste) -> None:
        event.text = _join_lines(event.text)

    def action_paste(self) -> None:
        self.replace(_join_lines(self.app.clipboard), *self.selection)


def _join_lines(text: str) -> str:
    """Put one space in the place of each line's end."""
    lines = text.splitlines()
    return " ".join(line.strip() for line in lines if line.strip()) if len(lines) > 1 else "".join(lines)
