"""Ask before something is done that can't be undone."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from durable_cli.tui.widgets.dialog_title import DialogTitle, shorten_names

__all__ = ["ConfirmDialog"]

NAME_CELLS = 120
"""What is acted on is said as whole as two lines allow."""


class ConfirmDialog(ModalScreen[bool]):
    """Says what will be done and to what; answers whether it shall be."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape", "answer(False)", "No"),
    ]

    def __init__(self, question: str, detail: str, *, verb: str) -> None:
        super().__init__()
        self._question = question
        self._detail = detail
        self._verb = verb

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield DialogTitle(self._question)
            yield Static(Text(shorten_names(self._detail, NAME_CELLS)), classes="quiet")
            with Horizontal(classes="dialog-buttons"):
                yield Button(f"{self._verb} (y)", id="yes", variant="error", compact=True)
                yield Button("No (n)", id="no", compact=True)

    def on_mount(self) -> None:
        self.query_one("#no").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)
