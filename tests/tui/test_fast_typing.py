"""Keys that come faster than they are worked off, as from a script or a paste: each goes where it belongs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual import events
from textual.keys import _character_to_key
from textual.screen import ModalScreen
from textual.widgets import Input, SelectionList

from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.dialogs.pick import PickSeveralDialog
from durable_cli.tui.messages import RunsListed
from durable_cli.tui.screens.schedules import SchedulesScreen
from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.screens.workflow.history import HistoryView
from durable_cli.tui.screens.workflows import WorkflowsScreen
from durable_cli.tui.widgets.entry_bar import SearchBar
from durable_cli.tui.widgets.filter_bar import FilterBar
from durable_cli.tui.widgets.log_view import LogView
from durable_cli.tui.widgets.words_bar import WordsBar
from tests.tui.conftest import screen_text
from tests.tui.scenes import Scene, Still, playing
from tests.tui.scenes.dev import dev_reload
from tests.tui.scenes.places import schedules
from tests.tui.scenes.runs import open_order
from tests.tui.scenes.workflows import list_runs, make_runs

NAMED = {"\r": "enter", "\x1b": "escape", "\t": "tab", "\x01": "ctrl+a", "\x0b": "ctrl+k", "↓": "down"}


async def type_at_once(still: Still, text: str) -> None:
    """Let all keys of a text come before any of them is worked off."""
    for character in text:
        key = NAMED.get(character) or _character_to_key(character)
        still.app.post_message(events.Key(key, None if character in NAMED else character))
    await still.settle()


@asynccontextmanager
async def filtering(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Still, WorkflowsScreen, FilterBar]]:
    """The list of runs, and its bar for filters."""
    async with playing(Scene("list", list_runs), (120, 35), "", monkeypatch) as still:
        assert isinstance(still.app.screen, WorkflowsScreen)
        yield still, still.app.screen, still.app.screen.query_one(FilterBar)


async def test_a_filter_is_taken_as_it_was_typed_and_what_follows_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filtering(monkeypatch) as (still, screen, bar):
        await type_at_once(still, "/WorkflowType = 'stamp'\rst")
        assert screen.shown_filter == bar.value == "WorkflowType = 'stamp'"
        assert still.app.screen is screen, "no key was taken for one of the list"
        assert still.app.focused is not bar


async def test_the_filter_that_is_shown_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filtering(monkeypatch) as (still, screen, bar):
        await type_at_once(still, "/TaskQueue = 'a'\r")
        await still.tell(RunsListed("default", "TaskQueue = 'a'", b"", make_runs(), b""))
        await type_at_once(still, "/ OR TaskQueue = 'b'")
        assert bar.value == "TaskQueue = 'a' OR TaskQueue = 'b'"
        await type_at_once(still, "x\x1bst")
        assert screen.shown_filter == bar.value == "TaskQueue = 'a'", "it is left as it was"
        assert still.app.screen is screen
        await type_at_once(still, "/")
        assert still.app.focused is bar
        await still.press("ctrl+u")
        await type_at_once(still, "\r")
        assert screen.shown_filter == bar.value == ""


async def test_a_filter_is_completed_and_emptied_in_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filtering(monkeypatch) as (still, screen, bar):
        await type_at_once(still, "/WorkflowT\t= 'stamp'\r")
        assert screen.shown_filter == bar.value == "WorkflowType = 'stamp'"
        await type_at_once(still, "/\x01\x0bWorkflowI↓\t")
        assert bar.value == "WorkflowId "
        await type_at_once(still, "\x01\x0b\r")
        assert screen.shown_filter == bar.value == ""


async def test_fields_of_a_form_are_filled_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("list", list_runs), (120, 35), "", monkeypatch) as still:
        fields = (Field("name", "signal"), Field("note", "why"))
        await still.app.push_screen(FormDialog("Send a signal", fields, verb="Send it"))
        await still.settle()
        await type_at_once(still, "add\tlate")
        values = [field.value for field in still.app.screen.query(Input)]
        assert values == ["add", "late"]


async def test_each_line_of_several_is_ticked_in_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("list", list_runs), (120, 35), "", monkeypatch) as still:
        options = [(name, name) for name in ("status", "type", "run")]
        await still.app.push_screen(PickSeveralDialog("Columns", options, ["status"]))
        await still.settle()
        await type_at_once(still, " ↓ ↓ ")
        assert set(still.app.screen.query_one(SelectionList).selected) == {"type", "run"}


async def test_a_list_that_comes_while_one_types_leaves_the_keys_to_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    async def empty(still: Still) -> None:
        await still.tell(RunsListed("default", "", b"", [], b""))

    async with playing(Scene("list", empty), (120, 35), "", monkeypatch) as still:
        bar = still.app.screen.query_one(FilterBar)
        still.app.screen.post_message(RunsListed("default", "", b"", make_runs(), b""))
        await type_at_once(still, "/stbc")
        assert bar.value == "stbc"
        assert not isinstance(still.app.screen, ModalScreen)


async def test_a_search_is_taken_as_it_was_typed_and_what_follows_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("run", open_order), (120, 35), "", monkeypatch) as still:
        await still.press("2")
        screen = still.app.screen
        assert isinstance(screen, WorkflowScreen)
        assert isinstance(screen.view, HistoryView)
        await type_at_once(still, "/cast/t\rs")
        assert "/cast/t: not found" in screen_text(still.app)
        assert still.app.screen is screen
        await type_at_once(still, "/receipt\r")
        assert "/receipt: 1 of 1" in screen_text(still.app)
        await type_at_once(still, "/x\x1b")
        assert screen.query_one(SearchBar).value == "receipt", "it is left as it was"


async def test_keys_after_that_of_a_view_belong_to_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("run", open_order), (120, 35), "", monkeypatch) as still:
        screen = still.app.screen
        assert isinstance(screen, WorkflowScreen)
        for _ in range(2):  # when the view is made, and when it is there
            await type_at_once(still, "2/receipt\r")
            assert still.app.screen is screen
            assert "/receipt: 1 of 1" in screen_text(still.app)
            await type_at_once(still, "1")
        await type_at_once(still, "2/123\r")
        assert "/123: not found" in screen_text(still.app)


async def test_keys_after_that_of_a_place_belong_to_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("list", list_runs), (120, 35), "", monkeypatch) as still:
        for _ in range(2):
            await type_at_once(still, "2/night\r")
            assert isinstance(still.app.screen, SchedulesScreen)
            assert still.app.screen.query_one(WordsBar).value == "night"
            await type_at_once(still, "1")
            await type_at_once(still, "2\x1b1")


async def test_words_narrow_a_place_as_they_were_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("schedules", schedules), (120, 35), "", monkeypatch) as still:
        screen, bar = still.app.screen, still.app.screen.query_one(WordsBar)
        assert isinstance(screen, SchedulesScreen)
        names = [row.schedule_id for row in screen.table.rows]
        await type_at_once(still, "/night\rpx")
        assert (bar.value, bar.display) == ("night", True)
        assert still.app.screen is screen, "no key was taken for one of the list"
        assert still.app.focused is screen.table
        assert [row.schedule_id for row in screen.table.rows] == [name for name in names if "night" in name] != []
        await type_at_once(still, "/ly\x1bpx")
        assert (bar.value, bar.display) == ("", False)
        assert still.app.screen is screen
        assert [row.schedule_id for row in screen.table.rows] == names


async def test_words_narrow_the_log_as_they_were_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("dev", dev_reload), (120, 35), "", monkeypatch) as still:
        view, bar = still.app.screen.query_one(LogView), still.app.screen.query_one(WordsBar)
        count = len(view.lines)
        await type_at_once(still, "/charged\rl")
        assert bar.value == "charged"
        assert still.app.focused is view
        assert "all levels" in screen_text(still.app)
        assert all("charged" in line.text for line in view.lines)
        await type_at_once(still, "/x\x1bl")
        assert (bar.value, bar.display) == ("", False)
        assert "all levels" in screen_text(still.app)
        assert len(view.lines) == count


async def test_the_last_of_the_keys_chooses_the_view_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("list", list_runs), (120, 35), "", monkeypatch) as still:
        for keys, view in (("2", "history"), ("4", "pending"), ("23", "values"), ("", "timeline")):
            screen = WorkflowScreen("order-1", "r1")
            await still.app.push_screen(screen)
            await type_at_once(still, keys)
            assert screen.view is not None
            assert screen.view.id == f"view-{view}"
            assert [each.id for each in screen.query("#views > *") if each.display] == [f"view-{view}"]
            await still.press("escape")
