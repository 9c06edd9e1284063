"""The `dx dev` of the project works with a server that is not the one that is browsed: nothing pretends otherwise."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from durable_cli.dev import events
from durable_cli.dev.host_events import Checked
from durable_cli.dev.journal import event_name
from durable_cli.tui.dev.rows import DevEvent
from durable_cli.tui.messages import Connection
from durable_cli.tui.place_messages import JournalRead
from durable_cli.tui.screens.dev import DevScreen
from durable_cli.tui.screens.dev_mismatch import MismatchScreen
from durable_cli.tui.screens.reader import ReaderScreen
from durable_cli.tui.times import set_server_clock
from tests.tui.conftest import screen_text
from tests.tui.scenes import NOW_NS, Scene, Still, playing
from tests.tui.scenes.dev import MISMATCH, attach

OTHER = "us-east-1.tmprl.cloud:7233"
BROKEN = Checked(4, 2, 1, 0.06, [MISMATCH], [])
WORDS = f"its runs are at localhost:7233; you browse {OTHER}"
HELD = events.Held(old_goes_on=True, is_asked=False)


async def tell(still: Still, *told: Any) -> None:
    """Let dx write this into its journal."""
    read = [DevEvent(NOW_NS, "orders", event_name(each), asdict(each)) for each in told]
    still.app.post_message(JournalRead(read, True))
    await still.settle()


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
            assert WORDS in screen_text(still.app)
            await still.press("escape")
    assert MismatchScreen not in map(type, still.app.screen_stack)


async def test_nothing_is_elsewhere_before_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("dev", attach, options={"address": ""}), (120, 40), "", monkeypatch) as still:
        await still.press("1")
        await tell(still, events.Changed(["workflows.py"]), BROKEN)
        said = screen_text(still.app)
        assert "orders: order-417 does not repeat" in said
        assert "M opens it" in said
        await still.press("9")
        await still.settle()
        assert "you browse" not in screen_text(still.app)
        assert isinstance(still.app.screen, DevScreen), "nor is it known that the run is there"
        still.app.link.address = "localhost:7233"
        await still.connect(Connection.CONNECTED)
        await still.until(lambda: isinstance(still.app.screen, MismatchScreen))


async def test_that_it_is_elsewhere_is_said_once_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("dev", attach, options={"address": ""}), (120, 40), "", monkeypatch) as still:
        still.app.link.address = OTHER
        await still.connect(Connection.CONNECTED)
        await still.settle()
        assert f"▲ {WORDS}" in screen_text(still.app)


async def test_a_dx_that_has_ended_is_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("dev", attach, options={"address": OTHER}), (120, 40), "", monkeypatch) as still:
        still.app.post_message(JournalRead([], False))
        await still.settle()
        assert "has ended" in screen_text(still.app)
        assert "you browse" not in screen_text(still.app)


async def test_an_older_reload_opens_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("dev", attach, options={"address": OTHER}), (120, 40), "", monkeypatch) as still:
        for file in ("older.py", "newer.py"):
            await tell(still, events.Changed([file]), BROKEN, HELD)
        await still.press("down", "enter")
        await still.settle()
        assert isinstance(still.app.screen, ReaderScreen)
        assert "older.py" in screen_text(still.app)


async def test_what_is_told_elsewhere_names_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("dev", attach, options={"address": OTHER}), (120, 40), "", monkeypatch) as still:
        await still.press("1")
        await tell(still, events.Changed(["workflows.py"]), BROKEN)
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
