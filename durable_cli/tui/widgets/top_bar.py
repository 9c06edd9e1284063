"""The first line of every screen: where we are, and whether the server answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.table import Table
from rich.text import Text
from textual.widgets import Static

from durable_cli.tui.messages import Connection

if TYPE_CHECKING:
    from durable_cli.tui.app import BrowserApp

__all__ = ["TopBar"]

SIGNS = {
    Connection.CONNECTING: ("◌", "quiet"),
    Connection.CONNECTED: ("●", "success"),
    Connection.LOST: ("○", "warning"),
}


class TopBar(Static):
    """`dx / namespace / place`, and the server's address with a sign."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self._place = place

    def on_mount(self) -> None:
        self.update_bar()

    def update_bar(self, place: str | None = None) -> None:
        """Draw it again, with another place where one is given."""
        if place is not None:
            self._place = place
        app = cast("BrowserApp", self.app)
        colors = app.theme_variables
        sign, variable = SIGNS[app.connection]
        words = [word for word in (app.link.namespace, self._place) if word]
        left = Text.assemble(("dx", f"bold {colors['accent']}"), *((f" / {word}", "") for word in words))
        right = Text.assemble((app.link.address, colors["quiet"]), " ", (sign, colors[variable]))
        grid = Table.grid(expand=True)
        grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        grid.add_column(no_wrap=True, justify="right")
        grid.add_row(left, right)
        self.update(grid)
