"""What can be done to a schedule, from the list and from its own screen: asked, confirmed, done, said."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from durable_cli.tui.dialogs.confirm import ConfirmDialog
from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.feed.actions_schedules import (
    OVERLAP_NAMES,
    PauseState,
    backfill_schedule,
    create_schedule,
    delete_schedule,
    edit_schedule,
    pause_schedule,
    read_pause,
    restore_pause,
    trigger_schedule,
    unpause_schedule,
)
from durable_cli.tui.feed.link import Link
from durable_cli.tui.schedules.rows import ScheduleDetail, ScheduleRow
from durable_cli.tui.schedules.spec_words import spec_words
from durable_cli.tui.screens.base import BrowserScreen
from durable_cli.tui.times import clock, now_ns

__all__ = ["ScheduleActionsScreen"]

WHEN = "when: a cron expression, or an interval"
OF_A_SCHEDULE = frozenset({"change_trigger", "change_pause", "change_backfill", "change_delete", "change_edit"})
DAY_NS = 86_400_000_000_000


class ScheduleActionsScreen(BrowserScreen):
    """A screen with a schedule to act on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "change_trigger", "Trigger"),
        Binding("p", "change_pause", "Pause"),
        Binding("f", "change_backfill", "Backfill"),
        Binding("d", "change_delete", "Delete", show=False),
    ]

    def target(self) -> ScheduleRow | None:
        """Return the schedule to act on."""
        return None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing for a schedule where there is none."""
        if action in OF_A_SCHEDULE and self.lacks(self.target):
            return False
        return super().check_action(action, parameters)

    def after_deletion(self) -> None:
        """Go on when the schedule is gone."""

    @work
    async def action_change_trigger(self) -> None:
        """Start the schedule's workflow now."""
        row = self.target()
        if row is None:
            return
        detail = f"{row.workflow_type} is started now, besides its times, as the overlap policy allows."
        dialog = ConfirmDialog(f"Trigger {row.schedule_id}?", detail, verb="Trigger it")
        if await self.app.push_screen_wait(dialog):
            await self.do(lambda link: trigger_schedule(link, row.schedule_id))

    @work
    async def action_change_pause(self) -> None:
        """Let the schedule rest, or let it go on."""
        row = self.target()
        if row is None:
            return
        schedule_id, is_paused = row.schedule_id, row.is_paused
        verb = "Unpause" if is_paused else "Pause"
        form = FormDialog(f"{verb} {schedule_id}", (Field("note", "note, kept with it"),), verb=verb)
        before: list[PauseState] = []

        async def change(values: Mapping[str, str], link: Link) -> str:
            before[:] = [await read_pause(link, schedule_id)]
            return await (unpause_schedule if is_paused else pause_schedule)(link, schedule_id, values["note"])

        await self.fill_in(
            form,
            lambda values: partial(change, values),
            undo=lambda _: lambda link: restore_pause(link, schedule_id, before[0]),
        )

    @work
    async def action_change_backfill(self) -> None:
        """Do what would have been done in a time that is past."""
        row = self.target()
        if row is None:
            return
        now = now_ns()
        fields = (
            Field("start", "from", value=clock(now - DAY_NS, with_date=True)[:16], required=True),
            Field("end", "to", value=clock(now, with_date=True)[:16], required=True),
            Field("overlap", "when a run is still going on", value="allow all", choices=OVERLAP_NAMES),
        )
        form = FormDialog(f"Backfill {row.schedule_id}: {spec_words(row.spec)}", fields, verb="Backfill")
        await self.fill_in(
            form,
            lambda values: (
                lambda link: backfill_schedule(link, row.schedule_id, values["start"], values["end"], values["overlap"])
            ),
        )

    @work
    async def action_change_delete(self) -> None:
        """Delete the schedule."""
        row = self.target()
        if row is None:
            return
        detail = "It can't be brought back. The runs that it has started go on."
        dialog = ConfirmDialog(f"Delete schedule {row.schedule_id}?", detail, verb="Delete it")
        if await self.app.push_screen_wait(dialog) and await self.do(
            lambda link: delete_schedule(link, row.schedule_id)
        ):
            self.after_deletion()

    async def ask_and_create(self) -> None:
        """Ask for a new schedule, and make it."""
        fields = (
            Field("schedule_id", "schedule id", required=True),
            Field("when", WHEN, placeholder="30 2 * * 1-5, every 10m, 1h/5m; several with ;", required=True),
            *_action_fields(None),
        )
        form = FormDialog("New schedule", fields, verb="Create", draft=self.draft("create schedule"))
        await self.fill_in(form, lambda values: lambda link: create_schedule(link, values))

    async def ask_and_edit(self, detail: ScheduleDetail) -> None:
        """Ask what shall be different, and change it."""
        fields = (
            Field("when", f"{WHEN}; now {spec_words(detail.row.spec)}", placeholder="empty leaves it as it is"),
            *_action_fields(detail),
        )
        schedule_id = detail.row.schedule_id
        form = FormDialog(
            f"Change {schedule_id}", fields, verb="Change", draft=self.draft("change schedule", schedule_id)
        )
        await self.fill_in(form, lambda values: lambda link: edit_schedule(link, schedule_id, values))


def _action_fields(detail: ScheduleDetail | None) -> tuple[Field, ...]:
    row = detail.row if detail else None
    argument = detail.argument_json if detail else ""
    return (
        Field(
            "time_zone", "time zone of a cron expression", value=row.spec.time_zone if row else "", placeholder="UTC"
        ),
        Field("workflow_type", "workflow type", value=row.workflow_type if row else "", required=True),
        Field("task_queue", "task queue", value=detail.task_queue if detail else "", required=True),
        *(
            (Field("argument", "argument (JSON, or empty)", value=argument, is_json=True),)
            if argument is not None
            else ()
        ),
        Field(
            "workflow_id",
            "workflow id; each run's has its time behind it",
            value=detail.workflow_id if detail else "",
            placeholder="the schedule's id",
        ),
        Field(
            "overlap",
            "when a run is still going on",
            value=detail.overlap if detail else OVERLAP_NAMES[0],
            choices=OVERLAP_NAMES,
        ),
        Field("notes", "notes", value=row.notes if row else ""),
    )
