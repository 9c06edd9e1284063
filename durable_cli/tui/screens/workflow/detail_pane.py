"""What is under the cursor, beside the list where there is room, else below it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from durable_cli.tui.lines import Line
from durable_cli.tui.widgets.line_view import LineView

__all__ = ["DetailPane"]

BESIDE_WIDTH = 120


class DetailPane(Vertical):
    """A pane that is opened and closed."""

    DEFAULT_CSS = """
    DetailPane {
        display: none;
        height: 50%;
        border-top: solid $line;
        padding: 0 1;
    }
    DetailPane.-shown { display: block; }
    DetailPane.-beside {
        height: 1fr;
        width: 50%;
        border-top: none;
        border-left: solid $line;
        margin: 1 0 0 0;
    }
    """

    def compose(self) -> ComposeResult:
        yield LineView()

    @property
    def is_open(self) -> bool:
        """Whether it is seen."""
        return self.has_class("-shown")

    @property
    def lines(self) -> Sequence[Line]:
        """What it shows."""
        return self.query_one(LineView).lines

    def place(self, width: int) -> bool:
        """Choose the place by the width that there is; return whether it is beside."""
        self.set_class(width >= BESIDE_WIDTH, "-beside")
        return width >= BESIDE_WIDTH

    def toggle(self) -> bool:
        """Open or close it; return whether it is open now."""
        self.toggle_class("-shown")
        return self.is_open

    def show_lines(self, lines: Sequence[Line], *, keep_place: bool = False) -> None:
        """Show lines."""
        self.query_one(LineView).set_lines(lines, keep_place=keep_place)
