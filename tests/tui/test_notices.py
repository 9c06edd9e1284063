"""What is said in passing: how long, how much of it at once, and what takes it away."""

from __future__ import annotations

import pytest

from durable_cli.tui.notices import Severity, reading_seconds
from tests.tui.conftest import screen_text
from tests.tui.scenes import Scene, Still, playing
from tests.tui.scenes.workflows import list_runs


def lines_said(still: Still) -> list[str]:
    """Return what the notices say, each in its lines."""
    return [line.split("█")[1].strip() for line in screen_text(still.app).splitlines() if "█" in line]


async def say(still: Still, *messages: str, severity: Severity = "information", title: str = "") -> None:
    for message in messages:
        still.app.notify(message, severity=severity, title=title)
    await still.settle()


@pytest.mark.parametrize(
    ("severity", "title", "message", "seconds"),
    [
        ("information", "", "", 1.5),
        ("information", "", "x" * 16, 2.5),
        ("information", "", "x" * 500, 6),
        ("warning", "x" * 8, "x" * 7, 4),
        ("error", "x" * 16, "x" * 15, 7),
        ("error", "", "x" * 5000, 20),
    ],
)
def test_it_stays_as_long_as_it_takes_to_read(severity: Severity, title: str, message: str, seconds: float) -> None:
    assert reading_seconds(severity, title, message) == seconds


async def test_the_next_key_takes_it_away_and_escape_also_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("notices", list_runs), (80, 24), "", monkeypatch) as still:
        monkeypatch.setattr("durable_cli.tui.notices.SEEN_SECONDS", 0)
        await say(still, "signalled order-417")
        await say(still, "it is closed", severity="error", title="can't signal workflow 'order-418'")
        assert lines_said(still) == ["signalled order-417", "can't signal workflow 'order-418'", "it is closed"]
        await still.press("down")
        assert lines_said(still) == ["can't signal workflow 'order-418'", "it is closed"]
        await still.press("escape")
        assert lines_said(still) == []


async def test_what_has_just_come_is_seen_before_a_key_takes_it_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("notices", list_runs), (80, 24), "", monkeypatch) as still:
        monkeypatch.setattr("durable_cli.tui.notices.SEEN_SECONDS", 3600)
        await say(still, "orders: reloaded in 84 ms")
        await still.press("down")
        assert lines_said(still) == ["orders: reloaded in 84 ms"]
        await still.press("escape")
        assert lines_said(still) == []


async def test_only_the_newest_are_shown_and_trouble_before_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("notices", list_runs), (80, 24), "", monkeypatch) as still:
        await say(still, "nobody polls", severity="warning")
        await say(still, "one", "two", "three")
        assert lines_said(still) == ["nobody polls", "three"]
        await say(still, "three", "three")
        assert lines_said(still) == ["nobody polls", "three"]


async def test_a_word_in_passing_takes_no_trouble_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("notices", list_runs), (80, 24), "", monkeypatch) as still:
        await say(still, "first", "second", severity="error")
        await say(still, "one", "two")
        assert lines_said(still) == ["first", "second", "two"]
        await say(still, "third", severity="warning")
        assert lines_said(still) == ["second", "third"]


async def test_what_is_said_is_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("notices", list_runs), (80, 24), "", monkeypatch) as still:
        await say(still, "signalled [/order] and [b] \\[x]")
        assert lines_said(still) == ["signalled [/order] and [b] \\[x]"]
