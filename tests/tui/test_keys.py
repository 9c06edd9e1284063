"""What keys do, as it is said: in groups, the nearest first, and nothing that the toolkit brings along."""

from __future__ import annotations

import pkgutil
import re
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text
from textual.binding import BindingsMap
from textual.dom import DOMNode
from textual.keys import format_key
from textual.widgets import Input

import durable_cli.tui
from durable_cli.dev import events
from durable_cli.dev.host_events import Checked
from durable_cli.dev.journal import event_name
from durable_cli.tui.counts_line import draw_counts
from durable_cli.tui.dev.rows import DevEvent
from durable_cli.tui.key_groups import find_key_groups
from durable_cli.tui.place_messages import JournalRead
from durable_cli.tui.screens.base import CHANGE_PREFIX, BrowserScreen
from durable_cli.tui.screens.dev import DevScreen
from durable_cli.tui.screens.dev_mismatch import MismatchScreen
from durable_cli.tui.screens.reader import ReaderScreen
from durable_cli.tui.widgets.key_help import KeyHelp
from tests.tui.conftest import screen_text
from tests.tui.scenes import NOW_NS, Scene, Still, playing
from tests.tui.scenes.dev import DEFINITIONS, MISMATCH, attach
from tests.tui.scenes.runs import open_order
from tests.tui.scenes.workflows import list_runs


async def test_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("keys", open_order), (120, 40), "", monkeypatch) as still:
        groups = {group.title: group.lines for group in find_key_groups(still.app.screen)}
        assert list(groups) == ["This view", "This workflow", "Views", "Everywhere", "Places", "Moving"] or list(
            groups
        ) == ["This view", "This workflow", "Views", "Everywhere", "Moving"]
        assert {"Zoom in", "Follow"} <= {line.description for line in groups["This view"]}
        assert {"Signal", "Back"} <= {line.description for line in groups["This workflow"]}
        assert ("Page down", "pgdn ^d", "move_page(1)") in groups["Moving"]
        said = {line.description for lines in groups.values() for line in lines}
        assert not said & {"Scroll Left", "Page Right", "Focus Next", "Copy selected text"}
        assert [line.description for line in groups["Everywhere"] if line.keys == "q"] == ["Quit"]


async def test_of_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("keys", list_runs), (120, 40), "", monkeypatch) as still:
        titles = [group.title for group in find_key_groups(still.app.screen)]
        assert titles == ["This list", "Everywhere", "Places", "Moving"]


async def test_of_the_words_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("keys", attach), (80, 24), "", monkeypatch) as still:
        await still.press("slash")
        assert isinstance(still.app.focused, Input)
        foot = screen_text(still.app).splitlines()[-1]
        assert "⏎ To the lines" in foot
        assert "esc Show all again" in foot
        await still.press(*"503", "enter", "slash", "escape")
        assert not isinstance(still.app.focused, Input)


async def test_what_is_typed_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("keys", list_runs), (140, 24), "", monkeypatch) as still:
        await still.press("slash", "a", "plus", "at", "b")
        assert still.app.screen.query_one(Input).value == "a+@b"
        foot = screen_text(still.app).splitlines()[-1]
        assert foot.split() == ["⏎", "Filter", "tab", "Complete", "esc", "Leave", "^p", "Commands"]
        titles = [line.keys for group in find_key_groups(still.app.screen) for line in group.lines]
        assert not {"+", "@", "s"} & set(titles)


async def test_a_mismatch_that_was_mended_opens_again(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, mended = Checked(4, 2, 1, 0.06, [MISMATCH], []), Checked(4, 2, 1, 0.06, [], [])

    async def tell(still: Still, *told: Any) -> None:
        read = [DevEvent(NOW_NS, "orders", event_name(each), asdict(each)) for each in told]
        still.app.post_message(JournalRead(read, True))
        await still.pilot.pause()

    async with playing(Scene("keys", attach), (80, 24), "", monkeypatch) as still:
        for _ in range(2):
            await tell(still, events.Changed(["workflows.py"]), broken)
            await still.until(lambda: isinstance(still.app.screen, MismatchScreen))
            await still.press("escape")
            await still.until(lambda: isinstance(still.app.screen, DevScreen))
            await tell(still, events.Changed(["workflows.py"]), broken)
            await still.settle()
            assert isinstance(still.app.screen, DevScreen), "it was seen"
            await tell(still, events.Changed(["workflows.py"]), mended, events.Ready("orders", 0.3, True, DEFINITIONS))


async def test_a_screen_that_is_left_at_once(monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder) -> None:
    async with playing(Scene("keys", list_runs), (80, 24), "", monkeypatch) as still:
        for _ in range(3):
            opened = still.app.push_screen(ReaderScreen("words", list))
            left = still.app.pop_screen()
            await opened
            await left
            await still.press("enter", "escape")
        await still.settle()
    assert not [warning for warning in recwarn if "never awaited" in str(warning.message)]


def all_screens(screen: type[BrowserScreen] = BrowserScreen) -> set[type[BrowserScreen]]:
    """Return every screen that there is."""
    for module in pkgutil.walk_packages(durable_cli.tui.__path__, "durable_cli.tui."):
        import_module(module.name)
    return {screen}.union(*map(all_screens, screen.__subclasses__()))


def test_a_key_that_changes_something_does_it_everywhere() -> None:
    meanings: dict[str, set[str]] = {}
    for screen in all_screens():
        for key, binding in BindingsMap(screen.__dict__.get("BINDINGS", ())):
            if binding.action.startswith(CHANGE_PREFIX):
                meanings.setdefault(key, set()).add(binding.action.removeprefix(CHANGE_PREFIX))
    assert {"c", "t", "p", "d", "plus"} <= meanings.keys()
    assert {key: actions for key, actions in meanings.items() if len(actions) > 1} == {}


# What moves the cursor is the same everywhere, and in no table.
MOVING = ("move", "pan", "unfold", "pick")


def test_every_key_is_written_down() -> None:
    readme = Path(durable_cli.tui.__path__[0], "README.md").read_text()
    table = readme.partition("## What a key means")[2].partition("## ")[0]
    written = set(re.findall(r"`([^` ]+)`", table))
    all_screens()
    own = [node for node in subclasses(DOMNode) if node.__module__.startswith("durable_cli.tui.")]
    bound = {
        format_key(binding.key)
        for node in own
        for _, binding in BindingsMap(node.__dict__.get("BINDINGS", ()))
        if not binding.action.startswith(MOVING)
    }
    assert {key for key in bound if len(key) == 1 and key.isascii() and not key.isdigit()} <= written


def subclasses(node: type[DOMNode]) -> set[type[DOMNode]]:
    """Return what is made of a class."""
    return {node}.union(*map(subclasses, node.__subclasses__()))


COLORS = dict.fromkeys(("accent", "quiet"), "#ffffff")


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (60, "1,203 runs   7 marked   ● Running 3   ✓ Completed 1,200"),
        (54, "1,203 runs   7 marked   ● Running 3   …"),
        (30, "1,203 runs   7 marked   …"),
    ],
)
def test_counts_are_shown_whole(room: int, shown: str) -> None:
    line: Text = draw_counts({1: 3, 2: 1200, 3: 0}, room, COLORS, marked=7)
    assert line.plain == shown


@pytest.mark.parametrize("opened", ["run", "list", "bar", "dialog"])
async def test_escape_hides_the_keys_before_it_leaves(monkeypatch: pytest.MonkeyPatch, opened: str) -> None:
    play = list_runs if opened in ("list", "bar") else open_order
    async with playing(Scene("keys", play), (100, 40), "", monkeypatch) as still:
        await still.press("question_mark")
        screen = still.app.screen
        assert screen.query(KeyHelp)
        assert "esc Hide the keys" in screen_text(still.app).splitlines()[-1]
        if opened == "bar":
            await still.press("slash", *"x?")
        elif opened == "dialog":
            await still.press("full_stop", "escape")
            assert screen.query(KeyHelp), "the dialog is left first"
        await still.press("escape")
        assert still.app.screen is screen
        assert not screen.query(KeyHelp)
        assert "Hide the keys" not in screen_text(still.app)
        if opened == "bar":
            assert isinstance(still.app.focused, Input)
        await still.press("escape")
        assert not isinstance(still.app.focused, Input)
        assert (still.app.screen is screen) == (opened in ("list", "bar"))
