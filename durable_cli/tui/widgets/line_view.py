"""Lines of text that are folded to the width and drawn only where they are seen."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.selection import Selection
from textual.strip import Strip

from durable_cli.tui.lines import Line, Look
from durable_cli.tui.widgets.folded_view import FoldedView

__all__ = ["LineView", "fold_words", "highlight_json"]

_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*")(?P<colon>\s*:)?'
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<word>\btrue\b|\bfalse\b|\bnull\b)"
    r"|(?P<mark>[{}\[\],])"
)
# A longer line is a value that nobody reads by its colours.
HIGHLIGHTED_CHARACTERS = 5_000
MOST_PROSE_CHARACTERS = 2_000
MOST_CHARACTERS_PER_CELL = 4
_VARIABLES = {
    Look.JSON: "success",
    Look.QUIET: "quiet",
    Look.FRAME: "quiet",
    Look.ERROR: "error",
    Look.ADDED: "success",
    Look.REMOVED: "error",
    Look.HEADING: "accent",
}


def highlight_json(text: str, colors: dict[str, str]) -> Text:
    """Colour a line of JSON: names, strings, numbers, words."""
    line = Text(text, end="")
    for found in _TOKEN.finditer(text):
        variable = {"number": "warning", "word": "secondary", "mark": "quiet"}.get(found.lastgroup or "", "success")
        if found.lastgroup == "colon":
            variable = "primary"
        line.stylize(colors[variable], found.start(), found.end("string") if found["string"] else found.end())
    return line


def fold_words(text: str, width: int) -> list[str]:
    """Fold a line between its words where there are any; a text that is very long is no prose."""
    if len(text) > MOST_PROSE_CHARACTERS:
        return chop_cells(text, width)
    parts = []
    while cell_len(text) > width:
        # A character takes two cells, one, or none: of so many the first ones fill the line.
        end = max(1, len(chop_cells(text[: MOST_CHARACTERS_PER_CELL * width], width)[0]))
        if end >= len(text):
            break  # a wide character where there is one cell
        if text[end].isspace():
            end += 1
        else:
            after_space = text.rfind(" ", 0, end) + 1
            end = after_space if after_space > width // 3 else end
        parts.append(text[:end])
        text = text[end:]
    return [*parts, text] if text or not parts else parts


class LineView(FoldedView):
    """Shows lines; long ones are folded, and nothing is drawn that is not seen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "move_page(1)", "Page down", show=False)]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()
        self._first_rows: list[int] = []
        """The row on which each line begins."""
        self._width = 0
        self._folded: tuple[int, list[int]] = (-1, [])
        """Of the long line that was drawn last: its index, and where its parts begin."""

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown."""
        return self._lines

    def set_lines(self, lines: Sequence[Line], *, keep_place: bool = False) -> None:
        """Show other lines, from their start or from where the view is."""
        self._lines = lines
        self._fold()
        if not keep_place:
            self.go_to(0)
        self.refresh()

    def on_resize(self) -> None:
        if self.scrollable_content_region.width != self._width:
            self._fold()
            self.refresh()

    def _fold(self) -> None:
        # What is under the scrollbar is not seen.
        self._width = self.scrollable_content_region.width
        self._folded = (-1, [])
        self._first_rows = []
        if not self._width:
            return  # it has no place yet, and gets it by a resize
        row = 0
        for line in self._lines:
            self._first_rows.append(row)
            length = len(line.text) if line.text.isascii() else cell_len(line.text)
            # Wide characters may leave a cell free at each fold.
            row += 1 if length <= self._width else len(fold_words(line.text, self._width))
        self.virtual_size = Size(self._width, row)

    def _find(self, row: int) -> tuple[Line, int, int] | None:
        """Return the line on a row, and from which of its characters to which it stands there."""
        index = bisect_right(self._first_rows, row) - 1
        if index < 0 or row >= self.virtual_size.height:
            return None
        line, part = self._lines[index], row - self._first_rows[index]
        if part == 0 and len(line.text) <= self._width // 2:
            return line, 0, len(line.text)
        starts = self._find_starts(index)
        end = starts[part + 1] if part + 1 < len(starts) else len(line.text)
        return line, starts[part], end

    def _find_starts(self, index: int) -> list[int]:
        if self._folded[0] != index:
            starts, start = [], 0
            for part in fold_words(self._lines[index].text, self._width):
                starts.append(start)
                start += len(part)
            self._folded = (index, starts)
        return self._folded[1]

    def render_line(self, y: int) -> Strip:
        row = y + self.scroll_offset.y
        width, base = self.size.width, self.rich_style
        found = self._find(row)
        if found is None:
            return Strip.blank(width, base)
        line, start, end = found
        text = self._draw(line, start, end)
        self.mark_selection(text, row)
        segments = list(Segment.apply_style(text.render(self.app.console), base))
        strip = Strip(segments).adjust_cell_length(width, base)
        return strip.apply_offsets(0, row)

    def _draw(self, line: Line, start: int, end: int) -> Text:
        colors = self.app.theme_variables
        if line.look == Look.JSON and len(line.text) <= HIGHLIGHTED_CHARACTERS:
            return highlight_json(line.text, colors)[start:end]
        variable = _VARIABLES.get(line.look)
        style = Style.parse(colors[variable]) if variable else Style()
        if line.look == Look.HEADING:
            style += Style(bold=True)
        text = Text(line.text[start:end], end="")
        text.stylize(style)
        return text

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text, with folded lines whole again."""
        rows: list[str] = []
        for row in range(self.virtual_size.height):
            span, found = selection.get_span(row), self._find(row)
            if span is None or found is None:
                continue
            line, start, end = found
            first, last = span
            text = line.text[start:end][first : None if last == -1 else last]
            if start and rows:
                rows[-1] += text
            else:
                rows.append(text)
        return "\n".join(rows), "\n"
