"""Wait for an answer that may take long, and read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from durable_cli.errors import CliError
from durable_cli.tui.lines import Line, plain_text
from durable_cli.tui.rows import Ending
from durable_cli.tui.widgets.dialog_title import DialogTitle
from durable_cli.tui.widgets.line_view import LineView

__all__ = ["AnswerDialog", "Wait"]


Wait = Callable[[Callable[[str], None]], Awaitable[Ending]]
"""Waits for the answer, and tells how it stands until then."""

MOST_LINES = 12
USUAL_WIDTH = 64


class AnswerDialog(ModalScreen[str]):
    """Says how it stands, then what came of it; who leaves it before that does not wait any longer.

    Answers with why nothing has happened, when that is so.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "leave", "Leave"),
        Binding("v", "show_whole", "Show all of it"),
        Binding("y", "copy", "Copy it"),
    ]
    DEFAULT_CSS = """
    AnswerDialog LineView { display: none; margin: 1 0 0 0; }
    """

    def __init__(self, title: str, wait: Wait, *, leaving: str = "") -> None:
        """Wait; `leaving` says what it means to leave before there is an answer."""
        super().__init__()
        self._leaving = leaving
        self._title = title
        self._wait = wait
        self._outcome = Ending("")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield DialogTitle(self._title)
            yield Static(id="standing")
            yield LineView()
            yield Static(self._leaving, id="foot", classes="quiet dialog-foot", markup=False)
            with Horizontal(classes="dialog-buttons"):
                yield Button("Close (esc)", id="leave", compact=True)

    def on_mount(self) -> None:
        self.query_one("#foot").display = bool(self._leaving)
        self.run_worker(self._wait_and_show())

    def _say(self, words: str, variable: str = "quiet") -> None:
        self.query_one("#standing", Static).update(Content.styled(words, f"${variable}"))

    async def _wait_and_show(self) -> None:
        try:
            outcome = await self._wait(self._say)
        except CliError as error:
            outcome = Ending(error.message, refusal=f"{error.message}\n{error.hint or ''}".strip())
        if outcome.refusal:
            self.dismiss(outcome.refusal)
            return
        self._outcome = outcome
        sign, variable = ("✗", "error") if outcome.is_trouble else ("✓", "success")
        self._say(f"{sign} {outcome.words}", variable)
        self._show(outcome.lines)
        can_be_read = bool(plain_text(outcome.whole_lines))
        self.query_one("#foot").display = can_be_read
        if can_be_read:
            self.query_one("#foot", Static).update("v shows all of it, y copies it")

    def _show(self, lines: Sequence[Line]) -> None:
        if lines:
            view = self.query_one(LineView)
            view.display = True
            view.styles.height = min(sum(1 + len(line.text) // USUAL_WIDTH for line in lines), MOST_LINES)
            view.set_lines(lines)
            view.focus()

    def on_button_pressed(self) -> None:
        self.dismiss()

    def action_leave(self) -> None:
        self.dismiss()

    def action_show_whole(self) -> None:
        """Show all that was cut."""
        self._show(self._outcome.whole_lines)

    def action_copy(self) -> None:
        """Copy what came of it."""
        text = plain_text(self._outcome.whole_lines)
        if text:
            self.app.copy_to_clipboard(text)
            self.notify(f"copied {len(text):,} characters")
