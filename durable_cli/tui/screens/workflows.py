"""The list of workflows: live, counted, filtered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer, Input, Static

from durable_cli.tui.messages import RunsCounted, RunsListed
from durable_cli.tui.rows import RunRow
from durable_cli.tui.screens.base import BrowserScreen
from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.status import status_text
from durable_cli.tui.times import now_ns, short_span, since
from durable_cli.tui.widgets.top_bar import TopBar
from durable_cli.tui.widgets.trouble_note import TroubleNote
from durable_cli.tui.widgets.virtual_table import Column, VirtualTable

__all__ = ["WorkflowsScreen"]

COLUMNS = (
    Column("Status", 14),
    Column("Workflow", 20, grow=3),
    Column("Type", 16, grow=2, rank=1),
    Column("Started", 8, right=True),
    Column("Took", 8, right=True, rank=2),
    Column("Events", 6, right=True, rank=3),
    Column("Task queue", 14, grow=1, rank=4),
)


class WorkflowsScreen(BrowserScreen):
    """All runs of the namespace, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", show=True),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("r", "refresh", "Refresh", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._filter = ""
        self._head: list[RunRow] = []
        self._tail: list[RunRow] = []
        self._next_page_token = b""
        self._loads_more = False

    def compose(self) -> ComposeResult:
        yield TopBar("workflows")
        yield Static(id="counts")
        yield Input(id="filter", placeholder="list filter, such as ExecutionStatus = 'Running'", compact=True)
        yield TroubleNote(id="trouble")
        yield VirtualTable(COLUMNS, self._render_cells, lambda row: row.run_id, id="runs")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(VirtualTable).focus()
        self._watch()

    def _watch(self) -> None:
        self.run_worker(self.feed.watch_runs(self._filter, self.post_message), group="runs", exclusive=True)

    def on_runs_listed(self, message: RunsListed) -> None:
        if message.is_head:
            self._take_head(list(message.rows), message.next_page_token)
        else:
            known = {row.run_id for row in self._head}
            self._tail.extend(row for row in message.rows if row.run_id not in known)
            self._next_page_token = message.next_page_token
            self._loads_more = False
        self._show()

    def _take_head(self, head: list[RunRow], next_page_token: bytes) -> None:
        """Put a new first page in the place of the old one; what it pushed out goes on to the rest."""
        fresh = {row.run_id for row in head}
        if self._tail:
            self._tail = [row for row in (*self._head, *self._tail) if row.run_id not in fresh]
        else:
            self._next_page_token = next_page_token
        self._head = head

    def _show(self) -> None:
        self.query_one("#runs", VirtualTable).set_rows([*self._head, *self._tail])

    def on_runs_counted(self, message: RunsCounted) -> None:
        total = sum(message.counts.values())
        line = Text(f"{total:,} runs", style="bold", no_wrap=True, overflow="ellipsis")
        for number, count in message.counts.items():
            if count:
                line.append("   ").append_text(status_text(number, self.palette)).append(f" {count:,}")
        self.query_one("#counts", Static).update(line)

    @on(VirtualTable.NearEnd)
    def load_more(self) -> None:
        """Load the next page when the end of the loaded rows comes into sight."""
        if self._next_page_token and not self._loads_more:
            self._loads_more = True
            self.run_worker(self.feed.load_more_runs(self._filter, self._next_page_token, self.post_message))

    @on(VirtualTable.Activated)
    def open_run(self, message: VirtualTable.Activated) -> None:
        """Open a run."""
        self.app.push_screen(WorkflowScreen(message.row.workflow_id, message.row.run_id))

    def action_open(self) -> None:
        self.query_one(VirtualTable).action_activate()

    def action_refresh(self) -> None:
        """Ask the server at once."""
        self._tail, self._next_page_token, self._loads_more = [], b"", False
        self._watch()

    def action_filter(self) -> None:
        """Open the filter bar."""
        bar = self.query_one("#filter", Input)
        bar.add_class("-shown")
        bar.focus()

    @on(Input.Submitted, "#filter")
    def apply_filter(self, message: Input.Submitted) -> None:
        """Show only what matches."""
        self._filter = message.value.strip()
        self._head, self._tail, self._next_page_token, self._loads_more = [], [], b"", False
        self._show()
        self.query_one("#filter").set_class(bool(self._filter), "-shown")
        self.query_one(VirtualTable).focus()
        self._watch()

    def key_escape(self) -> None:
        """Leave the filter bar."""
        bar = self.query_one("#filter", Input)
        bar.value = self._filter
        bar.set_class(bool(self._filter), "-shown")
        self.query_one(VirtualTable).focus()

    def _render_cells(self, row: RunRow) -> Sequence[Text | str]:
        now = now_ns()
        return (
            status_text(row.status, self.palette),
            row.workflow_id,
            row.workflow_type,
            since(row.start_time_ns, now),
            short_span((row.close_time_ns or now) - row.start_time_ns),
            str(row.history_length) if row.status != 1 or row.history_length else "",
            row.task_queue,
        )
