"""The first line of every screen: where we are, where one can go, and whether the server answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from durable_cli.tui.messages import Connection
from durable_cli.tui.places import PLACES, Place, find_place

if TYPE_CHECKING:
    from durable_cli.tui.app import BrowserApp
    from durable_cli.tui.screens.base import BrowserScreen

__all__ = ["BarPart", "TopBar", "lay_out_bar"]

SIGNS = {
    Connection.CONNECTING: ("◌", "quiet"),
    Connection.CONNECTED: ("●", "success"),
    Connection.SLOW: ("◌", "warning"),
    Connection.LOST: ("○", "warning"),
}
GAP = 3
USUAL_SERVER_PARTS = 2
"""Its address, and whether it answers."""


class BarPart(NamedTuple):
    """A piece of the bar: its text, the colour's name, and the action of a click on it."""

    text: str
    variable: str = "foreground"
    action: str = ""
    is_bold: bool = False


class TopBar(Widget):
    """`dx / namespace / place / detail`, the places where there is room for them, and the server."""

    DEFAULT_CSS = "TopBar { height: 1; dock: top; }"

    def __init__(self, detail: str = "") -> None:
        super().__init__()
        self._detail = detail
        self._parts: Sequence[BarPart] = ()

    def update_bar(self) -> None:
        """Draw it again."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        app = cast("BrowserApp", self.app)
        sign, variable = SIGNS[app.connection]
        here = find_place(app.current_mode)
        self._parts = lay_out_bar(
            self.size.width,
            namespace=app.link.namespace,
            place=here,
            detail=self._detail,
            has_keys=cast("BrowserScreen", self.screen).HAS_PLACE_KEYS,
            server=self._server_parts(app, BarPart(sign, variable)),
            places=[each for each in PLACES if app.offers_place(each, here)],
        )
        colors = app.theme_variables
        line = Text(end="", no_wrap=True)
        for part in self._parts:
            line.append(part.text, Style(color=colors[part.variable], bold=part.is_bold or None))
        segments = list(Segment.apply_style(line.render(app.console), self.rich_style))
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _server_parts(self, app: BrowserApp, sign: BarPart) -> Sequence[BarPart]:
        """Return profile, address, clock and connection, those first that are left out where there is no room."""
        parts = [BarPart(f"{app.link.address} ", "quiet", find_place("server").action)]
        if app.link.profile:
            parts.append(BarPart(f"{app.link.profile} ", "foreground", "app.choose_profile"))
        if app.clock is not None and app.clock.badge:
            parts.append(BarPart(f"{app.clock.badge} ", "warning", "screen.change_time"))
        if app.skip is not None:
            parts.append(BarPart("» skips ", "warning", "screen.change_time"))
        if app.is_read_only:
            parts.append(BarPart("read only ", "quiet"))
        return (*parts, sign)

    async def on_click(self, event: events.Click) -> None:
        """Do what the piece under the mouse stands for."""
        start = self.styles.padding.left
        for part in self._parts:
            end = start + cell_len(part.text)
            if start <= event.x < end and part.action:
                await self.run_action(part.action)
            start = end


def lay_out_bar(
    width: int,
    *,
    namespace: str,
    place: Place,
    detail: str,
    server: Sequence[BarPart],
    has_keys: bool,
    places: Sequence[Place] = PLACES,
) -> Sequence[BarPart]:
    """Say what stands in a bar of a width: all places, their keys, or the place's name alone.

    Args:
        server: what is said of it; the first of it is left out first.
    """
    home = [BarPart("dx", "accent", "app.command_palette", is_bold=True)]
    if namespace:
        home += [BarPart(" / "), BarPart(namespace, action="app.choose_namespace")]
    end = [BarPart(" / "), BarPart(detail)] if detail else []
    here = [BarPart(" / "), BarPart(place.title, action=place.action)]
    strip = [*_strip(places, place, has_keys=has_keys), BarPart(" " * GAP)]
    keys = [*_keys(places, place), BarPart(" " * GAP)]
    choices = [
        ([*home, *end], [*strip, *server]),
        ([*home, *end], [*strip, *server[1:]]),
        ([*home, *here, *end], [*keys, *server]),
        ([*home, *here, *end], [*keys, *server[1:]]),
        ([*home, *here, *end], list(server)),
        ([*home, *here, *end], list(server[1:])),
    ]
    if not has_keys:
        del choices[2:4]
    if len(server) > USUAL_SERVER_PARTS:
        # Not the usual server, or not the usual way to look at it: which one it is counts more than names of places.
        del choices[1]
    for left, right in choices:
        free = width - _length(left) - _length(right)
        if free >= GAP:
            return [*left, BarPart(" " * free), *right]
    sign = server[-1]
    cut = _shorten([*home, *here, *end], width - GAP - _length([sign]))
    return [*cut, BarPart(" " * (width - _length(cut) - _length([sign]))), sign]


def _keys(places: Sequence[Place], current: Place) -> list[BarPart]:
    return [
        BarPart(f" {place.key}", "accent" if place == current else "quiet", place.action, is_bold=place == current)
        for place in places
    ]


def _strip(places: Sequence[Place], current: Place, *, has_keys: bool) -> list[BarPart]:
    parts: list[BarPart] = []
    for place in places:
        is_current = place == current
        if parts:
            parts.append(BarPart("  "))
        if has_keys:
            parts.append(BarPart(f"{place.key} ", "accent" if is_current else "quiet", place.action))
        parts.append(BarPart(place.title, "accent" if is_current else "foreground", place.action, is_bold=is_current))
    return parts


def _shorten(parts: Sequence[BarPart], width: int) -> Sequence[BarPart]:
    """Cut the end of what is too long, which is what tells least."""
    shown: list[BarPart] = []
    for part in parts:
        if cell_len(part.text) > width:
            text = Text(part.text)
            text.truncate(max(width, 0), overflow="ellipsis")
            return [*shown, part._replace(text=text.plain)]
        width -= cell_len(part.text)
        shown.append(part)
    return shown


def _length(parts: Sequence[BarPart]) -> int:
    return sum(cell_len(part.text) for part in parts)
