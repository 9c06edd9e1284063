"""Bars in which something was typed, and that were left by a click or by tab: escape takes that back, and says so."""

from __future__ import annotations

import pytest

from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.screens.workflow.history import HistoryView
from durable_cli.tui.screens.workflows import WorkflowsScreen
from durable_cli.tui.widgets.entry_bar import EntryBar, SearchBar
from durable_cli.tui.widgets.filter_bar import FilterBar
from tests.tui.conftest import screen_text
from tests.tui.scenes import Scene, Still, playing
from tests.tui.scenes.runs import open_order
from tests.tui.scenes.workflows import list_runs


async def leave(still: Still, bar: EntryBar, way: str) -> None:
    if way == "click":
        await still.pilot.click("#runs, #events", offset=(10, 3))
        await still.pilot.pause()
    else:
        await still.press("shift+tab")
    assert still.app.focused is not bar
    assert bar.display


@pytest.mark.parametrize("way", ["click", "shift+tab"])
async def test_a_filter_that_was_left_is_taken_back(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    async with playing(Scene("list", list_runs), (120, 35), "", monkeypatch) as still:
        screen, bar = still.app.screen, still.app.screen.query_one(FilterBar)
        assert isinstance(screen, WorkflowsScreen)
        for typed in ("", "abc"):
            await still.press("slash", *typed)
            await leave(still, bar, way)
            assert "esc Leave the filter" in screen_text(still.app)
            await still.press("escape")
            assert (bar.display, bar.value) == (False, "")
            assert still.app.focused is screen.table
            assert "esc Leave the filter" not in screen_text(still.app)
        await still.press("slash", *"RunId = 'r1'", "enter", "slash", *"xyz")
        await leave(still, bar, way)
        await still.press("escape")
        assert (bar.display, bar.value) == (True, screen.shown_filter) == (True, "RunId = 'r1'")


@pytest.mark.parametrize("way", ["click", "shift+tab"])
async def test_a_search_that_was_left_is_taken_back(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    async with playing(Scene("run", open_order), (120, 35), "", monkeypatch) as still:
        screen = still.app.screen
        assert isinstance(screen, WorkflowScreen)
        await still.press("2", "slash", *"receipt", "enter", "slash", *"xyz")
        bar = screen.query_one(SearchBar)
        await leave(still, bar, way)
        assert "esc Leave the search" in screen_text(still.app)
        await still.press("escape")
        assert (bar.display, bar.value) == (False, "receipt")
        assert still.app.screen is screen
        assert isinstance(screen.view, HistoryView)
        assert still.app.focused is screen.view.main_widget
        assert "esc Back" in screen_text(still.app)
        await still.press("escape")
        assert still.app.screen is not screen


async def test_the_search_bar_names_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("run", open_order), (120, 35), "", monkeypatch) as still:
        await still.press("2", "slash")
        foot = screen_text(still.app).splitlines()[-1]
        assert "⏎ Search" in foot, foot
        assert "esc Leave" in foot, foot
        assert "Back" not in foot, foot
