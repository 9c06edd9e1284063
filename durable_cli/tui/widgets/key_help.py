"""What the keys do here, all of them, beside the screen."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from durable_cli.tui.key_groups import find_key_groups

__all__ = ["KeyHelp"]


class KeyHelp(VerticalScroll, can_focus=False):
    """The keys in groups, the nearest first; it follows the focus."""

    DEFAULT_CSS = """
    KeyHelp {
        split: right;
        width: 44;
        max-width: 50%;
        height: 100%;
        padding: 0 1;
        border-left: solid $line;
        background: $background;
        scrollbar-size-vertical: 1;
    }
    KeyHelp Static { height: auto; }
    """

    def compose(self) -> ComposeResult:
        yield Static()

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._show)
        self.app.theme_changed_signal.subscribe(self, lambda _: self._show(self.screen))
        self._show(self.screen)

    def on_unmount(self) -> None:
        self.app.theme_changed_signal.unsubscribe(self)

    def _show(self, screen: Screen[object]) -> None:
        colors = self.app.theme_variables
        table = Table.grid(padding=(0, 2))
        table.add_column(justify="right", style=colors["accent"], no_wrap=True)
        table.add_column()
        for number, group in enumerate(find_key_groups(screen)):
            if number:
                table.add_row("", "")
            table.add_row("", Text(group.title, f"bold {colors['quiet']}"))
            for line in group.lines:
                table.add_row(line.keys, Text(line.description))
        self.query_one(Static).update(table)
