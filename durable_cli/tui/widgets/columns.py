"""Columns of a table: which have room, how wide they are, and how a cell is drawn in one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from durable_cli.tui.lines import picture_controls

__all__ = ["GAP", "Column", "draw_cell", "lay_out"]

GAP = 2


class Column(NamedTuple):
    """A column; `grow` is its share of the free width, and columns of a higher `rank` go first when space is short."""

    title: str
    width: int
    grow: int = 0
    right: bool = False
    rank: int = 0


def lay_out(columns: Sequence[Column], width: int) -> list[tuple[int, int]]:
    """Return index and width of the columns that have room."""
    shown = list(range(len(columns)))

    def needed() -> int:
        return sum(columns[index].width + GAP for index in shown)

    while len(shown) > 1 and needed() > width:
        shown.remove(max(shown, key=lambda index: (columns[index].rank, index)))
    free = max(0, width - needed())
    shares = sum(columns[index].grow for index in shown) or 1
    return [(index, columns[index].width + free * columns[index].grow // shares) for index in shown]


def draw_cell(cell: Text | str, width: int, style: Style, console: Console, *, right: bool) -> Iterable[Segment]:
    """Draw a cell and the gap behind it."""
    text = cell.plain if isinstance(cell, Text) else cell
    length = cell_len(text)
    if length > width or not text.isprintable() or (isinstance(cell, Text) and cell.spans):
        whole = cell.copy() if isinstance(cell, Text) else Text(cell)
        whole.plain = picture_controls(whole.plain)
        whole.no_wrap, whole.end = True, ""
        whole.truncate(width, overflow="ellipsis")
        spaces = Segment(" " * (width - whole.cell_len), style)
        # A text without spans leaves its own style to others.
        own = style + console.get_style(whole.style) if whole.style else style
        words = Segment.apply_style(whole.render(console), own)
        return (spaces, *words, Segment(" " * GAP, style)) if right else (*words, spaces, Segment(" " * GAP, style))
    # Most cells are of one style, and fit: they need no layout.
    if isinstance(cell, Text) and cell.style:
        style += console.get_style(cell.style)
    spaces_before = " " * (width - length) if right else ""
    return (Segment(f"{spaces_before}{text}".ljust(len(text) + width - length + GAP), style),)
