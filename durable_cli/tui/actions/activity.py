"""What can be done to an activity of the run that is not over: completed, failed, paused, reset, changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from durable_cli.errors import CliError
from durable_cli.tui.actions.one_run import ACTIVITY_ACTIONS
from durable_cli.tui.actions.run import RunActionsScreen
from durable_cli.tui.dialogs.asking import hold_keys
from durable_cli.tui.dialogs.confirm import ConfirmDialog
from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.dialogs.pick import PickDialog
from durable_cli.tui.feed.actions_activities import (
    OPTION_WORDS,
    ActivityTarget,
    complete_activity,
    fail_activity,
    pause_activity,
    read_options,
    reset_activity,
    unpause_activity,
    update_options,
)
from durable_cli.tui.field_checks import check_count, check_duration
from durable_cli.tui.history.groups import Group
from durable_cli.tui.history.kinds import Kind
from durable_cli.tui.history.run_book import STARTED_STATES, RunBook
from durable_cli.tui.screens.base import Change

__all__ = ["ActivityActionsScreen"]

NEEDS = "actions on activities"


class ActivityActionsScreen(RunActionsScreen):
    """A screen with the activities of one run."""

    RUN_ACTIONS = RunActionsScreen.RUN_ACTIONS | ACTIVITY_ACTIONS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("C", "change_complete_activity", "Complete the activity", show=False),
        Binding("X", "change_fail_activity", "Fail the activity", show=False),
        Binding("P", "change_pause_activity", "Pause or unpause the activity", show=False),
        Binding("B", "change_reset_activity", "Begin the activity again", show=False),
        Binding("O", "change_activity_options", "Options of the activity", show=False),
    ]

    book: RunBook

    def selected_group(self) -> Group | None:
        """Return what is under the cursor."""
        return None

    async def _choose_activity(self, verb: str) -> tuple[Group, ActivityTarget] | None:
        """Return the activity under the cursor; elsewhere the only one that is pending, or the one that is chosen."""
        target, selected = self.target_run(), self.selected_group()
        pending = [group for group in self.book.history.open_groups if group.kind is Kind.ACTIVITY]
        if target is None or not self.book.is_open or not pending:
            self.notify("no activity of this run is pending")
            return None
        group: Group | None
        if selected in pending:
            group = selected
        elif len(pending) == 1:
            group = pending[0]
        else:
            options = [(group.item_id, f"{group.title} ({group.item_id})  {group.detail}") for group in pending]
            chosen = await self.app.push_screen_wait(PickDialog(f"{verb} which activity?", options))
            group = next((group for group in pending if group.item_id == chosen), None)
        if group is None:
            return None
        return group, ActivityTarget(*target[:2], group.item_id, group.name)

    @work
    async def action_change_complete_activity(self) -> None:
        """Complete an activity in a worker's place."""
        chosen = await self._choose_activity("Complete")
        if chosen is None:
            return
        _, target = chosen
        note = "What a worker says of it after that comes too late and is dropped."
        fields = (Field("result", "result (JSON, or empty)", is_json=True),)
        title, draft = f"Complete activity {target.title}", self.draft("complete", *target)
        form = FormDialog(title, fields, verb="Complete", note=note, draft=draft)
        await self.fill_in(form, lambda values: lambda link: complete_activity(link, target, values["result"]))

    @work
    async def action_change_fail_activity(self) -> None:
        """Fail an activity in a worker's place."""
        chosen = await self._choose_activity("Fail")
        if chosen is None:
            return
        group, target = chosen
        pending = self.book.find_pending(group)
        if pending is not None and pending.state not in STARTED_STATES:
            words = "only an attempt that runs can fail; it can be completed all the same"
            self.notify(words, title=f"no attempt of {target.title} is running", severity="warning")
            return
        finals = {"the activity fails": True, "it is tried again as its retry policy says": False}
        fields = (
            Field("message", "message", required=True),
            Field("type", "type of the error", placeholder="none"),
            Field("final", "what comes of it", choices=list(finals)),
        )

        def fail(values: Mapping[str, str]) -> Change:
            is_final = finals[values["final"]]
            return lambda link: fail_activity(link, target, values["message"], values["type"], is_final=is_final)

        draft = self.draft("fail", *target)
        await self.fill_in(FormDialog(f"Fail activity {target.title}", fields, verb="Fail it", draft=draft), fail)

    @work
    async def action_change_pause_activity(self) -> None:
        """Start no further attempt of an activity, or let it go on."""
        chosen = await self._choose_activity("Pause")
        if chosen is None:
            return
        group, target = chosen
        pending = self.book.find_pending(group)
        if pending is not None and pending.is_paused:
            reason = pending.pause_reason
            question = ConfirmDialog(f"Unpause activity {target.title}?", "It goes on at once.", verb="Unpause it")
            if await self.app.push_screen_wait(question):
                await self.do(
                    lambda link: unpause_activity(link, target),
                    undo=lambda link: pause_activity(link, target, reason),
                    needs=NEEDS,
                )
            return
        note = "An attempt that runs goes on; no further one is started until it is unpaused."
        title, fields, draft = (
            f"Pause activity {target.title}",
            (Field("reason", "reason"),),
            self.draft("pause", *target),
        )
        await self.fill_in(
            FormDialog(title, fields, verb="Pause", note=note, draft=draft),
            lambda values: lambda link: pause_activity(link, target, values["reason"]),
            undo=lambda _: lambda link: unpause_activity(link, target),
            needs=NEEDS,
        )

    @work
    async def action_change_reset_activity(self) -> None:
        """Begin an activity again with its first attempt, at once."""
        chosen = await self._choose_activity("Reset")
        if chosen is None:
            return
        group, target = chosen
        pending = self.book.find_pending(group)
        pauses = ("it goes on", "it stays paused") if pending is not None and pending.is_paused else ()
        heartbeats = ("is kept", "is forgotten")
        fields = [Field("heartbeat", "what its last heartbeat said", choices=heartbeats)]
        if pauses:
            fields.append(Field("pause", "it is paused", choices=pauses))
        note = "Its next attempt is the first one again, at once; an attempt that runs goes on."
        await self.fill_in(
            FormDialog(f"Reset activity {target.title}", fields, verb="Reset", note=note),
            lambda values: (
                lambda link: reset_activity(
                    link,
                    target,
                    resets_heartbeat=values["heartbeat"] == heartbeats[1],
                    keeps_paused="stays" in values.get("pause", ""),
                )
            ),
            needs=NEEDS,
        )

    @work
    async def action_change_activity_options(self) -> None:
        """Change how an activity is run and tried again."""
        chosen = await self._choose_activity("Change")
        if chosen is None:
            return
        _, target = chosen
        try:
            before = await hold_keys(self.app, read_options(self.browser.link, target))
        except CliError as error:
            self.notify(error.hint, title=error.message, severity="error")
            return
        times = ("start_to_close", "schedule_to_close", "heartbeat")
        fields = (
            *(Field(name, OPTION_WORDS[name], before[name], "none", check=check_duration) for name in times),
            Field("attempts", OPTION_WORDS["attempts"], before["attempts"], "as many as it takes", check=check_count),
            Field("task_queue", OPTION_WORDS["task_queue"], before["task_queue"]),
        )
        title, draft = f"Options of activity {target.title}", self.draft("options", *target)
        await self.fill_in(
            FormDialog(title, fields, verb="Change", draft=draft),
            lambda after: lambda link: update_options(link, target, before, after),
            undo=lambda after: (lambda link: update_options(link, target, after, before)) if after != before else None,
            needs=NEEDS,
        )
