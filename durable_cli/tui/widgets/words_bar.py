"""The bar for the words that a line must have."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

__all__ = ["WordsBar"]


class WordsBar(Input):
    """Narrows what is below it while it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "To the lines"),
        Binding("escape", "screen.leave", "Show all again"),
    ]

    def __init__(self) -> None:
        super().__init__(id="filter", placeholder="words that a line must have", compact=True, select_on_focus=False)
