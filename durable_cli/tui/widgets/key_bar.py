"""What the keys do here, in one line at the foot of a screen.

Textual's own footer makes a widget of each key, anew whenever the focus moves: half of what showing another view cost.
"""

from __future__ import annotations

from typing import NamedTuple

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

__all__ = ["KeyBar"]

GAP = "  "
# What stands at the right end, whatever else has room, by its action.
ALWAYS = {"show_keys": "Keys", "command_palette": "Commands"}
# The first at the left: the way out, the way to what is wrong, and what can be done for a while, are never cut off.
FIRST = ("hide_keys", "back", "open_mismatch", "change_answer", "change_undo")


class _Key(NamedTuple):
    key: str
    display: str
    description: str


class KeyBar(Widget):
    """Shows the keys of the screen and of the widget with the focus, as many as have room; a click presses one."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyBar {
        dock: bottom;
        height: 1;
        padding: 0 1;
        background: $surface;
        pointer: pointer;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[list[_Key], list[_Key]] | None = None
        self._places: list[tuple[int, int, str]] = []
        """From which cell to which one, and the key."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._forget_keys)

    def _forget_keys(self, _: Screen[object]) -> None:
        self._keys = None
        self.refresh()

    def _find_keys(self) -> tuple[list[_Key], list[_Key]]:
        """Return the keys at the left and those that are always there."""
        by_action: dict[str, _Key] = {}
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            action = binding.action.removeprefix("app.")
            if enabled and (binding.show or action in ALWAYS):
                display = self.app.get_key_display(binding)
                description = ALWAYS.get(action, binding.description)
                by_action.setdefault(action, _Key(binding.key, display, description))
        always = [by_action.pop(action) for action in ALWAYS if action in by_action]
        first = [by_action.pop(action) for action in FIRST if action in by_action]
        return [*first, *by_action.values()], always

    def render_line(self, y: int) -> Strip:
        if self._keys is None:
            self._keys = self._find_keys()
        keys, always = self._keys
        width = self.size.width
        free = width - sum(len(key.display) + 1 + len(key.description) + len(GAP) for key in always)
        line, self._places = Text(end="", no_wrap=True), []
        for key in keys:
            needed = len(key.display) + 1 + len(key.description)
            if line.cell_len + needed > free:
                break
            self._append(line, key)
        line.append(" " * max(0, free - line.cell_len + len(GAP)))
        for key in always:
            self._append(line, key)
        segments = list(Segment.apply_style(line.render(self.app.console), self.rich_style))
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _append(self, line: Text, key: _Key) -> None:
        colors = self.app.theme_variables
        start = line.cell_len
        line.append(key.display, style=f"bold {colors['accent']}")
        line.append(" ").append(key.description, style=colors["quiet"])
        self._places.append((start, line.cell_len, key.key))
        line.append(GAP)

    def on_click(self, event: events.Click) -> None:
        x = event.x - self.styles.padding.left
        for start, end, key in self._places:
            if start <= x < end:
                self.app.simulate_key(key)
