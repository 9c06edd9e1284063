"""Something long, on a whole screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.worker import Worker

from durable_cli.tui.feed.threads import in_thread
from durable_cli.tui.lines import Line, Look, plain_text
from durable_cli.tui.screens.base import BrowserScreen
from durable_cli.tui.widgets.key_bar import KeyBar
from durable_cli.tui.widgets.line_view import LineView
from durable_cli.tui.widgets.top_bar import TopBar
from durable_cli.tui.widgets.trouble_note import TroubleNote

__all__ = ["ReaderScreen"]


class ReaderScreen(BrowserScreen):
    """Shows lines; `make_lines` may take a while, and is called in a thread."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,v", "app.pop_screen", "Back"),
        Binding("y", "copy", "Copy all"),
    ]
    DEFAULT_CSS = "ReaderScreen LineView { margin: 1 1 0 1; }"

    def __init__(self, title: str, make_lines: Callable[[], Sequence[Line]]) -> None:
        super().__init__()
        self._title = title
        self._make_lines = make_lines

    def compose(self) -> ComposeResult:
        yield TopBar(self._title)
        yield TroubleNote(id="trouble")
        yield LineView()
        yield KeyBar()

    def on_mount(self) -> None:
        if self.is_left:
            return
        view = self.query_one(LineView)
        view.focus()
        view.set_lines([Line("reading …", Look.QUIET)])
        _: Worker[None] = self.run_worker(partial(self._load, view))

    async def _load(self, view: LineView) -> None:
        lines = await in_thread(self._make_lines)
        if self.is_attached and not self.is_left:
            view.set_lines(lines)

    def action_copy(self) -> None:
        """Copy all of it."""
        text = plain_text(self.query_one(LineView).lines)
        self.app.copy_to_clipboard(text)
        self.notify(f"copied {len(text):,} characters")
