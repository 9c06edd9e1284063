"""The list of workflows: live, counted, filtered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer, Input, Static

from durable_cli.tui.feed.runs import list_runs, watch_runs
from durable_cli.tui.messages import RunsCounted, RunsListed
from durable_cli.tui.rows import RunRow
from durable_cli.tui.run_actions import RunActionsScreen
from durable_cli.tui.run_list import RunList
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


class WorkflowsScreen(RunActionsScreen):
    """All runs of the namespace, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", show=True),
        # At once, before the next key is handed to whatever has the focus now: fast typing must not lose its beginning.
        Binding("slash", "filter", "Filter", key_display="/", priority=True),
        Binding("r", "refresh", "Refresh", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._query = ""
        self._list = RunList()
        self._asked_token = b""

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
        watch = watch_runs(self.browser.link, self._query, self._visible_tokens, self.post_message)
        self.run_worker(watch, group="runs", exclusive=True)

    def _visible_tokens(self) -> list[bytes]:
        first, last = self.query_one("#runs", VirtualTable).window
        return list(self._list.tokens_between(first, last))

    def target_run(self) -> tuple[str, str] | None:
        row: RunRow | None = self.query_one("#runs", VirtualTable).cursor_row
        return (row.workflow_id, row.run_id) if row else None

    def on_runs_listed(self, message: RunsListed) -> None:
        if message.query != self._query:
            return
        if self._list.take(message.token, message.rows, message.next_page_token):
            self.query_one("#runs", VirtualTable).set_rows(self._list.rows)
        else:
            self.query_one("#runs", VirtualTable).refresh()  # times go on

    def on_runs_counted(self, message: RunsCounted) -> None:
        total = sum(message.counts.values())
        line = Text(f"{total:,} {'run' if total == 1 else 'runs'}", style="bold", no_wrap=True, overflow="ellipsis")
        for number, count in message.counts.items():
            if count:
                line.append("   ").append_text(status_text(number, self.palette)).append(f" {count:,}")
        self.query_one("#counts", Static).update(line)

    @on(VirtualTable.NearEnd)
    def load_more(self) -> None:
        """Load the next page when the end of the loaded rows comes into sight."""
        token = self._list.next_token
        if token and token != self._asked_token:
            self._asked_token = token
            self.run_worker(list_runs(self.browser.link, self._query, token, self.post_message))

    @on(VirtualTable.Activated)
    def open_run(self, message: VirtualTable.Activated) -> None:
        """Open a run."""
        self.app.push_screen(WorkflowScreen(message.row.workflow_id, message.row.run_id))

    def action_open(self) -> None:
        self.query_one(VirtualTable).action_activate()

    def action_refresh(self) -> None:
        """Ask the server at once."""
        self._begin()

    def _begin(self) -> None:
        self._list, self._asked_token = RunList(), b""
        self.query_one("#runs", VirtualTable).set_rows(self._list.rows)
        self._watch()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the filter bar, its key is a character like the others."""
        if action == "filter" and isinstance(self.focused, Input):
            return False
        return super().check_action(action, parameters)

    def action_filter(self) -> None:
        """Open the filter bar."""
        bar = self.query_one("#filter", Input)
        bar.display = True
        self.set_focus(bar)  # at once: what is typed next belongs to it

    @on(Input.Submitted, "#filter")
    def apply_filter(self, message: Input.Submitted) -> None:
        """Show only what matches."""
        self._query = message.value.strip()
        self.query_one("#filter").display = bool(self._query)
        self.query_one(VirtualTable).focus()
        self._begin()

    def key_escape(self) -> None:
        """Leave the filter bar."""
        bar = self.query_one("#filter", Input)
        bar.value = self._query
        bar.display = bool(self._query)
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
