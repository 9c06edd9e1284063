"""The schedules of the namespace: when they act, what they did last."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType

from durable_cli.tui.actions.schedule import ScheduleActionsScreen
from durable_cli.tui.feed.schedules import watch_schedules
from durable_cli.tui.place_messages import SchedulesListed
from durable_cli.tui.schedules.rows import ScheduleRow
from durable_cli.tui.schedules.spec_words import spec_words
from durable_cli.tui.screens.base import Watch
from durable_cli.tui.screens.place import ListScreen
from durable_cli.tui.screens.schedule import ScheduleScreen
from durable_cli.tui.status import status_text
from durable_cli.tui.times import ahead, now_ns, since
from durable_cli.tui.widgets.columns import Column

__all__ = ["SchedulesScreen"]

FAILURES = frozenset({3, 5, 7})


class SchedulesScreen(ScheduleActionsScreen, ListScreen[ScheduleRow]):
    """All schedules, by their id."""

    NOUN = ("schedule", "schedules")
    COLUMNS = (
        Column("", 1),
        Column("Schedule", 16, grow=3),
        Column("When", 16, grow=4),
        Column("Next", 7),
        Column("Last", 20, rank=1),
        Column("Workflow", 12, grow=2, rank=2),
        Column("Notes", 10, grow=2, rank=3),
    )
    EMPTY = ("+ makes one, and so does the command line:", "$ temporal schedule create --help")
    MISSING = (
        "A single workflow can have a cron schedule on any server:",
        "$ dx workflow start --type TYPE --task-queue QUEUE --cron '30 2 * * *'",
        "",
        "Schedules of their own need a server that has them:",
        "$ dx tui --address HOST:PORT",
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus", "change_create", "Create", key_display="+"),
    ]

    def make_watches(self) -> Iterable[Watch]:
        yield partial(watch_schedules, self.browser.link, self.post_message)

    def on_schedules_listed(self, message: SchedulesListed) -> None:
        self.take_rows(message.rows)

    def key(self, row: ScheduleRow) -> Hashable:
        return row.schedule_id

    def target(self) -> ScheduleRow | None:
        return self.table.cursor_row

    def headline(self, rows: Sequence[ScheduleRow]) -> Iterator[tuple[str, str]]:
        paused = sum(row.is_paused for row in rows)
        failed = sum(bool(row.actions) and row.actions[-1].status in FAILURES for row in rows)
        if paused:
            yield f"‖ Paused {paused:,}", "status-paused"
        if failed:
            yield f"✗ Last run failed {failed:,}", "status-failed"
        coming = [(row.next_times_ns[0], row.schedule_id) for row in rows if row.next_times_ns and not row.is_paused]
        if coming:
            time_ns, schedule_id = min(coming)
            yield f"next {schedule_id} {ahead(time_ns, now_ns())}", "quiet"

    def cells(self, row: ScheduleRow) -> Sequence[Text | str]:
        now = now_ns()
        quiet = self.palette["quiet"]
        if row.is_paused:
            sign, coming = Text("‖", style=self.palette["status-paused"]), Text("paused", style=quiet)
        else:
            sign = Text("●", style=self.palette["success"])
            coming = Text(ahead(row.next_times_ns[0], now) if row.next_times_ns else "never")
        last = Text("not yet", style=quiet)
        if row.actions:
            action = row.actions[-1]
            last = status_text(action.status, self.palette) if action.status else Text("started")
            last.append(f" {since(action.actual_time_ns, now)}", style=quiet)
        return (
            sign,
            row.schedule_id,
            spec_words(row.spec),
            coming,
            last,
            row.workflow_type,
            Text(row.notes, style=quiet),
        )

    async def open(self, row: ScheduleRow) -> None:
        await self.app.push_screen(ScheduleScreen(row.schedule_id))

    @work
    async def action_change_create(self) -> None:
        """Make a new schedule."""
        await self.ask_and_create()
