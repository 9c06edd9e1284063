"""Time travel: step through the events, and see at each what was pending then."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from durable_cli.tui.history.axis import Span
from durable_cli.tui.history.bars import Bar, find_bar_then
from durable_cli.tui.history.groups import Group
from durable_cli.tui.history.kinds import State
from durable_cli.tui.history.moment import Moment, group_then, moment_at
from durable_cli.tui.history.pending import describe_then
from durable_cli.tui.history.visible import VisibleGroups
from durable_cli.tui.lines import Line, Look
from durable_cli.tui.screens.workflow.selection import SelectionView, selection_lines
from durable_cli.tui.times import clock, now_ns, short_span
from durable_cli.tui.widgets.line_view import LineView
from durable_cli.tui.widgets.waterfall import Waterfall

__all__ = ["TravelView"]


class EventSlider(Widget):
    """Where in the history one is; a click goes there."""

    DEFAULT_CSS = "EventSlider { height: 1; margin: 1 0 0 0; padding: 0 1; }"

    class Moved(Message):
        """An event was chosen."""

        def __init__(self, event_id: int) -> None:
            super().__init__()
            self.event_id = event_id

    def __init__(self) -> None:
        super().__init__()
        self._event_id, self._last_event_id, self._words = 0, 0, ""

    def show_place(self, event_id: int, last_event_id: int, words: str) -> None:
        """Show that one is at an event, and what is to be said of it."""
        self._event_id, self._last_event_id, self._words = event_id, last_event_id, words
        self.refresh()

    @property
    def _track_width(self) -> int:
        return max(8, min(60, self.size.width // 4))

    def render_line(self, y: int) -> Strip:
        colors, width = self.app.theme_variables, self._track_width
        share = (self._event_id - 1) / max(1, self._last_event_id - 1)
        at = min(width - 1, round(share * (width - 1)))
        base = self.rich_style
        segments = [
            Segment("━" * at, base + Style.parse(colors["accent"])),
            Segment("●", base + Style.parse(colors["accent"])),
            Segment("─" * (width - 1 - at), base + Style.parse(colors["line"])),
            Segment(f"  {self._words}", base),
        ]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def on_click(self, event: events.Click) -> None:
        if 0 < event.x <= self._track_width and self._last_event_id:
            share = (event.x - 1) / max(1, self._track_width - 1)
            self.post_message(self.Moved(1 + round(share * (self._last_event_id - 1))))


class TravelView(SelectionView):
    """The timeline, what was pending, and the event, all as of one event."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "step(-1)", "Event before", key_display="["),
        Binding("right_square_bracket", "step(1)", "Next event", key_display="]"),
        Binding("left_curly_bracket", "step_task(-1)", "Decision before", key_display="{", show=False),
        Binding("right_curly_bracket", "step_task(1)", "Next decision", key_display="}"),
        Binding("less_than_sign", "go_to_end(False)", "First event", key_display="<", show=False),
        Binding("greater_than_sign", "go_to_end(True)", "Last event", key_display=">", show=False),
    ]
    DEFAULT_CSS = """
    TravelView #travel-timeline { height: 1fr; }
    TravelView #travel-panes { height: 1fr; border-top: solid $line; }
    TravelView #travel-pending { width: 1fr; padding: 0 1; }
    TravelView #travel-event { width: 1fr; padding: 0 1; border-left: solid $line; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._visible: VisibleGroups | None = None
        self._event_id = 0
        self._time_ns = 0

    def compose(self) -> ComposeResult:
        yield EventSlider()
        with Vertical():
            yield Waterfall(self._find_bar, self._find_limits, find_state=self._find_state, id="travel-timeline")
            with Horizontal(id="travel-panes"):
                yield LineView(id="travel-pending")
                yield LineView(id="travel-event")

    @property
    def main_widget(self) -> Widget:
        return self._waterfall

    @property
    def _waterfall(self) -> Waterfall:
        return self.query_one("#travel-timeline", Waterfall)

    def show_run(self) -> None:
        if self._visible is None:
            self._visible = VisibleGroups(self.book.history)
        self.show_events(())

    def show_events(self, changed: Collection[Group]) -> None:
        if self._visible is None or not self.book.history.rows:
            return
        self._visible.update()
        if not self._event_id:
            self.go_to(len(self.book.history.rows))
        else:
            self._show_slider(self.book.history.row(self._event_id).name)

    def go_to(self, event_id: int) -> None:
        """Show what was so at an event."""
        history = self.book.history
        if not history.rows or self._visible is None:
            return
        self._event_id = max(1, min(event_id, len(history.rows)))
        self._time_ns = history.time_at(self._event_id)
        moment = moment_at(history, self._event_id)
        groups = self._visible.groups
        shown = bisect_right(groups, self._event_id, key=lambda group: group.opened_event_id)
        waterfall = self._waterfall
        waterfall.marked_time_ns = self._time_ns
        place = bisect_right(groups, moment.group.opened_event_id, key=lambda group: group.opened_event_id)
        waterfall.set_rows(groups[:shown], cursor=place - 1)
        self._show_slider(moment.row.name)
        self.query_one("#travel-pending", LineView).set_lines(self._pending_lines(moment))
        self.query_one("#travel-event", LineView).set_lines(selection_lines(history, moment.group, self._event_id))

    def _show_slider(self, event_name: str) -> None:
        last = len(self.book.history.rows)
        after = short_span(max(0, self._time_ns - self.book.start_time_ns))
        words = f"{self._event_id:,} of {last:,}  {event_name}  +{after}  {clock(self._time_ns)}"
        self.query_one(EventSlider).show_place(self._event_id, last, words)

    def _pending_lines(self, moment: Moment) -> list[Line]:
        lines = [Line("pending then", Look.HEADING)]
        for then in moment.pending:
            line = describe_then(then, self._time_ns)
            lines.append(Line(f"{line.what}  {line.text}"))
        if moment.run.end_time_ns is not None:
            lines.append(Line(f"the run was over: {moment.run.state.value}", Look.QUIET))
        elif not moment.pending:
            lines.append(Line("nothing: only a signal, an update or its own code could go on", Look.QUIET))
        were = "was" if moment.closed_count == 1 else "were"
        lines += [Line(""), Line(f"{moment.closed_count:,} {were} over by then", Look.QUIET)]
        return lines

    def _find_bar(self, group: Group) -> Bar:
        return find_bar_then(group_then(self.book.history, group, self._event_id), self._time_ns)

    def _find_state(self, group: Group) -> State | None:
        state = group_then(self.book.history, group, self._event_id).state
        return None if state is group.state else state

    def _find_limits(self) -> Span:
        start, here = self.book.start_time_ns, now_ns()
        last = self.book.history.last_time_ns if self.book.is_open else self.book.end_time_ns(here)
        length = max(last - start, 1_000)
        return Span(start, start + length + length // 50)

    def selected_group(self) -> Group | None:
        return self.book.history.group_of(self._event_id) if self._event_id else None

    def selected_event_id(self) -> int | None:
        return self._event_id or None

    def selects_group(self) -> bool:
        return False

    @on(Waterfall.Activated)
    def go_to_row(self, message: Waterfall.Activated) -> None:
        """Go to where the group under the cursor began."""
        self.go_to(message.row.opened_event_id)

    def on_event_slider_moved(self, message: EventSlider.Moved) -> None:
        self.go_to(message.event_id)

    def action_step(self, by: int) -> None:
        """Go to the next event, or to the one before."""
        self.go_to(self._event_id + by)

    def action_step_task(self, direction: int) -> None:
        """Go to where the workflow's code decided next, or before."""
        rows, event_id = self.book.history.rows, self._event_id + direction
        while 1 <= event_id <= len(rows) and rows[event_id - 1].name != "WorkflowTaskCompleted":
            event_id += direction
        self.go_to(event_id)

    def action_go_to_end(self, is_last: bool) -> None:
        """Go to the first event, or to the last."""
        self.go_to(len(self.book.history.rows) if is_last else 1)
