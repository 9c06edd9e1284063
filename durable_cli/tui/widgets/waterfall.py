"""A waterfall: one row a group, and its bar on a time axis that is zoomed and panned.

Rules:
- Only the rows on the screen are drawn; time goes on for the bars that are open.
- The axis fits the whole run until it is zoomed; then it stays where it was put.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip

from durable_cli.tui.group_looks import group_look, group_text
from durable_cli.tui.history.axis import Axis, Span, Tick, list_ticks, zoom
from durable_cli.tui.history.bars import Bar, Look, draw_bar
from durable_cli.tui.history.groups import Group
from durable_cli.tui.history.kinds import State
from durable_cli.tui.times import clock, short_span
from durable_cli.tui.widgets.virtual_table import VirtualTable

__all__ = ["Waterfall"]

ZOOM_STEP = 1.6
PAN_SHARE = 0.2
LABEL_GAP = 1
# What stands in the plot beside bars.
GRID, NOTE, MARKED = "grid", "note", "marked"
_LOOK_VARIABLES = {
    Look.WAIT: "quiet",
    Look.RETRY: "warning",
    Look.TIMER: "secondary",
    Look.AHEAD: "quiet",
    Look.MOMENT: "accent",
    Look.ATTEMPT: "warning",
    Look.EMPTY: "line",
    GRID: "line",
    NOTE: "quiet",
    MARKED: "accent",
}


class Waterfall(VirtualTable[Group]):
    """Groups over a time axis.

    Args:
        find_bar: the bar of a group, as it is now.
        find_limits: the whole span that there is to see.
        find_state: the state that a group is shown in; None for the one that it has.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "zoom_in", "Zoom in", key_display="+", show=False),
        Binding("minus", "zoom_out", "Zoom out", key_display="-", show=False),
        Binding("0", "fit", "Whole run", show=False),
        Binding("z", "zoom_to_row", "Zoom to it", show=False),
        Binding("left,h", "pan(-1)", "Earlier", show=False),
        Binding("right,l", "pan(1)", "Later", show=False),
    ]

    def __init__(
        self,
        find_bar: Callable[[Group], Bar],
        find_limits: Callable[[], Span],
        *,
        find_state: Callable[[Group], State | None] = lambda group: None,
        id: str | None = None,
    ) -> None:
        super().__init__((), lambda group: (), lambda group: group.opened_event_id, id=id)
        self._find_bar = find_bar
        self._find_limits = find_limits
        self._find_state = find_state
        self._span: Span | None = None
        self._drawn_span: Span | None = None
        """What the header shows."""
        self._axis = Axis(Span(0, 1), 0)
        self._ticks: list[Tick] = []
        self.marked_time_ns: int | None = None
        """A time at which a line is drawn over all rows."""

    @property
    def label_width(self) -> int:
        """How many columns the names have."""
        return max(22, min(44, self.size.width * 35 // 100))

    @property
    def axis(self) -> Axis:
        """The axis as it is drawn now."""
        span = self._span or self._find_limits()
        return Axis(span, max(0, self.size.width - self.label_width - LABEL_GAP - 1))

    @property
    def is_fitted(self) -> bool:
        """Whether the whole run is seen."""
        return self._span is None

    def action_zoom_in(self) -> None:
        self._zoom(ZOOM_STEP, self._middle())

    def action_zoom_out(self) -> None:
        self._zoom(1 / ZOOM_STEP, self._middle())

    def action_fit(self) -> None:
        """See the whole run again."""
        self._span = None
        self.refresh()

    def action_zoom_to_row(self) -> None:
        """Let the row under the cursor fill most of the axis."""
        if self.cursor_row is None:
            return
        bar = self._find_bar(self.cursor_row)
        start_ns = bar.parts[0].start_ns
        length = max(bar.end_ns - start_ns, self._find_limits().length_ns // 200, 1_000)
        whole = Span(start_ns - length // 4, start_ns + length + length // 4)
        self._span = zoom(whole, 1, start_ns, self._find_limits())
        self.refresh()

    def action_pan(self, direction: int) -> None:
        """See what was earlier, or later."""
        if self._span is None:
            return
        shift = round(self._span.length_ns * PAN_SHARE * direction)
        self._zoom_to(Span(self._span.start_ns + shift, self._span.end_ns + shift))

    def _middle(self) -> int:
        """Return where to zoom by key: at the bar of the cursor's row when it is seen, else in the middle."""
        axis = self.axis
        if self.cursor_row is not None:
            bar = self._find_bar(self.cursor_row)
            start, end = max(bar.parts[0].start_ns, axis.span.start_ns), min(bar.end_ns, axis.span.end_ns)
            if start <= end:
                return (start + end) // 2
        return axis.time_at(axis.columns / 2)

    def _zoom(self, factor: float, around_ns: int) -> None:
        self._zoom_to(zoom(self.axis.span, factor, around_ns, self._find_limits()))

    def _zoom_to(self, span: Span) -> None:
        limits = self._find_limits()
        span = zoom(span, 1, span.start_ns, limits)
        self._span = None if span.length_ns >= limits.length_ns else span
        self.refresh()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseScrollUp | events.MouseScrollDown, direction: int) -> None:
        """Zoom at the pointer with ctrl, pan with shift; else the rows scroll."""
        if event.ctrl:
            column = max(0, event.x - self.label_width - LABEL_GAP)
            self._zoom(ZOOM_STEP**direction, self.axis.time_at(column))
        elif event.shift:
            self.action_pan(-direction)
        else:
            return
        event.prevent_default()
        event.stop()

    def tick(self, changed: Collection[Group] = ()) -> None:
        """Let the time go on: only bars that are open, or have changed, are drawn again, unless the axis has moved."""
        if self.axis.span != self._drawn_span:
            self.refresh()
            return
        first, last = self.window
        rows = self.rows
        shown = range(first, min(last + 1, len(rows)))
        self.refresh_rows(index for index in shown if rows[index].is_open or rows[index] in changed)

    def draw_header(self, width: int, style: Style) -> Strip:
        axis = self._axis
        self._drawn_span = axis.span
        title = f"from {clock(axis.span.start_ns)}" if self.rows else ""
        line = Text(title[: self.label_width].ljust(self.label_width + LABEL_GAP), end="")
        for tick in self._ticks:
            at = self.label_width + LABEL_GAP + tick.column
            if at >= line.cell_len and at + len(tick.label) <= width:
                line.append(" " * (at - line.cell_len)).append(tick.label)
        return Strip([Segment(line.plain, style)]).adjust_cell_length(width, style)

    def render_lines(self, crop: Region) -> list[Strip]:
        # The same for all lines that are drawn together.
        self._axis = axis = self.axis
        self._ticks = list_ticks(axis, self._find_limits().start_ns) if self.rows else []
        return super().render_lines(crop)

    def refresh_changed(self) -> None:
        # What a bar looks like is known when it is drawn.
        self.refresh()

    def draw_row(self, row: Group, cells: Sequence[Text | str], width: int, style: Style) -> Strip:
        colors = self.app.theme_variables
        state = self._find_state(row)
        label = group_text(row, colors, state)
        if row.label:
            label.append(f"  {row.label}", style=colors["quiet"])
        label.truncate(self.label_width, overflow="ellipsis", pad=True)
        line = Text(end="").append_text(label).append(" " * LABEL_GAP)
        segments = list(Segment.apply_style(line.render(self.app.console), style))
        segments += self._draw_plot(row, state, style)
        return Strip(segments).adjust_cell_length(width, style)

    def _draw_plot(self, row: Group, state: State | None, style: Style) -> list[Segment]:
        axis, colors = self._axis, self.app.theme_variables
        bar = self._find_bar(row)
        cells = [(cell.char, cell.look) for cell in draw_bar(bar, axis)]
        _write_after(cells, bar, axis, _note(row, bar))
        for tick in self._ticks:
            if cells[tick.column][1] == Look.EMPTY:
                cells[tick.column] = ("┊", GRID)
        if self.marked_time_ns is not None:
            column = min(int(axis.position(self.marked_time_ns)), axis.columns - 1)
            if column >= 0 and cells[column][1] in (Look.EMPTY, GRID):
                cells[column] = ("│", MARKED)
        run_variable = group_look(row, state).variable
        segments: list[Segment] = []
        for look, run in groupby(cells, key=itemgetter(1)):
            variable = _LOOK_VARIABLES.get(look, run_variable)
            segments.append(Segment("".join(char for char, _ in run), style + _color(colors[variable])))
        return segments


@lru_cache(maxsize=64)
def _color(color: str) -> Style:
    return Style.parse(color)


def _note(row: Group, bar: Bar) -> str:
    """Say what stands behind the bar: how long it took, and how often it was tried."""
    if bar.is_moment:
        return ""
    tries = max(row.attempt, len(bar.attempts))
    again = f" \N{MULTIPLICATION SIGN}{tries}" if tries > 1 else ""
    return short_span(max(0, bar.end_ns - bar.parts[0].start_ns)) + again


def _write_after(cells: list[tuple[str, str]], bar: Bar, axis: Axis, note: str) -> None:
    """Write a note behind a bar, or before it where there is no room behind."""
    if not note or not cells:
        return
    used = [index for index, (_, look) in enumerate(cells) if look]
    if not used:
        return
    start = used[-1] + 2
    if start + len(note) > len(cells):
        start = used[0] - 1 - len(note)
        if start < 0:
            return
    for index, char in enumerate(note):
        cells[start + index] = (char, NOTE)
