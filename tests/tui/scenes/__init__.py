"""Scenes: what a screen shows when it is told this and those keys are pressed, without a server and at a fixed time.

A scene is the real browser with its real screens. The feed is silent: what it would tell is told by the scene, as the
same messages. What screens ask for on their own (queries, related runs) is answered by `still.answer`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from durable_cli.options import ConnectionOptions, GlobalOptions
from durable_cli.tui.app import BrowserApp
from durable_cli.tui.feed.link import Link
from durable_cli.tui.messages import Connection, ConnectionChanged, Trouble
from durable_cli.tui.screenshot import Run, iterate_runs
from tests.tui.histories import SECOND_NS, START_NS

__all__ = ["NOW_NS", "SCENES", "Scene", "Still", "ago", "playing", "scene"]

NOW_NS = START_NS + 95 * SECOND_NS
SMALL, LARGE = (80, 24), (140, 45)
PAIR = ("dx-dark", "dx-light")
MONOTONIC_S = 10_000.0
SETTLED_LOOKS = 40
PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Scene:
    """How a screen comes to look as it shall be looked at, and in which sizes and themes."""

    name: str
    play: Callable[[Still], Awaitable[None]]
    sizes: tuple[tuple[int, int], ...] = (SMALL, LARGE)
    themes: tuple[str, ...] = PAIR
    options: dict[str, Any] = field(default_factory=dict)


SCENES: dict[str, list[Scene]] = {}
"""By the module that has them."""


def scene(
    *, sizes: tuple[tuple[int, int], ...] = (SMALL, LARGE), themes: tuple[str, ...] = PAIR, **options: Any
) -> Callable[[Callable[[Still], Awaitable[None]]], Callable[[Still], Awaitable[None]]]:
    """Add a scene by the name of its function; further options are the browser's."""

    def add(play: Callable[[Still], Awaitable[None]]) -> Callable[[Still], Awaitable[None]]:
        made = Scene(play.__name__.replace("_", "-"), play, sizes, themes, options)
        SCENES.setdefault(play.__module__, []).append(made)
        return play

    return add


def ago(**span: float) -> int:
    """Return the time that was so long ago: `ago(minutes=3)`."""
    sizes = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
    return NOW_NS - round(sum(count * sizes[unit] for unit, count in span.items()) * SECOND_NS)


class Still:
    """The browser, while a scene is played."""

    def __init__(self, app: BrowserApp, pilot: Pilot[None], monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.pilot = pilot
        self._monkeypatch = monkeypatch

    async def tell(self, *messages: Message) -> None:
        """Tell the screen what the feed would tell."""
        for message in messages:
            self.app.screen.post_message(message)
        await self.pilot.pause()

    async def connect(self, connection: Connection, trouble: Trouble | None = None) -> None:
        """Tell whether the server answers."""
        self.app.post_message(ConnectionChanged(self.app.link, connection, trouble))
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def answer(self, module: str, **answers: Any) -> None:
        """Let functions of the feed answer at once, by their names in the module that calls them."""
        for name, value in answers.items():

            async def answered(*_: object, value: Any = value) -> Any:
                return value

            self._monkeypatch.setattr(f"durable_cli.tui.{module}.{name}", answered)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what is done in a thread."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                await self.pilot.pause(0.01)

    async def settle(self) -> None:
        """Wait until nothing changes any more; a cursor that blinks is seen."""
        for widget in self.app.screen.query("*"):
            if isinstance(widget, Input | TextArea):
                widget.cursor_blink = False
        seen: list[Run] = []
        for _ in range(SETTLED_LOOKS):
            await self.pilot.pause()
            shown = list(iterate_runs(self.app))
            if shown == seen:
                return
            seen = shown
        raise AssertionError("the screen never comes to rest")


@asynccontextmanager
async def playing(
    played: Scene, size: tuple[int, int], theme: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Still]:
    """The browser as a scene leaves it."""

    async def stay_silent(link: Link) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Link, "keep_connected", stay_silent)
    monkeypatch.setattr(Link, "is_connected", property(lambda link: True))
    monkeypatch.setattr("durable_cli.tui.times.time", SimpleNamespace(time_ns=lambda: NOW_NS))
    monkeypatch.setattr("durable_cli.tui.screens.server.time", SimpleNamespace(monotonic=lambda: MONOTONIC_S))
    options = {"namespace": "default", "address": "localhost:7233", **played.options}
    connection = ConnectionOptions(address=options.pop("address"), namespace=options.pop("namespace"))
    app = BrowserApp(GlobalOptions(disable_config_env=True), connection, **options)
    app.animation_level = "none"
    if theme:
        app.theme = theme
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        still = Still(app, pilot, monkeypatch)
        await still.connect(Connection.CONNECTED)
        await played.play(still)
        await still.settle()
        yield still
