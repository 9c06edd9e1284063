"""What can be done to a run, from whatever screen has one under its cursor: asked, confirmed, done, said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from durable_cli.tui.dialogs.confirm import ConfirmDialog
from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.feed.actions import cancel_workflow, signal_workflow, terminate_workflow
from durable_cli.tui.one_run_actions import ARGUMENTS, OneRunActionsScreen

if TYPE_CHECKING:
    from durable_cli.tui.batch_order import ManyRuns
    from durable_cli.tui.feed.link import Link

__all__ = ["RunActionsScreen", "name_targets"]


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

    async def do_to_all(
        self, targets: Sequence[tuple[str, str]], action: Callable[[Link, str, str], Awaitable[str]]
    ) -> bool:
        """Do something to each of several runs, a few at a time, and say how many it was done to.

        Returns whether there is nothing to ask again: with several runs, who was refused stays marked.
        """
        if len(targets) == 1:
            return await self.do(lambda link: action(link, *targets[0]))
        from durable_cli.tui.batch_actions import act_on_all

        await act_on_all(self, f"To {len(targets):,} runs", targets, action, "done to")
        return True

    def show_progress(self, progress: ManyRuns) -> None:
        """Take note of what was done to many runs, and what was not."""

    @work
    async def action_change_signal(self) -> None:
        """Send a signal."""
        targets = self.target_runs()
        if not targets:
            return
        target = self.target_run()
        is_one = target is not None and targets == [target[:2]]
        fields = (
            Field("name", "signal", required=True, suggestions=self.seen_names("signals") if is_one else ()),
            Field("arguments", ARGUMENTS, is_arguments=True),
        )
        dialog = FormDialog(f"Signal {name_targets(targets)}", fields, verb="Send")
        values: dict[str, str] | None = None

        async def signal(link: Link, workflow_id: str, run_id: str) -> str:
            assert values is not None
            return await signal_workflow(link, workflow_id, run_id, values["name"], values["arguments"])

        while True:
            if is_one and target is not None:
                values = await self.ask_with_names(dialog, target, "signals")
            else:
                values = await self.app.push_screen_wait(dialog)
            if not values or await self.do_to_all(targets, signal):
                return
            dialog = dialog.filled_with(values)  # what was typed is not lost when it can't be sent

    @work
    async def action_change_cancel(self) -> None:
        """Ask the run to cancel."""
        targets = self.target_runs()
        if not targets:
            return
        target = self.target_run()
        if target is not None and targets == [target[:2]] and target.is_over:
            # A server says nothing of a cancel that comes too late.
            self.notify(f"{target.workflow_id} is over: there is nothing to cancel", severity="warning")
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
        title = f"Terminate {name_targets(targets)}: the code gets no chance to clean up"
        values = await self.app.push_screen_wait(FormDialog(title, (Field("reason", "reason"),), verb="Terminate"))
        if values is not None:
            reason = values["reason"] or "from dx tui"
            await self.do_to_all(
                targets, lambda link, workflow_id, run_id: terminate_workflow(link, workflow_id, run_id, reason)
            )


def name_targets(targets: Sequence[tuple[str, str]]) -> str:
    """Say what is acted on: its workflow id, or how many there are."""
    return targets[0][0] if len(targets) == 1 else f"{len(targets)} runs"
