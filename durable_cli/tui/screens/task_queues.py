"""The task queues that are known: what waits in them, how fast it comes and goes, who polls."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType

from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.feed.task_queues import watch_task_queues
from durable_cli.tui.place_messages import TaskQueuesDescribed
from durable_cli.tui.place_rows import KindRow, TaskQueueRow
from durable_cli.tui.plots import sparkline
from durable_cli.tui.queue_history import QueueHistory
from durable_cli.tui.screens.base import Watch
from durable_cli.tui.screens.place import ListScreen
from durable_cli.tui.screens.task_queue import TaskQueueScreen
from durable_cli.tui.times import rough_span
from durable_cli.tui.widgets.columns import Column

__all__ = ["TaskQueuesScreen"]

SPARK_WIDTH = 14


class TaskQueuesScreen(ListScreen[TaskQueueRow]):
    """Task queues by their name."""

    NOUN = ("task queue", "task queues")
    COLUMNS = (
        Column("Task queue", 14, grow=3),
        Column("Waiting", 7, right=True),
        Column("Oldest", 7, right=True),
        Column("In /s", 6, right=True, rank=1),
        Column("Out /s", 6, right=True, rank=1),
        Column("Out, last minutes", SPARK_WIDTH + 3, rank=3),
        Column("Waiting, last minutes", SPARK_WIDTH + 7, rank=2),
        Column("Pollers", 14),
        Column("Versions", 12, grow=2, rank=4),
    )
    EMPTY = (
        "No server lists its task queues. Those of the latest runs and of workers are shown here.",
        "+ adds one by its name.",
    )
    ROW_ACTIONS = frozenset({"workflows"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus", "add", "Add a name", key_display="+"),
        Binding("w", "workflows", "Runs"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._typed: set[str] = set()
        self._known: dict[str, TaskQueueRow] = {}
        self._histories: dict[str, QueueHistory] = {}

    def make_watches(self) -> Iterable[Watch]:
        yield partial(watch_task_queues, self.browser.link, self._typed, self._visible_names, self.post_message)

    def _visible_names(self) -> list[str]:
        first, last = self.table.window
        return [row.name for row in self.table.rows[first : last + 1]]

    def on_task_queues_described(self, message: TaskQueuesDescribed) -> None:
        rows = []
        for row in message.rows:
            if row.kinds:
                self._histories.setdefault(row.name, QueueHistory()).note(row)
                self._known[row.name] = row
            rows.append(self._known.get(row.name, row))
        self.take_rows(rows)

    def show_namespace(self) -> None:
        self._typed.clear()
        self._known.clear()
        self._histories.clear()
        super().show_namespace()

    def key(self, row: TaskQueueRow) -> Hashable:
        return row.name

    def headline(self, rows: Sequence[TaskQueueRow]) -> Iterator[tuple[str, str]]:
        waiting = sum(row.backlog_count for row in rows)
        alone = [row for row in rows if row.kinds and not row.pollers]
        if waiting:
            yield f"{waiting:,} waiting", "warning"
        if alone:
            yield f"○ {len(alone):,} without a worker", "warning"
        yield "from runs and workers; + adds a name", "quiet"

    def cells(self, row: TaskQueueRow) -> Sequence[Text | str]:
        quiet = self.palette["quiet"]
        history = self._histories.get(row.name)
        if history is None:
            return (row.name, *("" for _ in self.COLUMNS[1:]))
        added, dispatched = history.added[-1], history.dispatched[-1]
        versions = sorted({poller.version for poller in row.pollers if poller.version})
        return (
            row.name,
            Text(f"{row.backlog_count:,}", style=self.palette["warning"] if row.backlog_count else quiet),
            Text(rough_span(row.backlog_age_ns), style=self.palette["warning"]) if row.backlog_age_ns else "",
            Text(f"{added:.1f}", style="" if added else quiet) if history.has_rates else "",
            Text(f"{dispatched:.1f}", style="" if dispatched else quiet) if history.has_rates else "",
            Text(sparkline(list(history.dispatched), SPARK_WIDTH, top=1), style=self.palette["accent"])
            if history.has_rates
            else "",
            Text(sparkline(list(history.backlog), SPARK_WIDTH, top=5), style=self.palette["warning"]),
            self._pollers(row),
            Text(", ".join(versions), style=quiet),
        )

    def _pollers(self, row: TaskQueueRow) -> Text:
        if not row.pollers:
            return Text("○ no worker", style=self.palette["warning"])
        return Text(f"{_count(row.workflow)} wf  {_count(row.activity)} act")

    async def open(self, row: TaskQueueRow) -> None:
        history = self._histories.setdefault(row.name, QueueHistory())
        await self.app.push_screen(TaskQueueScreen(row.name, history))

    @work
    async def action_add(self) -> None:
        """Show a task queue that no run and no worker tells of."""
        form = FormDialog("Show a task queue", (Field("name", "its name", required=True),), verb="Show")
        values = await self.app.push_screen_wait(form)
        if values:
            self._typed.add(values["name"])
            self.restart_watches()

    async def action_workflows(self) -> None:
        """Show the runs of the task queue."""
        row = self.table.cursor_row
        if row is not None:
            await self.browser.show_runs(f"TaskQueue = '{row.name}'")


def _count(kind: KindRow | None) -> int:
    return len(kind.pollers) if kind else 0
