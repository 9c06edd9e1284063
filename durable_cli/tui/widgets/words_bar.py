"""The bar for the words that a line must have."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input

from durable_cli.tui.widgets.entry_bar import EntryBar

__all__ = ["WordsBar"]


class WordsBar(EntryBar):
    """Narrows what is below it while it is typed, and is shown as long as there are words."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "To the lines"),
        Binding("escape", "leave", "Show all again"),
    ]

    def __init__(self, narrow: Callable[[str], None], go_on: Callable[[], None]) -> None:
        """Take what shows only the lines with some words, and what lets the lines have the keys again."""
        super().__init__(self._go_on_with, self.show_all, id="filter", placeholder="words that a line must have")
        self._narrow = narrow
        self._go_on = go_on

    @on(Input.Changed)
    def follow(self) -> None:
        """Narrow while it is typed."""
        self._narrow(self.value.strip())

    def _go_on_with(self, words: str) -> None:
        self._narrow(words)
        self.display = bool(words)
        self._go_on()

    def show_all(self) -> None:
        """Show all lines again."""
        self.value = ""
        self._go_on_with("")
