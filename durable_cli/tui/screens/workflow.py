"""One workflow: what it is, what it waits for, and its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, Static

from durable_cli.tui.feed.run import watch_history, watch_run
from durable_cli.tui.messages import HistoryGrew, RunDescribed
from durable_cli.tui.rows import EventRow, RunSummary
from durable_cli.tui.run_actions import RunActionsScreen
from durable_cli.tui.status import status_text
from durable_cli.tui.times import clock, now_ns, short_span
from durable_cli.tui.widgets.top_bar import TopBar
from durable_cli.tui.widgets.trouble_note import TroubleNote
from durable_cli.tui.widgets.virtual_table import Column, VirtualTable

__all__ = ["WorkflowScreen"]

COLUMNS = (
    Column("Id", 5, right=True),
    Column("Time", 12, rank=1),
    Column("Event", 30, grow=1),
    Column("Detail", 20, grow=4),
)
ENDINGS = (
    ("Failed", "status-failed"),
    ("TimedOut", "status-timed-out"),
    ("Terminated", "status-terminated"),
    ("Canceled", "status-canceled"),
    ("CancelRequested", "status-canceled"),
    ("Completed", "status-completed"),
    ("Started", "status-running"),
    ("Fired", "status-timed-out"),
)


class WorkflowScreen(RunActionsScreen):
    """One run; without a run id, the latest one of the workflow."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back"),
        Binding("enter", "expand", "Event"),
        Binding("f", "follow", "Follow"),
    ]

    def __init__(self, workflow_id: str, run_id: str) -> None:
        super().__init__()
        self.workflow_id = workflow_id
        self.run_id = run_id
        self._events: list[EventRow] = []
        self._follows = False

    def compose(self) -> ComposeResult:
        yield TopBar(self.workflow_id)
        yield Static(id="summary")
        yield TroubleNote(id="trouble")
        yield VirtualTable(COLUMNS, self._render_cells, lambda row: row.event_id, id="events")
        with VerticalScroll(id="event", can_focus=False):
            yield Static(id="event-text")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(VirtualTable).focus()
        link = self.browser.link
        self.run_worker(watch_run(link, self.workflow_id, self.run_id, self.post_message))
        self.run_worker(watch_history(link, self.workflow_id, self.run_id, self.post_message))

    def target_runs(self) -> list[tuple[str, str]]:
        return [(self.workflow_id, self.run_id)]

    def on_run_described(self, message: RunDescribed) -> None:
        self.query_one("#summary", Static).update(self._draw_summary(message.summary))

    def _draw_summary(self, summary: RunSummary) -> Table:
        row, quiet = summary.row, self.palette["quiet"]
        took = short_span((row.close_time_ns or now_ns()) - row.start_time_ns)
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style=quiet, no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row("status", Text.assemble(status_text(row.status, self.palette), (f"  {took}", quiet)))
        grid.add_row("run", row.run_id)
        for label, value in summary.fields:
            grid.add_row(label, value)
        for number, work in enumerate(summary.pending):
            style = self.palette["warning"] if work.is_trouble else ""
            grid.add_row("" if number else "waits for", Text.assemble(work.what, ": ", (work.state, style)))
        return grid

    def on_history_grew(self, message: HistoryGrew) -> None:
        self._events.extend(message.events)
        table = self.query_one("#events", VirtualTable)
        table.set_rows(self._events)
        if self._follows:
            table.action_move_to_last()

    @on(VirtualTable.Activated)
    def toggle_event(self) -> None:
        """Open or close the event under the cursor."""
        self.query_one("#event").toggle_class("-shown")
        self._show_event()

    @on(VirtualTable.CursorMoved)
    def show_moved(self) -> None:
        """Keep the open event that of the cursor."""
        self._show_event()

    def _show_event(self) -> None:
        row = self.query_one("#events", VirtualTable).cursor_row
        if row is None or not self.query_one("#event").has_class("-shown"):
            return
        from rich.json import JSON

        from durable_cli.tui.feed.event_json import event_json

        self.query_one("#event-text", Static).update(JSON(event_json(row.serialized)))

    def action_expand(self) -> None:
        self.query_one(VirtualTable).action_activate()

    def action_follow(self) -> None:
        """Stay at the newest event, or stop that."""
        self._follows = not self._follows
        if self._follows:
            self.query_one(VirtualTable).action_move_to_last()

    def _render_cells(self, row: EventRow) -> Sequence[Text | str]:
        variable = next((variable for ending, variable in ENDINGS if row.name.endswith(ending)), "")
        return (
            Text(str(row.event_id), style=self.palette["quiet"]),
            Text(clock(row.event_time_ns), style=self.palette["quiet"]),
            Text(row.name, style=self.palette.get(variable, "")),
            row.summary,
        )
