"""Text in a place of a fixed size."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

__all__ = ["FixedText"]


class FixedText(Static):
    """Shows a text without laying out the screen anew; the same text is not drawn again."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = Text()

    def show(self, text: Text) -> None:
        """Show another text."""
        if text != self._text or text.style != self._text.style:
            self._text = text
            self.update(text, layout=False)
