"""One task queue: what waits, how fast it comes and goes, and everybody who polls."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from durable_cli.tui.feed.task_queues import watch_task_queue
from durable_cli.tui.place_messages import TaskQueuesDescribed
from durable_cli.tui.place_rows import KindRow, PollerRow, TaskQueueRow
from durable_cli.tui.queue_history import QueueHistory
from durable_cli.tui.screens.base import Watch
from durable_cli.tui.screens.place import ListScreen
from durable_cli.tui.times import here_ns, rough_span, since
from durable_cli.tui.widgets.columns import Column
from durable_cli.tui.widgets.fixed_text import FixedText
from durable_cli.tui.widgets.plot_view import Plot, PlotView

__all__ = ["TaskQueueScreen"]


class TaskQueueScreen(ListScreen[PollerRow]):
    """A task queue of the namespace."""

    NOUN = ("poller", "pollers")
    COLUMNS = (
        Column("Kind", 8),
        Column("Identity", 20, grow=2),
        Column("Last poll", 9),
        Column("Limit /s", 9, right=True, rank=1),
        Column("Version", 16, grow=2),
    )
    EMPTY = ("Tasks wait until a worker polls this task queue.",)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("w", "workflows", "Runs"),
    ]

    def __init__(self, name: str, history: QueueHistory) -> None:
        super().__init__()
        self.queue_name = name
        self._history = history
        self._row: TaskQueueRow | None = None

    def detail(self) -> str:
        return self.queue_name

    def compose_head(self) -> Iterator[Widget]:
        yield Static(id="head")
        yield PlotView(id="plots")
        yield FixedText(id="counts")

    def make_watches(self) -> Iterable[Watch]:
        yield partial(watch_task_queue, self.browser.link, self.queue_name, self.post_message)

    def on_task_queues_described(self, message: TaskQueuesDescribed) -> None:
        row = self._row = message.rows[0]
        self._history.note(row)
        self._show_head()
        self.query_one(PlotView).show(self._plots())
        self.take_rows(row.pollers)

    def _show_head(self) -> None:
        if self._row is not None:
            self.query_one("#head", Static).update(self._head(self._row))

    def show_theme(self) -> None:
        self._show_head()
        super().show_theme()

    def _head(self, row: TaskQueueRow) -> Text:
        quiet = self.palette["quiet"]
        lines = []
        for label, kind in (("workflow", row.workflow), ("activity", row.activity)):
            if kind is not None:
                lines.append(Text(f"{label} tasks  ", style=quiet).append_text(self._kind(kind)))
        if row.fields:
            line = Text()
            for label, value in row.fields:
                line.append("   " if line else "").append(f"{label} ", style=quiet).append(value, style="not dim")
            lines.append(line)
        return Text("\n").join(lines)

    def _kind(self, kind: KindRow) -> Text:
        plain, quiet = self.palette["foreground"], self.palette["quiet"]
        waiting = self.palette["warning"] if kind.backlog_count else plain
        text = Text(f"{kind.backlog_count:,} waiting", style=waiting)
        if kind.backlog_age_ns:
            text.append(f", oldest {rough_span(kind.backlog_age_ns)}")
        if self._history.has_rates:
            text.append(f"   {kind.add_rate:.1f}/s in   {kind.dispatch_rate:.1f}/s out", style=plain)
        count = len(kind.pollers)
        text.append(f"   {count} {'poller' if count == 1 else 'pollers'}", style=plain if count else quiet)
        return text

    def _plots(self) -> Iterator[Plot]:
        yield Plot("waiting", list(self._history.backlog), "{:,.0f}", "warning", top=5)
        if self._history.has_rates:
            yield Plot("in /s", list(self._history.added), "{:.1f}", "primary", top=1)
            yield Plot("out /s", list(self._history.dispatched), "{:.1f}", "accent", top=1)

    def key(self, row: PollerRow) -> Hashable:
        return row.kind, row.identity, row.version

    def cells(self, row: PollerRow) -> Sequence[Text | str]:
        quiet = self.palette["quiet"]
        # SDKs ask for a hundred thousand a second when there is no limit.
        limit = "" if row.rate_per_second >= 100_000 else f"{row.rate_per_second:g}"
        return (
            row.kind,
            row.identity,
            Text(since(row.last_access_time_ns, here_ns())),
            Text(limit, style=quiet),
            Text(row.version, style=quiet),
        )

    async def open(self, row: PollerRow) -> None:
        await self.action_workflows()

    async def action_workflows(self) -> None:
        """Show the runs of the task queue."""
        await self.browser.show_runs(f"TaskQueue = '{self.queue_name}'")
