"""The workers that report themselves: where they are, what they are busy with."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.binding import Binding, BindingType

from durable_cli.tui.feed.workers import watch_workers
from durable_cli.tui.place_messages import WorkersListed
from durable_cli.tui.place_rows import SlotsRow, WorkerRow
from durable_cli.tui.plots import progress_bar
from durable_cli.tui.queue_history import QueueHistory
from durable_cli.tui.screens.base import Watch
from durable_cli.tui.screens.place import ListScreen
from durable_cli.tui.screens.task_queue import TaskQueueScreen
from durable_cli.tui.times import clock, here_ns, rough_span, since
from durable_cli.tui.widgets.columns import Column

__all__ = ["WorkersScreen"]

SIGNS = {"running": ("●", "success"), "shutting down": ("◌", "warning"), "shutdown": ("○", "quiet")}
SILENT_NS = 150 * 1_000_000_000
"""SDKs send a heartbeat every minute: after two that are missing, the worker may be gone."""
BAR_WIDTH = 7


class WorkersScreen(ListScreen[WorkerRow]):
    """Workers by their task queue."""

    NOUN = ("worker", "workers")
    COLUMNS = (
        Column("", 1),
        Column("Worker", 12, grow=2),
        Column("Host", 8, grow=1, rank=4),
        Column("Task queue", 10, grow=2),
        Column("Workflow slots", 17),
        Column("Activity slots", 17),
        Column("Cached", 6, right=True, rank=2),
        Column("SDK", 12, grow=1, rank=3),
        Column("Version", 10, grow=2, rank=5),
        Column("Heard", 8, rank=1),
    )
    EMPTY = (
        "Workers of newer SDKs report themselves, about once a minute.",
        "3 shows who polls each task queue, whatever the SDK.",
    )
    MISSING = ("3 shows who polls each task queue.",)
    HAS_PANE = True
    ROW_ACTIONS = frozenset({"workflows"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "workflows", "Runs"),
    ]

    def make_watches(self) -> Iterable[Watch]:
        yield partial(watch_workers, self.browser.link, self.post_message)

    def on_workers_listed(self, message: WorkersListed) -> None:
        self.take_rows(message.rows)

    def key(self, row: WorkerRow) -> Hashable:
        return row.key

    def headline(self, rows: Sequence[WorkerRow]) -> Iterator[tuple[str, str]]:
        for status in sorted({row.status for row in rows}):
            sign, variable = SIGNS.get(status, ("?", "quiet"))
            yield f"{sign} {status} {sum(row.status == status for row in rows):,}", variable
        silent = sum(_is_silent(row, here_ns()) for row in rows)
        if silent:
            yield f"{silent:,} silent", "warning"

    def cells(self, row: WorkerRow) -> Sequence[Text | str]:
        quiet, now = self.palette["quiet"], here_ns()
        sign, variable = SIGNS.get(row.status, ("?", "quiet"))
        slots = {each.kind: each for each in row.slots}
        heard = Text(since(row.heartbeat_time_ns, now)) if row.heartbeat_time_ns else Text("")
        if _is_silent(row, now):
            heard.stylize(self.palette["warning"])
        return (
            Text(sign, style=self.palette[variable]),
            row.identity,
            row.host,
            row.task_queue,
            self._slots(slots.get("workflow")),
            self._slots(slots.get("activity")),
            f"{row.cached_runs:,}" if row.slots else "",
            Text(row.sdk.removeprefix("temporal-"), style=quiet),
            Text(row.version, style=quiet),
            heard,
        )

    def _slots(self, slots: SlotsRow | None) -> Text:
        if slots is None or not slots.used + slots.available:
            return Text("")
        total = slots.used + slots.available
        done, rest = progress_bar(slots.used, total, BAR_WIDTH)
        variable = "warning" if not slots.available else "accent"
        return Text.assemble(
            (done, self.palette[variable]), (rest, self.palette["line"]), f" {_short(slots.used)}/{_short(total)}"
        )

    def pane(self, row: WorkerRow) -> RenderableType:
        quiet, now = self.palette["quiet"], here_ns()
        line = Text()
        for label, value in (
            ("process", f"{row.process_id} on {row.host}"),
            ("up", rough_span(now - row.start_time_ns)),
            ("since", clock(row.start_time_ns, with_date=True)[:16]),
            ("host CPU", f"{row.host_cpu:.0%}" if row.slots else ""),
            ("memory", f"{row.host_memory:.0%}" if row.slots else ""),
            ("cache", f"{row.cached_runs:,} runs, {row.cache_hits:,} hits, {row.cache_misses:,} misses"),
            ("plugins", row.plugins),
        ):
            if value:
                line.append("   " if line else "").append(f"{label}\N{NO-BREAK SPACE}", style=quiet).append(value)
        heading = Text.assemble((row.identity, "bold"), (f"   {row.sdk}   {row.version}   {row.key}", quiet))
        heading.no_wrap, heading.overflow = True, "ellipsis"
        if not row.slots:
            return Group(heading, line)
        return Group(heading, line, self._slots_table(row, now))

    def _slots_table(self, row: WorkerRow, now: int) -> Table:
        quiet = self.palette["quiet"]
        grid = Table.grid(padding=(0, 2))
        titles = ("", "used", "free", "done", "failed", "pollers", "last task", "slots are")
        for title in titles:
            grid.add_column(justify="left" if title in ("", "last task", "slots are") else "right")
        grid.add_row(*(Text(title, style=quiet) for title in titles))
        for each in row.slots:
            if each.used + each.available + each.processed + each.pollers:
                grid.add_row(
                    Text(each.kind, style=quiet),
                    *(
                        f"{number:,}"
                        for number in (each.used, each.available, each.processed, each.failed, each.pollers)
                    ),
                    since(each.last_poll_time_ns, now) if each.last_poll_time_ns else "",
                    _words(each.supplier),
                )
        return grid

    async def open(self, row: WorkerRow) -> None:
        await self.app.push_screen(TaskQueueScreen(row.task_queue, QueueHistory()))

    async def action_workflows(self) -> None:
        """Show the runs of the worker's task queue."""
        row = self.table.cursor_row
        if row is not None:
            await self.browser.show_runs(f"TaskQueue = '{row.task_queue}'")


def _is_silent(row: WorkerRow, now: int) -> bool:
    return row.status == "running" and 0 < row.heartbeat_time_ns < now - SILENT_NS


def _words(name: str) -> str:
    """Write ResourceBased as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _short(number: int) -> str:
    return f"{number // 1000}k" if number >= 10_000 else str(number)
