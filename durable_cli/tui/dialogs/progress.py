"""Follow what is done to many runs, stop it, and read whom it was not done to."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from durable_cli.tui.batch_order import ManyRuns
from durable_cli.tui.lines import Line, Look, plain_text
from durable_cli.tui.plots import progress_bar
from durable_cli.tui.widgets.dialog_title import DialogTitle
from durable_cli.tui.widgets.line_view import LineView

__all__ = ["ProgressDialog"]

PAINT_SECONDS = 0.1
BAR_WIDTH = 40
MOST_LINES = 12


class ProgressDialog(ModalScreen[None]):
    """Shows how far it is, and in the end whom it was not done to; escape stops it, then leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Stop or close"),
        Binding("y", "copy", "Copy who was refused"),
    ]
    DEFAULT_CSS = """
    ProgressDialog LineView { display: none; margin: 1 0 0 0; }
    """

    def __init__(self, title: str, progress: ManyRuns, working: asyncio.Future[None]) -> None:
        super().__init__()
        self._title = title
        self._progress = progress
        self._working = working
        self._shown = 0

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield DialogTitle(self._title)
            yield Static(id="progress")
            yield LineView()
            with Horizontal(classes="dialog-buttons"):
                yield Button("Stop (esc)", id="leave", compact=True)

    def on_mount(self) -> None:
        self._ticks = self.set_interval(PAINT_SECONDS, self._show)
        self._show()

    def _show(self) -> None:
        progress, colors, is_over = self._progress, self.app.theme_variables, self._working.done()
        processed = progress.total - progress.left
        done, rest = progress_bar(processed, progress.total, BAR_WIDTH)
        text = Text.assemble((done, colors["accent"]), (rest, colors["line"]), f" {processed:,}/{progress.total:,}\n")
        text.append(f"✓ {progress.done:,} done", style=colors["success"])
        if progress.refusals:
            text.append(f"   ✗ {len(progress.refusals):,} refused", style=colors["error"])
        if progress.left:
            text.append(f"   {progress.left:,} left", style=colors["quiet"])
        if progress.stopped:
            text.append(f"\n{progress.stopped}", style=colors["warning"])
        elif is_over and progress.refusals:
            text.append("\nwho was refused stays marked; y copies their names", style=colors["quiet"])
        self.query_one("#progress", Static).update(text)
        if len(progress.refusals) != self._shown:
            self._shown = len(progress.refusals)
            self._show_refusals()
        if is_over:
            self._ticks.stop()
            button = self.query_one("#leave", Button)
            button.label = "Close (esc)"
            button.refresh(layout=True)  # it is longer than before
            if not progress.refusals and not progress.left:
                self.dismiss()

    def _show_refusals(self) -> None:
        lines: list[Line] = []
        for refusal in self._progress.refusals:
            lines += (Line(f"✗ {refusal.workflow_id}", Look.ERROR), Line(f"  {refusal.message}", Look.QUIET))
        view = self.query_one(LineView)
        view.display = True
        view.styles.height = min(len(lines), MOST_LINES)
        view.set_lines(lines, keep_place=True)

    def action_leave(self) -> None:
        """Stop it; once it is over, go back."""
        if self._working.done():
            self.dismiss()
        else:
            self._progress.stopped = self._progress.stopped or "stopped: what was done stays done"

    def action_copy(self) -> None:
        """Copy whom it was not done to, and why."""
        lines = self.query_one(LineView).lines
        if lines:
            self.app.copy_to_clipboard(plain_text(lines))
            self.notify(f"copied {self._shown:,} names")

    def on_button_pressed(self) -> None:
        self.action_leave()
