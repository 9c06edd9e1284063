"""The names of a screen's views in one line, each with its key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

__all__ = ["Tab", "TabStrip"]


class Tab(NamedTuple):
    """A view: its name, its key, its title, and a shorter one for narrow terminals."""

    name: str
    key: str
    title: str
    short_title: str


class TabStrip(Widget):
    """Shows which view is open; a click opens another one."""

    DEFAULT_CSS = "TabStrip { height: 1; margin: 1 0 0 0; padding: 0 1; }"

    @dataclass
    class Chosen(Message):
        """A tab was clicked."""

        name: str

    def __init__(self, tabs: Sequence[Tab]) -> None:
        super().__init__()
        self._tabs = tabs
        self._places: list[tuple[int, int, str]] = []
        self.active = tabs[0].name
        self.badges: dict[str, str] = {}
        """A word behind a title, by the tab's name."""

    def show(self, active: str) -> None:
        """Mark another tab as open."""
        self.active = active
        self.refresh()

    def set_badge(self, name: str, badge: str) -> None:
        """Write a word behind a title; an empty one takes it away."""
        if self.badges.get(name, "") != badge:
            self.badges[name] = badge
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        line = self._draw([tab.title for tab in self._tabs], "   ")
        if line.cell_len > width:
            line = self._draw([tab.short_title for tab in self._tabs], " ")
        if line.cell_len > width:
            line = self._draw([tab.short_title if tab.name == self.active else "" for tab in self._tabs], " ")
        segments = list(Segment.apply_style(line.render(self.app.console), self.rich_style))
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _draw(self, titles: Sequence[str], gap: str) -> Text:
        colors = self.app.theme_variables
        line = Text(end="")
        self._places = []
        for tab, title in zip(self._tabs, titles, strict=True):
            if line:
                line.append(gap)
            start = line.cell_len
            is_active = tab.name == self.active
            line.append(tab.key, style=colors["accent"])
            style = f"bold {colors['accent']} underline" if is_active else colors["foreground"]
            if title:
                line.append(" ").append(title, style=style)
            if title and self.badges.get(tab.name):
                line.append(f" {self.badges[tab.name]}", style=colors["warning"])
            self._places.append((start, line.cell_len, tab.name))
        return line

    def on_click(self, event: events.Click) -> None:
        x = event.x - 1
        for start, end, name in self._places:
            if start <= x < end:
                self.post_message(self.Chosen(name))
