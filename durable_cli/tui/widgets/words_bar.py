"""The bar for the words that a line must have."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType

from durable_cli.tui.widgets.entry_bar import EntryBar

__all__ = ["WordsBar"]


class WordsBar(EntryBar):
    """Narrows what is below it while it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "To the lines"),
        Binding("escape", "leave", "Show all again"),
    ]

    def __init__(self, take: Callable[[str], None], leave: Callable[[], None]) -> None:
        super().__init__(take, leave, id="filter", placeholder="words that a line must have")
