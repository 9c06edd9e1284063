"""A log that grows: folded to the width, drawn only where it is seen, at its end as long as that is in view."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Size
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip

from durable_cli.tui.dev.log_lines import LogLine
from durable_cli.tui.lines import FRAME, LIBRARY_FRAME
from durable_cli.tui.times import clock
from durable_cli.tui.widgets.folded_view import FoldedView

__all__ = ["LogView"]

KEPT_LINES = 5_000
DROPPED_LINES = 1_000
"""So many are left out at once when there are more than what is kept."""
KEPT_STRIPS = 1_000
WIDE = 100
LONGEST_SOURCE = 16
LEVEL_VARIABLES = ("quiet", "foreground", "warning", "error")


class LogView(FoldedView):
    """Shows lines behind their time and who has written them."""

    @dataclass
    class EndSeen(Message):
        """The newest line came into view, or went out of it."""

        view: LogView

        @property
        def control(self) -> LogView:
            return self.view

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[LogLine] = []
        self._first_rows: list[int] = []
        """The row on which each line begins; those that were left out still count."""
        self._next_row = 0
        self._width = 0
        self._source_width = 0
        self._strips: dict[tuple[int, int], Strip] = {}
        """What is drawn already: a log that goes on moves most of its lines up."""
        self.is_at_end = True
        """Whether the newest line is in view, so that the next ones will be."""
        self.words: Sequence[str] = ()
        """What is marked in the lines."""

    @property
    def lines(self) -> Sequence[LogLine]:
        """What is shown."""
        return self._lines

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._note_place()

    def _note_place(self) -> None:
        was_at_end, self.is_at_end = self.is_at_end, self.scroll_offset.y >= self.max_scroll_y
        if was_at_end != self.is_at_end:
            self.post_message(self.EndSeen(self))

    def set_lines(self, lines: Sequence[LogLine]) -> None:
        """Show other lines, from their end."""
        self._lines = list(lines[-KEPT_LINES:])
        self._fold_all()
        self.go_to(self.virtual_size.height)

    def grow_lines(self, lines: Sequence[LogLine]) -> None:
        """Show further lines below the others; what is in view stays there, unless it is the end."""
        if not lines:
            return
        was_at_end, offset = self.is_at_end, self.scroll_offset.y
        if self._widen_source(lines):
            self._lines.extend(lines)
            self._fold_all()
        else:
            self._lines.extend(lines)
            self._fold(lines)
        if len(self._lines) > KEPT_LINES:
            offset -= self._drop(len(self._lines) - KEPT_LINES + DROPPED_LINES)
        self.virtual_size = Size(self._width, self._next_row - self._base_row)
        if was_at_end:
            self.go_to(self.virtual_size.height)
        else:
            self.go_to(offset)

    def go_to(self, row: int) -> None:
        # At once: whether the end is in view is asked for right after.
        self.scroll_to(y=max(0, min(row, self.max_scroll_y)), animate=False, force=True, immediate=True)
        self._note_place()
        self.refresh()

    def _drop(self, count: int) -> int:
        """Leave out the oldest lines, and return how many rows they had."""
        before = self._base_row
        del self._lines[:count], self._first_rows[:count]
        return self._base_row - before

    # Folding

    @property
    def _base_row(self) -> int:
        return self._first_rows[0] if self._first_rows else self._next_row

    @property
    def _prefix_width(self) -> int:
        return (12 if self._width >= WIDE else 8) + 1 + self._source_width + 3

    @property
    def _text_width(self) -> int:
        return max(10, self._width - self._prefix_width)

    def _widen_source(self, lines: Sequence[LogLine]) -> bool:
        width = max((min(cell_len(line.source), LONGEST_SOURCE) for line in lines), default=0)
        is_wider = width > self._source_width
        self._source_width = max(width, self._source_width)
        return is_wider

    def _fold_all(self) -> None:
        self._width = max(1, self.scrollable_content_region.width)
        self._widen_source(self._lines)
        self._first_rows, self._next_row = [], 0
        self._strips.clear()
        self._fold(self._lines)
        self.virtual_size = Size(self._width, self._next_row)

    def _fold(self, lines: Sequence[LogLine]) -> None:
        width, row = self._text_width, self._next_row
        for line in lines:
            self._first_rows.append(row)
            row += len(_split(line.text, width)) if len(line.text) * 2 > width else 1
        self._next_row = row

    def on_resize(self) -> None:
        was_at_end = self.is_at_end
        if self.scrollable_content_region.width != self._width:
            self._fold_all()
        self.go_to(self.virtual_size.height if was_at_end else self.scroll_offset.y)

    # Drawing

    def _find(self, row: int) -> tuple[LogLine, int] | None:
        """Return the line on a row, and which of its rows that is."""
        row += self._base_row
        index = bisect_right(self._first_rows, row) - 1
        if index < 0 or row >= self._next_row:
            return None
        return self._lines[index], row - self._first_rows[index]

    def render_line(self, y: int) -> Strip:
        row, width, base = y + self.scroll_offset.y, self.size.width, self.rich_style
        found = self._find(row)
        if found is None:
            return Strip.blank(width, base)
        if self.text_selection is not None:
            text = self._draw(*found)
            if self.mark_selection(text, row):
                return self._make_strip(text).apply_offsets(0, row)
        key = found[0].number, found[1]
        if key not in self._strips:
            if len(self._strips) > KEPT_STRIPS:
                self._strips.clear()
            self._strips[key] = self._make_strip(self._draw(*found))
        return self._strips[key].apply_offsets(0, row)

    def _make_strip(self, text: Text) -> Strip:
        segments = list(Segment.apply_style(text.render(self.app.console), self.rich_style))
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def notify_style_update(self) -> None:
        """Draw everything anew in another theme."""
        super().notify_style_update()
        self._strips.clear()

    def _draw(self, line: LogLine, part: int) -> Text:
        colors = self.app.theme_variables
        quiet = Style.parse(colors["quiet"])
        text = Text(end="", no_wrap=True)
        if part or line.is_continued:
            text.append(" " * (self._prefix_width - 2))
            text.append("│ ", colors["line"])
        else:
            time = clock(line.time_ns)
            text.append(f"{time if self._width >= WIDE else time[:8]} ", quiet)
            source = Text(line.source, end="")
            source.truncate(self._source_width, overflow="ellipsis", pad=True)
            text.append_text(source).append(" ")
            sign = line.sign or "│"
            text.append(f"{sign} ", colors[line.variable] if line.variable else colors["line"])
        shown = Text(_split(line.text, self._text_width)[part], end="")
        shown.stylize(self._style(line, colors))
        if self.words:
            shown.highlight_words(self.words, Style(reverse=True), case_sensitive=False)
        return text.append_text(shown)

    def _style(self, line: LogLine, colors: dict[str, str]) -> Style:
        if line.sign:
            return Style.parse(colors["foreground"])
        variable = LEVEL_VARIABLES[line.level]
        if line.is_continued:
            # Of a traceback the user's own frames stand out, and what it says at last.
            is_library = LIBRARY_FRAME.search(line.text) is not None
            is_said = not line.text.startswith((" ", "\t"))
            is_own = FRAME.match(line.text) is not None and not is_library
            variable = variable if is_said else "foreground" if is_own else "quiet"
        return Style.parse(colors[variable])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text, with folded lines whole again."""
        rows: list[str] = []
        for row in range(self.virtual_size.height):
            span, found = selection.get_span(row), self._find(row)
            if span is None or found is None:
                continue
            first, last = span
            text = self._draw(*found).plain[first : None if last == -1 else last]
            if found[1] and rows:
                rows[-1] += text[max(0, self._prefix_width - first) :]
            else:
                rows.append(text)
        return "\n".join(rows), "\n"


def _split(text: str, width: int) -> list[str]:
    """Fold a line: by characters, as a terminal does, so that nothing of it is lost."""
    if text.isascii():
        return [text[start : start + width] for start in range(0, len(text), width)] or [""]
    return chop_cells(text, width) or [""]
