"""Whatever keys do, a mouse does too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from rich.cells import cell_len
from textual.widgets import Input

from durable_cli.tui.dialogs.confirm import ConfirmDialog
from durable_cli.tui.dialogs.form import FormDialog
from durable_cli.tui.dialogs.pick import PickDialog, PickSeveralDialog, TickList
from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.screens.workflows import WorkflowsScreen
from durable_cli.tui.widgets.key_help import KeyHelp
from durable_cli.tui.widgets.virtual_table import VirtualTable
from tests.tui.conftest import screen_text
from tests.tui.scenes import Scene, Still, playing
from tests.tui.scenes.places import schedules
from tests.tui.scenes.runs import open_order
from tests.tui.scenes.workflows import list_runs


@asynccontextmanager
async def seen(scene: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Still]:
    async with playing(Scene("mouse", scene), (170, 40), "", monkeypatch) as still:  # type: ignore[arg-type]
        yield still


async def click(still: Still, text: str, *, times: int = 1) -> None:
    """Click on the first place where a text stands."""
    for row, line in enumerate(screen_text(still.app).splitlines()):
        if text in line:
            await still.pilot.click(offset=(cell_len(line[: line.index(text)]), row), times=times)
            await still.settle()
            return
    pytest.fail(f"not on the screen: {text}\n{screen_text(still.app)}", pytrace=False)


def table_of(still: Still) -> VirtualTable:
    return still.app.screen.query_one(VirtualTable)


async def test_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    async with seen(list_runs, monkeypatch) as still:
        await click(still, "refund-88213")
        assert table_of(still).cursor_row.workflow_id == "refund-88213"
        assert isinstance(still.app.screen, WorkflowsScreen), "one click only goes there"
        await click(still, "refund-88213", times=2)
        assert isinstance(still.app.screen, WorkflowScreen)
        assert still.app.screen.workflow_id == "refund-88213"


async def test_heads_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    async with seen(list_runs, monkeypatch) as still:
        as_listed = [row.run_id for row in table_of(still).rows]
        await click(still, "Workflow ")
        ids = [row.workflow_id for row in table_of(still).rows]
        assert ids == sorted(ids)
        assert "by workflow" in screen_text(still.app)
        await click(still, "Workflow ")
        assert [row.run_id for row in table_of(still).rows] == as_listed


async def test_the_key_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    async with seen(list_runs, monkeypatch) as still:
        await click(still, "Filter")
        assert isinstance(still.app.focused, Input)
        await still.press("escape")
        await click(still, "? Keys")
        assert "Mark downwards" in screen_text(still.app)
        assert "Page down" not in screen_text(still.app)
        await click(still, "? Keys")
        assert "Page down" in screen_text(still.app), "what had no room"
        await click(still, "? Keys")
        assert not still.app.screen.query(KeyHelp)
        await click(still, "Cancel  ")
        assert isinstance(still.app.screen, ConfirmDialog)
        await click(still, "No (n)")
        await click(still, "Commands")
        assert "Search for commands" in screen_text(still.app)


async def test_tabs_and_what_is_in_a_view(monkeypatch: pytest.MonkeyPatch) -> None:
    async with seen(open_order, monkeypatch) as still:
        await click(still, "Shipping", times=2)
        assert "child Shipping" in screen_text(still.app)
        for tab, shown in (("History", "grouped"), ("Pending", "How it stands"), ("Time travel", "pending then")):
            await click(still, tab)
            await still.until(lambda shown=shown: shown in screen_text(still.app))  # type: ignore[misc]
        await click(still, "Back")
        assert isinstance(still.app.screen, WorkflowsScreen)


async def test_buttons_of_dialogs(monkeypatch: pytest.MonkeyPatch) -> None:
    async with seen(open_order, monkeypatch) as still:
        await still.press("t")
        assert isinstance(still.app.screen, FormDialog)
        await click(still, "Leave (esc)")
        assert isinstance(still.app.screen, WorkflowScreen)
        await still.press("s")
        await click(still, "Send (^s)")
        assert "signal: this is needed" in screen_text(still.app)


async def test_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    async with seen(list_runs, monkeypatch) as still:
        await still.press("o")
        assert isinstance(still.app.screen, PickDialog)
        await click(still, "Start time")
        assert "by start time" in screen_text(still.app)
        await still.press("w")
        assert isinstance(still.app.screen, PickSeveralDialog)
        ticked = set(still.app.screen.query_one(TickList).selected)
        await click(still, "· Closed")
        assert set(still.app.screen.query_one(TickList).selected) == ticked | {"closed"}


async def test_places_and_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    async with seen(schedules, monkeypatch) as still:
        await click(still, "every 10m")
        assert table_of(still).cursor_row.schedule_id == "ポイント集計"
        await still.app.run_action("go_to_place('workflows')")
        assert still.app.current_mode == "workflows"
