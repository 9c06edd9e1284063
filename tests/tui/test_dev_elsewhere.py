"""The `dx dev` of the project works with a server that is not the one that is browsed: nothing pretends otherwise."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from durable_cli.dev import events
from durable_cli.dev.host_events import Checked
from durable_cli.dev.journal import event_name
from durable_cli.tui.dev.rows import DevEvent
from durable_cli.tui.place_messages import JournalRead
from durable_cli.tui.screens.dev import DevScreen
from durable_cli.tui.screens.dev_mismatch import MismatchScreen
from durable_cli.tui.screens.reader import ReaderScreen
from durable_cli.tui.times import set_server_clock
from tests.tui.conftest import screen_text
from tests.tui.scenes import NOW_NS, Scene, playing
from tests.tui.scenes.dev import MISMATCH, attach

OTHER = "us-east-1.tmprl.cloud:7233"
BROKEN = Checked(4, 2, 1, 0.06, [MISMATCH], [])
WORDS = f"at localhost:7233; you browse {OTHER}"


async def test_the_place_says_which_server_it_is_of(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("dev", attach, options={"address": OTHER}), (120, 40), "", monkeypatch) as still:
        assert f"▲ {WORDS} (@ changes that)" in screen_text(still.app)


@pytest.mark.parametrize("address", ["localhost:7233", "127.0.0.1:7233", "[::1]:7233"])
async def test_the_server_that_is_browsed_is_no_other(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("dev", attach, options={"address": address}), (120, 40), "", monkeypatch) as still:
        assert "you browse" not in screen_text(still.app)


async def test_a_run_of_the_same_name_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("dev", attach, options={"address": OTHER}), (120, 40), "", monkeypatch) as still:
        await attach(still, BROKEN)
        await still.settle()
        assert isinstance(still.app.screen, DevScreen), "nothing opens by itself"
        for key in ("enter", "M"):
            await still.press(key)
            await still.settle()
            assert isinstance(still.app.screen, ReaderScreen)
            assert f"its runs are {WORDS}" in screen_text(still.app)
            await still.press("escape")
    assert MismatchScreen not in map(type, still.app.screen_stack)


async def test_what_is_told_elsewhere_names_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("dev", attach, options={"address": OTHER}), (120, 40), "", monkeypatch) as still:
        await still.press("1")
        told = [events.Changed(["workflows.py"]), BROKEN]
        read = [DevEvent(NOW_NS, "orders", event_name(each), asdict(each)) for each in told]
        still.app.post_message(JournalRead(read, True))
        await still.settle()
        words = " ".join(screen_text(still.app).replace("█", " ").split())
        assert "orders at localhost:7233:" in words
        assert "M says more" in words


async def test_its_times_are_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("dev", attach), (120, 40), "", monkeypatch) as still:
        before = screen_text(still.app)
        set_server_clock(3 * 86_400 * 1_000_000_000)
        screen = still.app.screen
        assert isinstance(screen, DevScreen)
        screen.on_resize()
        await still.settle()
        assert screen_text(still.app) == before
