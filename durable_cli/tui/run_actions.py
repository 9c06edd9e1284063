"""What can be done to a run, from whatever screen has one under its cursor: asked, confirmed, done, said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from durable_cli.errors import CliError
from durable_cli.tui.dialogs.confirm import ConfirmDialog
from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.feed.actions import cancel_workflow, signal_workflow, terminate_workflow
from durable_cli.tui.screens.base import BrowserScreen

if TYPE_CHECKING:
    from durable_cli.tui.feed.link import Link

__all__ = ["RunActionsScreen"]


class RunActionsScreen(BrowserScreen):
    """A screen with a run to act on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "change_signal", "Signal"),
        Binding("c", "change_cancel", "Cancel"),
        Binding("t", "change_terminate", "Terminate"),
    ]

    def target_run(self) -> tuple[str, str] | None:
        """Return the workflow id and the run id to act on; None when there is none."""
        return None

    async def do(self, action: Callable[[Link], Awaitable[str]]) -> None:
        """Do something to the server, and say what was done or why not."""
        try:
            self.notify(await action(self.browser.link), timeout=4)
        except CliError as error:
            self.notify(error.hint or "", title=error.message, severity="error", timeout=8)

    @work
    async def action_change_signal(self) -> None:
        """Send a signal."""
        target = self.target_run()
        if target is None:
            return
        fields = (Field("name", "signal", required=True), Field("arguments", "argument (JSON, or empty)", is_json=True))
        values = await self.app.push_screen_wait(FormDialog(f"Signal {target[0]}", fields, verb="Send"))
        if values:
            await self.do(lambda link: signal_workflow(link, *target, values["name"], values["arguments"]))

    @work
    async def action_change_cancel(self) -> None:
        """Ask the run to cancel."""
        target = self.target_run()
        if target is None:
            return
        dialog = ConfirmDialog(f"Cancel {target[0]}?", "Its code is asked to clean up and end.", verb="Cancel it")
        if await self.app.push_screen_wait(dialog):
            await self.do(lambda link: cancel_workflow(link, *target))

    @work
    async def action_change_terminate(self) -> None:
        """End the run at once."""
        target = self.target_run()
        if target is None:
            return
        dialog = FormDialog(
            f"Terminate {target[0]}: its code gets no chance to clean up",
            (Field("reason", "reason"),),
            verb="Terminate",
        )
        values = await self.app.push_screen_wait(dialog)
        if values is not None:
            await self.do(lambda link: terminate_workflow(link, *target, values["reason"] or "from dx tui"))
