"""The timeline: a waterfall of what happened, and what is under the cursor."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from durable_cli.tui.group_looks import given_text
from durable_cli.tui.history.axis import Span, fit_live
from durable_cli.tui.history.bars import Bar, find_bar
from durable_cli.tui.history.groups import Group, find_trouble
from durable_cli.tui.history.kinds import State
from durable_cli.tui.history.visible import VisibleGroups
from durable_cli.tui.screens.workflow.detail_pane import DetailPane
from durable_cli.tui.screens.workflow.selection import SelectionView, selection_lines
from durable_cli.tui.times import clock, now_ns, short_span
from durable_cli.tui.widgets.text_lines import TextLines
from durable_cli.tui.widgets.waterfall import Waterfall

__all__ = ["TimelineView"]


class TimelineView(SelectionView):
    """The groups of the run over time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "toggle_detail", "Details"),
        Binding("exclamation_mark", "find_trouble", "Next failure", key_display="!", show=False),
        Binding("f", "follow", "Follow"),
        Binding("w", "toggle_tasks", "Workflow tasks", show=False),
    ]
    DEFAULT_CSS = """
    TimelineView > #timeline-main > #about { height: 2; padding: 0 1; border-top: none; }
    TimelineView.-beside { layout: horizontal; }
    TimelineView > #timeline-main { height: 1fr; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._visible: VisibleGroups | None = None
        self._follows = False

    def compose(self) -> ComposeResult:
        with Vertical(id="timeline-main"):
            yield Waterfall(self._find_bar, self._find_limits, find_state=self._find_state, id="waterfall")
            yield TextLines(id="about")
        yield DetailPane()

    @property
    def main_widget(self) -> Widget:
        return self._waterfall

    @property
    def _waterfall(self) -> Waterfall:
        return self.query_one(Waterfall)

    def _find_bar(self, group: Group) -> Bar:
        return find_bar(self.book, group, self.book.end_time_ns(now_ns()))

    def _find_state(self, group: Group) -> State | None:
        state = self.book.state_of(group)
        return None if state is group.state else state

    def _find_limits(self) -> Span:
        start = self.book.start_time_ns
        here = now_ns()
        if self.book.is_open:
            return fit_live(start, self.book.now_ns(here))
        # A little room at the end, so that what is marked there is seen.
        length = max(self.book.end_time_ns(here) - start, 1_000)
        return Span(start, start + length + length // 100)

    def show_run(self) -> None:
        if self._visible is None:
            self._visible = VisibleGroups(self.book.history)
        self.show_events(())

    def show_events(self, changed: Collection[Group]) -> None:
        if self._visible is None:
            return
        waterfall = self._waterfall
        if self._visible.update() or waterfall.rows is not self._visible.groups:
            waterfall.set_rows(self._visible.groups)
        else:
            waterfall.grow_rows(self._visible.groups)
        if self._follows:
            waterfall.action_move_to_last()
        waterfall.tick(changed)
        if self.selected_group() in changed:
            self._show_about()
            self._show_detail(keep_place=True)

    def show_summary(self) -> None:
        self.tick()

    def tick(self) -> None:
        self._waterfall.tick()
        group = self.selected_group()
        if group is not None and group.is_open:
            self._show_about()

    def show_theme(self) -> None:
        self._show_about()

    def selected_group(self) -> Group | None:
        return self._waterfall.cursor_row

    @on(Waterfall.CursorMoved)
    def show_moved(self) -> None:
        """Say what is under the cursor."""
        self._show_about()
        self._show_detail()

    @on(Waterfall.Activated)
    def action_toggle_detail(self) -> None:
        """Open or close what is under the cursor."""
        self.query_one("#about").display = not self.query_one(DetailPane).toggle()
        self._show_detail()

    def _show_detail(self, *, keep_place: bool = False) -> None:
        pane, group = self.query_one(DetailPane), self.selected_group()
        if pane.is_open and group is not None:
            pane.show_lines(selection_lines(self.book.history, group, 0), keep_place=keep_place)

    def _show_about(self) -> None:
        group, colors = self.selected_group(), self.palette
        about = self.query_one("#about", TextLines)
        if group is None:
            about.show([])
            return
        first = Text()
        first.append(group.title, style="bold").append(f"  {group.label}" if group.label else "", style=colors["quiet"])
        first.append(f"  {self.book.state_of(group).value}" if not group.is_moment else "")
        since_start = group.start_time_ns - self.book.start_time_ns
        began = "at" if group.is_moment else "began"
        first.append(f"  {began} {clock(group.start_time_ns)}, +{short_span(since_start)}", style=colors["quiet"])
        if not group.is_moment:
            took = short_span(max(0, self.book.group_end_ns(group, now_ns()) - group.start_time_ns))
            first.append("  for " if group.is_open else "  took ", style=colors["quiet"]).append(took)
        if group.attempt > 1:
            first.append(f"  attempt {group.attempt}", style=colors["warning"])
        second = given_text(group, colors)
        if group.is_trouble or (group.is_open and group.failure):
            second = Text(group.failure, style=colors["error"])
        about.show([first, second])

    def action_find_trouble(self) -> None:
        """Go to the next thing that went wrong, from the cursor on, then from the start."""
        groups = self._visible.groups if self._visible else []
        found = find_trouble(groups, self.selected_group())
        if found is None:
            self.notify("nothing went wrong")
        else:
            self._waterfall.move_to(groups.index(found))

    def action_toggle_tasks(self) -> None:
        """Show workflow tasks, or fold them away."""
        if self._visible is not None:
            self._visible.toggle_tasks()
            self._waterfall.set_rows(self._visible.groups)

    def action_follow(self) -> None:
        """Stay at what is newest, or stop that."""
        self._follows = not self._follows
        self.notify("following" if self._follows else "not following any more")
        if self._follows:
            self._waterfall.action_move_to_last()
