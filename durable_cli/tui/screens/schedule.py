"""One schedule: when it acts, what it did, and the week that comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import partial
from typing import ClassVar

from rich.cells import cell_len
from rich.console import Group
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from durable_cli.tui.actions.schedule import ScheduleActionsScreen
from durable_cli.tui.feed.schedules import watch_schedule
from durable_cli.tui.place_messages import ScheduleDescribed
from durable_cli.tui.schedules.rows import ActionRow, ScheduleDetail, ScheduleRow
from durable_cli.tui.schedules.spec_words import spec_words
from durable_cli.tui.schedules.week import count_week
from durable_cli.tui.screens.base import Watch
from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.status import status_text
from durable_cli.tui.times import ahead, now_ns, short_span, since
from durable_cli.tui.widgets.columns import Column
from durable_cli.tui.widgets.key_bar import KeyBar
from durable_cli.tui.widgets.nothing_note import NothingNote
from durable_cli.tui.widgets.top_bar import TopBar
from durable_cli.tui.widgets.trouble_note import TroubleNote
from durable_cli.tui.widgets.virtual_table import VirtualTable
from durable_cli.tui.widgets.week_view import WeekView

__all__ = ["ScheduleScreen"]

COLUMNS = (
    Column("Status", 13),
    Column("When", 8),
    Column("Time", 16, rank=1),
    Column("Late", 7, right=True, rank=2),
    Column("Workflow", 12, grow=1),
)


class ScheduleScreen(ScheduleActionsScreen):
    """A schedule of the namespace."""

    HAS_PAYLOADS = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back"),
        Binding("e", "change_edit", "Edit"),
        Binding("w", "workflows", "Runs"),
    ]

    def __init__(self, schedule_id: str) -> None:
        super().__init__()
        self.schedule_id = schedule_id
        self._detail: ScheduleDetail | None = None
        self._week_of: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield TopBar(self.schedule_id)
        yield Static(id="head")
        yield TroubleNote(id="trouble")
        with Horizontal(id="upper"):
            yield Static(id="next")
            yield VirtualTable[ActionRow](
                COLUMNS, self._render_cells, lambda row: (row.run_id, row.actual_time_ns), id="rows"
            )
            yield NothingNote()
        yield WeekView(id="week")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(VirtualTable).focus()

    def make_watches(self) -> Iterable[Watch]:
        yield partial(watch_schedule, self.browser.link, self.schedule_id, self.post_message)

    def target(self) -> ScheduleRow | None:
        return self._detail.row if self._detail else None

    def after_deletion(self) -> None:
        self.app.pop_screen()  # not awaited: the screen waits for the worker that calls this

    def on_schedule_described(self, message: ScheduleDescribed) -> None:
        is_first, self._detail = self._detail is None, message.detail
        if is_first:
            self.refresh_bindings()
        self.show_theme()
        self._show_actions(message.detail.row)
        self._show_week(message.detail.row)

    def on_resize(self) -> None:
        self.show_theme()

    def show_theme(self) -> None:
        if self._detail is not None:
            self.query_one("#head", Static).update(Group(*self._head(self._detail)))
            self.query_one("#next", Static).update(self._next(self._detail.row))

    def _show_actions(self, row: ScheduleRow) -> None:
        table, note = self.query_one(VirtualTable), self.query_one(NothingNote)
        table.set_rows(tuple(reversed(row.actions)))
        if row.actions:
            note.hide()
        elif not note.has_class("-shown"):
            note.say("It has not acted yet", ("i triggers it",))
        if table.display != bool(row.actions):
            table.display = bool(row.actions)
            table.focus()

    def _head(self, detail: ScheduleDetail) -> Iterator[Text]:
        row, quiet = detail.row, self.palette["quiet"]
        state = ("‖ paused", self.palette["status-paused"]) if row.is_paused else ("● active", self.palette["success"])
        note = f"   {row.notes}" if row.notes else ""
        lines = [
            Text.assemble(state, ("   ", ""), (spec_words(row.spec), "bold"), (note, quiet)),
            Text.assemble(
                ("starts ", quiet),
                f"{row.workflow_type}({detail.arguments})",
                (" on ", quiet),
                detail.task_queue,
                (" as ", quiet),
                f"{detail.workflow_id}-…",
            ),
        ]
        fields = Text()
        for label, value in detail.fields:
            if fields.cell_len + 4 + cell_len(label + value) > self.size.width - 2:
                continue  # a value that is cut is none
            fields.append("   " if fields else "").append(f"{label} ", style=quiet).append(value)
        lines.append(fields)
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
            yield line

    def _next(self, row: ScheduleRow) -> Text:
        quiet = self.palette["quiet"]
        text = Text("Next" if not row.is_paused else "Next, if it were not paused", style=f"bold {quiet}", end="")
        now = now_ns()
        if not row.next_times_ns:
            text.append("\nnever again", style="not bold")
        for time_ns in row.next_times_ns:
            moment = datetime.fromtimestamp(time_ns / 1e9)
            style = quiet if row.is_paused else self.palette["foreground"]
            text.append(f"\n{moment:%a %d %b %H:%M:%S}", style=f"not bold {style}")
            text.append(f" {ahead(time_ns, now)}", style=f"not bold {quiet}")
        return text

    def _show_week(self, row: ScheduleRow) -> None:
        today = date.fromtimestamp(now_ns() / 1e9)
        shown = (row.spec, today, row.is_paused)
        if shown != self._week_of:
            self._week_of = shown
            counts = count_week(row.spec, today)
            self.query_one(WeekView).show_week(today, counts or (), is_quiet=row.is_paused)
        self.query_one(WeekView).refresh()  # the hour goes on

    def _render_cells(self, row: ActionRow) -> Sequence[Text | str]:
        quiet = self.palette["quiet"]
        scheduled = datetime.fromtimestamp(row.schedule_time_ns / 1e9)
        late_ns = row.actual_time_ns - row.schedule_time_ns
        return (
            status_text(row.status, self.palette) if row.status else Text("started"),
            since(row.actual_time_ns, now_ns()),
            Text(f"{scheduled:%a %d %b %H:%M}", style=quiet),
            Text(short_span(late_ns), style=quiet),
            row.workflow_id,
        )

    @on(VirtualTable.Activated)
    def open_run(self, message: VirtualTable.Activated) -> None:
        """Open the run that was started."""
        if message.row.workflow_id:
            self.app.push_screen(WorkflowScreen(message.row.workflow_id, message.row.run_id))

    async def action_workflows(self) -> None:
        """Show all runs that the schedule has started."""
        await self.browser.show_runs(f"TemporalScheduledById = '{self.schedule_id}'")

    @work
    async def action_change_edit(self) -> None:
        """Change when and what the schedule starts."""
        if self._detail is not None:
            await self.ask_and_edit(self._detail)
