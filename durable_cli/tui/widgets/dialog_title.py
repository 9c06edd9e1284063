"""What a dialog is about, in two lines at most: what it asks and its buttons need the room."""

from __future__ import annotations

import re

from rich.cells import cell_len, chop_cells
from rich.text import Text
from textual.widgets import Static

__all__ = ["DialogTitle", "shorten", "shorten_names"]

NAME_CELLS = 48
TITLE_CELLS = 110
"""Less than two lines of a dialog: a line ends before a name that does not fit into it."""


class DialogTitle(Static):
    """Says what is done to whom."""

    def __init__(self, title: str) -> None:
        super().__init__(Text(shorten(shorten_names(title), TITLE_CELLS), style="bold"), classes="dialog-title")


def shorten_names(text: str, cells: int = NAME_CELLS) -> str:
    """Leave out the middle of each long word: of ids that are made, both ends tell most."""
    return re.sub(r"\S+", lambda found: shorten(found[0], cells), text)


def shorten(text: str, cells: int) -> str:
    """Leave out the middle of a text that takes more than so many cells."""
    if cell_len(text) <= cells:
        return text
    half = (cells - 1) // 2
    return f"{chop_cells(text, half)[0]}…{chop_cells(text[::-1], half)[0][::-1]}"
