"""What can be done about a mismatch, from the screens that show one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from durable_cli.errors import CliError
from durable_cli.tui.screens.base import BrowserScreen

if TYPE_CHECKING:
    from durable_cli.tui.attachment import Attachment
    from durable_cli.tui.dev.rows import Member

__all__ = ["MEANINGS", "DevActionsScreen"]

MEANINGS = {
    "keep": "keep the old worker, and go on editing",
    "reload": "serve the new code all the same",
    "reset": "let the runs go back before the difference, and serve the new code",
    "terminate": "terminate the runs, and serve the new code",
}


class DevActionsScreen(BrowserScreen):
    """A screen that shows what `dx dev` does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("A", "change_answer", "Answer"),
        Binding("W", "wrap", "Wrap the change"),
    ]

    def shows_dev(self, source: str) -> bool:
        return True

    @property
    def attachment(self) -> Attachment | None:
        """The `dx dev` of the project here, once it was looked for and there is one."""
        return self.browser.attachment

    @property
    def asking(self) -> Member | None:
        """The worker that waits for an answer."""
        return self.attachment.book.asking if self.attachment is not None else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer an answer only to a question, and advice only about a mismatch."""
        if action == "change_answer" and self.asking is None:
            return False
        if action == "wrap" and not (self.attachment and any(_can_wrap(run) for _, run in self.attachment.book.broken)):
            return False
        return super().check_action(action, parameters)

    @work
    async def action_change_answer(self) -> None:
        """Answer what dx dev asks about runs that do not repeat their history."""
        from durable_cli.tui.dialogs.confirm import ConfirmDialog
        from durable_cli.tui.dialogs.pick import PickDialog
        from durable_cli.tui.feed.dev import answer_question

        member, attachment = self.asking, self.attachment
        if member is None or attachment is None:
            return
        question, is_open = member.question, any(run.open for run in member.broken)
        options = [(choice, f"{choice}: {MEANINGS.get(choice, '')}") for choice in member.choices]
        verdict = await self.app.push_screen_wait(PickDialog(f"{member.name} waits for you", options))
        if verdict is None:
            return
        if verdict != "keep" and is_open:
            detail = f"It will {MEANINGS[verdict]}."
            if not await self.app.push_screen_wait(ConfirmDialog(f"{verdict}: sure?", detail, verb=verdict.title())):
                return
        if self.asking is None or self.asking.question != question:
            self.notify("it was answered meanwhile", severity="warning")
            return
        try:
            self.notify(answer_question(attachment.journal, question, verdict))
        except CliError as error:
            self.notify(error.hint, title=error.message, severity="error")

    async def action_wrap(self) -> None:
        """Show how to wrap the change, so that old runs repeat their history."""
        from durable_cli.dev.host_events import Mismatch
        from durable_cli.dev.patched import explain_patched
        from durable_cli.tui.lines import Line
        from durable_cli.tui.screens.reader import ReaderScreen

        assert self.attachment is not None
        found = next((run for _, run in self.attachment.book.broken if isinstance(run, Mismatch)), None)
        if found is not None:
            lines = [Line(text) for text in explain_patched(found).splitlines()]
            await self.app.push_screen(ReaderScreen("wrap the change", lambda: lines))


def _can_wrap(run: object) -> bool:
    from durable_cli.dev.host_events import Mismatch

    return isinstance(run, Mismatch)
