"""A table that draws only the rows on the screen, so that its size costs nothing.

Rules:
- The table holds a sequence of rows and knows how to make cells of one; it never looks at a row that is not visible.
- The cursor stays on its row, by key, when rows come and go; at the very top it stays at the top.
- Columns have a fixed width, or share what is left; on a narrow terminal those of the highest rank are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from durable_cli.tui.widgets.columns import GAP, Column, draw_cell, lay_out

__all__ = ["VirtualTable"]

Row = TypeVar("Row")


class _Look(NamedTuple):
    """What a line shows: whether its row is under the cursor or marked, and its cells."""

    is_under_cursor: bool
    is_marked: bool
    cells: tuple[tuple[object, ...], ...]


class VirtualTable(ScrollView, Generic[Row], can_focus=True, inherit_bindings=False):
    """A table over a sequence of rows of any length."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "virtual-table--header",
        "virtual-table--cursor",
        "virtual-table--cursor-blurred",
        "virtual-table--marked",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup,ctrl+u", "move_page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+d", "move_page(1)", "Page down", show=False),
        Binding("home,g", "move_to_first", "First", show=False),
        Binding("end,G", "move_to_last", "Last", show=False),
        Binding("enter", "activate", "Open"),
    ]
    DEFAULT_CSS = """
    VirtualTable {
        height: 1fr;
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
        scrollbar-size-horizontal: 0;
        & > .virtual-table--header { color: $quiet; text-style: bold; }
        & > .virtual-table--cursor { background: $cursor; }
        & > .virtual-table--cursor-blurred { background: $panel; }
        & > .virtual-table--marked { color: $accent; text-style: bold; }
    }
    """

    cursor: reactive[int] = reactive(0)

    @dataclass
    class Activated(Message):
        """A row was chosen, by key or by mouse."""

        table: VirtualTable[Any]
        row: Any

        @property
        def control(self) -> VirtualTable[Any]:
            return self.table

    @dataclass
    class CursorMoved(Message):
        """Another row is under the cursor (None: there are no rows)."""

        table: VirtualTable[Any]
        row: Any

        @property
        def control(self) -> VirtualTable[Any]:
            return self.table

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, VirtualTable.CursorMoved) and message.table is self.table

    @dataclass
    class HeadClicked(Message):
        """The title of a column was clicked."""

        table: VirtualTable[Any]
        title: str

        @property
        def control(self) -> VirtualTable[Any]:
            return self.table

    @dataclass
    class RangeChosen(Message):
        """The mouse has chosen, with shift, the rows from the cursor to another one."""

        rows: Sequence[Any]

    @dataclass
    class NearEnd(Message):
        """The last rows are on the screen: more of them may be loaded."""

        table: VirtualTable[Any]

        @property
        def control(self) -> VirtualTable[Any]:
            return self.table

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, VirtualTable.NearEnd) and message.table is self.table

    def __init__(
        self,
        columns: Sequence[Column],
        render_cells: Callable[[Row], Sequence[Text | str]],
        key: Callable[[Row], Hashable],
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._columns = list(columns)
        self._render_cells = render_cells
        self._key = key
        self._rows: Sequence[Row] = ()
        self._count = 0
        """How many rows there were when they were set; the sequence itself may have grown since."""
        self._widths: list[tuple[int, int]] = []
        self._base_style = Style()
        self._drawn: dict[int, _Look] = {}
        """How each line of the window was drawn last."""
        self.marked: set[Hashable] = set()
        """Keys of the rows that are marked for a common action."""

    @property
    def rows(self) -> Sequence[Row]:
        """The rows, in their order."""
        return self._rows

    @property
    def cursor_row(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if self._rows else None

    @property
    def window(self) -> tuple[int, int]:
        """The first and the last index that are on the screen."""
        top = self.scroll_offset.y
        return top, max(top, min(top + self.size.height - 2, len(self._rows) - 1))

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns; `render_cells` gives as many cells from now on."""
        self._columns = list(columns)
        self.refresh()

    def set_rows(self, rows: Sequence[Row], *, cursor: int | None = None) -> None:
        """Show other rows; the cursor stays on its row where that is still there, or goes to the row at `cursor`."""
        before = self.cursor_row if self._count else None
        at_top = self.cursor == 0 and self.scroll_offset.y == 0
        offset = self.cursor - self.scroll_offset.y
        self._rows, self._count = rows, len(rows)
        self._take_height()
        if cursor is not None:
            self.cursor = max(0, min(cursor, len(rows) - 1))
            self._show_cursor()
        elif before is not None and not at_top:
            self.cursor = self._find(self._key(before), near=self.cursor)
            if self.cursor - self.scroll_offset.y != offset:
                self.scroll_to(y=max(0, self.cursor - offset), animate=False, force=True)
        else:
            self.cursor = min(self.cursor, max(0, len(rows) - 1))
        row = self.cursor_row
        if (before is None) != (row is None) or (
            before is not None and row is not None and self._key(before) != self._key(row)
        ):
            self.post_message(self.CursorMoved(self, row))
        self.refresh_changed()

    def grow_rows(self, rows: Sequence[Row]) -> None:
        """Show rows that are the former ones and more at their end."""
        was_empty = not self._count
        was_full = self.scroll_offset.y + self.size.height - 1 <= self._count
        self._rows, self._count = rows, len(rows)
        self._take_height()
        if was_empty and rows:
            self.post_message(self.CursorMoved(self, self.cursor_row))
        if not was_full:
            self.refresh()

    def _take_height(self) -> None:
        """Let the scrollbar have the rows that there are; all is laid out anew only where it comes or goes."""
        size = Size(0, len(self._rows) + 1)  # nothing scrolls sideways
        scrolls = size.height > self.size.height
        if not (scrolls and self.show_vertical_scrollbar) or self.scroll_y > size.height - self.size.height:
            self.virtual_size = size
        elif size != self.virtual_size:
            self.set_reactive(VirtualTable.virtual_size, size)
            bar = self.vertical_scrollbar
            # Its thumb is drawn in eighths of a line: most new rows do not move it.
            if self._find_thumb(size.height) != self._find_thumb(bar.window_virtual_size):
                bar.window_virtual_size = size.height

    def _find_thumb(self, lines: int) -> tuple[int, int]:
        """Return where the scrollbar's thumb begins and how long it is, in eighths of a line; at least a line."""
        height = self.size.height
        return 8 * height * self.scroll_offset.y // lines, max(8, 8 * height * height // lines)

    def move_to(self, index: int) -> None:
        """Put the cursor on a row and show it."""
        if self._rows:
            self.cursor = max(0, min(index, len(self._rows) - 1))
            self._show_cursor()

    def _find(self, key: Hashable, *, near: int) -> int:
        """Return where a key is now; rows rarely move far, so look near its last place first."""
        rows, key_of = self._rows, self._key
        last = len(rows) - 1
        for distance in range(len(rows)):
            for index in {near - distance, near + distance}:
                if 0 <= index <= last and key_of(rows[index]) == key:
                    return index
            if near - distance < 0 and near + distance > last:
                break
        return max(0, min(near, last))

    def watch_cursor(self, before: int, after: int) -> None:
        if before != after:
            self.refresh_rows((before, after))
            self.post_message(self.CursorMoved(self, self.cursor_row))

    def refresh_rows(self, indexes: Iterable[int]) -> None:
        """Draw some rows again, where they are on the screen."""
        top, width, height = self.scroll_offset.y, self.size.width, self.size.height
        places = (index - top + 1 for index in indexes)
        regions = [Region(0, y, width, 1) for y in places if 1 <= y < height]
        if regions:
            self.refresh(*regions)

    def refresh_changed(self) -> None:
        """Draw the lines again that look different now."""
        top, width = self.scroll_offset.y, self.size.width
        lines = range(1, self.size.height)
        regions = [Region(0, y, width, 1) for y in lines if self._look_at(y - 1 + top) != self._drawn.get(y)]
        if regions:
            self.refresh(*regions)

    def _look_at(self, index: int) -> _Look | None:
        """Return how a row looks; None where there is none."""
        if index >= len(self._rows):
            return None
        row = self._rows[index]
        return self._look(index, row, self._render_cells(row))

    def _look(self, index: int, row: Row, cells: Sequence[Text | str]) -> _Look:
        parts = tuple((cell.plain, cell.style, *cell.spans) if isinstance(cell, Text) else (cell,) for cell in cells)
        return _Look(index == self.cursor, self._key(row) in self.marked, parts)

    def _show_cursor(self) -> None:
        # The header covers one line of the window.
        height = max(1, self.size.height - 1)
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    def action_move(self, by: int) -> None:
        self.move_to(self.cursor + by)

    def action_move_page(self, pages: int) -> None:
        self.move_to(self.cursor + pages * max(1, self.size.height - 2))

    def action_move_to_first(self) -> None:
        self.move_to(0)

    def action_move_to_last(self) -> None:
        self.move_to(len(self._rows) - 1)

    def action_activate(self) -> None:
        row = self.cursor_row
        if row is not None:
            self.post_message(self.Activated(self, row))

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is not None and place.y == 0:
            title, _ = self.column_at(place.x)
            self.post_message(self.HeadClicked(self, title))
        index = event.y - 1 + self.scroll_offset.y
        if event.y < 1 or index >= len(self._rows):
            return
        was = self.cursor
        self.move_to(index)
        if event.shift:
            self.post_message(self.RangeChosen(self._rows[min(was, index) : max(was, index) + 1]))
        elif event.chain >= 2 or (index == was and self.has_focus and event.chain == 1 and event.ctrl):
            self.action_activate()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_cursor)

    def watch_scroll_y(self, before: float, after: float) -> None:
        super().watch_scroll_y(before, after)
        self.refresh()
        if self._rows and round(after) + self.size.height >= len(self._rows):
            self.post_message(self.NearEnd(self))

    def column_at(self, x: int) -> tuple[str, int]:
        """Return the title of the column that a place in a row belongs to, and how far within it that is."""
        for index, width in self._widths:
            if x < width + GAP:
                return self._columns[index].title, x
            x -= width + GAP
        return "", 0

    def render_lines(self, crop: Region) -> list[Strip]:
        # The same for all lines that are drawn together.
        self._base_style = self.rich_style
        # The gap behind the last column may lie in the padding.
        self._widths = lay_out(self._columns, self.size.width + self.styles.padding.width)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self._base_style
        if y == 0:
            style = base + self.get_component_rich_style("virtual-table--header", partial=True)
            return self.draw_header(width, style)
        index = y - 1 + self.scroll_offset.y
        if index >= len(self._rows):
            self._drawn.pop(y, None)
            return Strip.blank(width, base)
        row = self._rows[index]
        cells = self._render_cells(row)
        look = self._drawn[y] = self._look(index, row, cells)
        style = base
        if look.is_marked:
            style += self.get_component_rich_style("virtual-table--marked", partial=True)
        if look.is_under_cursor:
            name = "virtual-table--cursor" if self.has_focus else "virtual-table--cursor-blurred"
            style += self.get_component_rich_style(name, partial=True)
        return self.draw_row(row, cells, width, style)

    def draw_header(self, width: int, style: Style) -> Strip:
        """Draw the first line."""
        return self._draw([column.title for column in self._columns], width, style)

    def draw_row(self, row: Row, cells: Sequence[Text | str], width: int, style: Style) -> Strip:
        """Draw a row."""
        return self._draw(cells, width, style)

    def _draw(self, cells: Sequence[Text | str], width: int, style: Style) -> Strip:
        segments: list[Segment] = []
        for index, cell_width in self._widths:
            right = self._columns[index].right
            segments += draw_cell(cells[index], cell_width, style, self.app.console, right=right)
        return Strip(segments).adjust_cell_length(width, style)
