"""What can be done to a run, from whatever screen has one under its cursor: asked, confirmed, done, said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from durable_cli.tui.actions.one_run import ARGUMENTS, OneRunActionsScreen
from durable_cli.tui.dialogs.confirm import ConfirmDialog
from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.feed.actions import cancel_workflow, signal_workflow, terminate_workflow

if TYPE_CHECKING:
    from durable_cli.tui.batch_order import ManyRuns
    from durable_cli.tui.feed.link import Link

__all__ = ["RunActionsScreen", "name_targets"]

OF_RUNS = frozenset({"change_signal", "change_cancel", "change_terminate"})


class RunActionsScreen(OneRunActionsScreen):
    """A screen with a run to act on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "change_signal", "Signal"),
        Binding("c", "change_cancel", "Cancel"),
        Binding("t", "change_terminate", "Terminate"),
    ]

    def target_runs(self) -> list[tuple[str, str]]:
        """Return the workflow ids and run ids to act on: those that are marked, or the one under the cursor."""
        return []

    def any_target(self) -> object | None:
        """Return something of what would be acted on, if there is anything."""
        return self.target_run()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing for runs where there is none."""
        if action in OF_RUNS and self.lacks(self.any_target):
            return False
        return super().check_action(action, parameters)

    def _says_over_alone(self, targets: Sequence[tuple[str, str]], verb: str) -> bool:
        """Say that the only target is closed, where it is, before anything is typed for it."""
        target = self.target_run()
        return target is not None and targets == [target[:2]] and self.says_over(target, verb)

    async def do_to_all(
        self, targets: Sequence[tuple[str, str]], action: Callable[[Link, str, str], Awaitable[str]]
    ) -> bool:
        """Do something to each of several runs, a few at a time, and say how many it was done to.

        Returns:
            Whether it was done to any.
        """
        if len(targets) == 1:
            return await self.do(lambda link: action(link, *targets[0]))
        from durable_cli.tui.actions.batch import act_on_all

        progress = await act_on_all(self, f"To {len(targets):,} runs", targets, action, "done to")
        return progress.done > 0

    def show_progress(self, progress: ManyRuns) -> None:
        """Take note of what was done to many runs, and what was not."""

    @work
    async def action_change_signal(self) -> None:
        """Send a signal."""
        targets = self.target_runs()
        if not targets:
            return
        target = self.target_run()
        if self._says_over_alone(targets, "signal"):
            return
        alone = target if target is not None and targets == [target[:2]] else None
        seen = self.seen_names("signals") if alone is not None else ()
        fields = (
            Field("name", "signal", required=True, suggestions=seen),
            Field("arguments", ARGUMENTS, is_arguments=True),
        )
        form = partial(FormDialog, f"Signal {name_targets(targets)}", fields, verb="Send")
        draft = self.draft("signal", *(targets[0] if len(targets) == 1 else ()))
        if len(targets) == 1:
            dialog = form(draft=draft)
            with self.suggesting_names(dialog, alone, "signals"):
                await self.fill_in(dialog, lambda values: lambda link: _signal(values, link, *targets[0]))
            return
        # What was typed is not lost when the server refuses it.
        while values := await self.app.push_screen_wait(form(draft=draft)):
            if await self.do_to_all(targets, partial(_signal, values)):
                return
            draft.update(values)

    @work
    async def action_change_cancel(self) -> None:
        """Ask the run to cancel."""
        targets = self.target_runs()
        if not targets:
            return
        # A server says nothing of a cancel that comes too late.
        if self._says_over_alone(targets, "cancel"):
            return
        question = f"Cancel {name_targets(targets)}?"
        dialog = ConfirmDialog(question, "The code is asked to clean up and end.", verb="Cancel it")
        if await self.app.push_screen_wait(dialog):
            await self.do_to_all(targets, cancel_workflow)

    @work
    async def action_change_terminate(self) -> None:
        """End the run at once."""
        targets = self.target_runs()
        if not targets:
            return
        if self._says_over_alone(targets, "terminate"):
            return
        title = f"Terminate {name_targets(targets)}: the code gets no chance to clean up"
        form = FormDialog(title, (Field("reason", "reason"),), verb="Terminate")
        if len(targets) == 1:
            await self.fill_in(form, lambda values: lambda link: _terminate(values, link, *targets[0]))
            return
        values = await self.app.push_screen_wait(form)
        if values is not None:
            await self.do_to_all(targets, partial(_terminate, values))


async def _signal(values: Mapping[str, str], link: Link, workflow_id: str, run_id: str) -> str:
    return await signal_workflow(link, workflow_id, run_id, values["name"], values["arguments"])


async def _terminate(values: Mapping[str, str], link: Link, workflow_id: str, run_id: str) -> str:
    return await terminate_workflow(link, workflow_id, run_id, values["reason"] or "from dx tui")


def name_targets(targets: Sequence[tuple[str, str]]) -> str:
    """Say what is acted on: its workflow id, or how many there are."""
    return targets[0][0] if len(targets) == 1 else f"{len(targets)} runs"
