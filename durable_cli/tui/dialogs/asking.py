"""Hold back keys while the server is asked for what a dialog needs: typed ahead, they must not be taken for actions."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar, TypeVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

__all__ = ["hold_keys"]

Answer = TypeVar("Answer")
SILENT_SECONDS = 0.4
"""What comes sooner needs no word."""


class _AskingDialog(ModalScreen[None]):
    """Takes every key and drops it; says what it waits for once that takes long."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = """
    _AskingDialog { background: transparent; }
    _AskingDialog .dialog { display: none; }
    _AskingDialog.-long .dialog { display: block; }
    """

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("asking the server …", classes="quiet")

    def on_mount(self) -> None:
        self.set_timer(SILENT_SECONDS, lambda: self.add_class("-long"))

    def on_key(self, event: events.Key) -> None:
        event.stop()


async def hold_keys(app: App[None], answer: Awaitable[Answer]) -> Answer:
    """Return an answer; what is typed until it is there does nothing."""
    dialog = _AskingDialog()
    app.push_screen(dialog)
    try:
        return await answer
    finally:
        while dialog in app.screen_stack:  # the palette may lie over it
            app.pop_screen()
