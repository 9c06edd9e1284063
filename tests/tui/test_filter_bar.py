"""The filter bar of the list of workflows: it completes, and what is refused stays to be corrected."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from durable_cli.tui.app import BrowserApp
from durable_cli.tui.widgets.filter_bar import ChoiceLine, FilterBar
from durable_cli.tui.widgets.virtual_table import VirtualTable
from tests.cli.conftest import Stage, run_stage
from tests.support.server_process import launch_dx, running
from tests.tui.conftest import browsing, screen_text, until


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server with search attributes of its own."""
    folder: Path = tmp_path_factory.mktemp("filter")
    attributes = ("--search-attribute", "Customer=Keyword", "--search-attribute", "Amount=Int")
    with running(launch_dx(folder, *attributes)) as server:
        yield from run_stage(server, folder)


async def start(stage: Stage, workflow_type: str) -> str:
    return await asyncio.to_thread(stage.start, workflow_type)


def bar_of(app: BrowserApp) -> FilterBar:
    return app.screen.query_one(FilterBar)


async def test_a_filter_is_written_by_tab_alone(stage: Stage) -> None:
    workflow_id, other = await start(stage, "Waiter"), await start(stage, "Stuck")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: workflow_id in screen_text(app) and other in screen_text(app), "they are listed")
        await until(lambda: app.screen._attributes.get("Amount") == "Int", "the attributes are known")  # type: ignore[attr-defined]
        await pilot.press("slash")
        await until(
            lambda: "WorkflowId Keyword  WorkflowType  ExecutionStatus" in screen_text(app), "names are offered"
        )
        await pilot.press("down", "tab")
        assert bar_of(app).value == "WorkflowType "
        await until(lambda: "=  !=  STARTS_WITH" in screen_text(app), "operators are offered")
        await pilot.press("tab", "down", "tab")
        assert bar_of(app).value == "WorkflowType = 'Waiter'"
        await pilot.press("enter")
        await until(lambda: other not in screen_text(app) and workflow_id in screen_text(app), "it is taken")
        assert not app.screen.query_one(ChoiceLine).display

        await pilot.press("slash", "end", *" AND Amo", "tab")
        assert bar_of(app).value == "WorkflowType = 'Waiter' AND Amount "
        await pilot.press("escape")
        assert bar_of(app).value == "WorkflowType = 'Waiter'"


async def test_a_choice_is_taken_by_a_click(stage: Stage) -> None:
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: "run" in screen_text(app), "it is connected")
        await pilot.press("slash", *"ExecutionStatus = ")
        await until(lambda: "Running  Completed" in screen_text(app), "statuses are offered")
        await pilot.click("#choices", offset=(14, 0))
        await until(lambda: bar_of(app).value == "ExecutionStatus = 'Completed'", "it is written")


@pytest.mark.parametrize(
    ("query", "said", "position"),
    [
        ("WorkflowTyp = 'x'", "this namespace has no attribute WorkflowTyp", 11),
        ("WorkflowType == 'x'", "expected is a value", 14),
        ("ExecutionStatus = 'Runing'", "did you mean Running?", 25),
    ],
)
async def test_what_is_refused_is_explained_and_can_be_corrected(
    stage: Stage, query: str, said: str, position: int
) -> None:
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: "run" in screen_text(app), "it is connected")
        await pilot.press("slash", *query, "enter")
        await until(lambda: said in screen_text(app), "it says what is wrong")
        await until(lambda: app.screen.focused is bar_of(app), "one is in the bar again")
        assert bar_of(app).value == query
        assert bar_of(app).cursor_position == position
        await pilot.press("escape")
        await until(lambda: app.screen.focused is app.screen.query_one(VirtualTable), "one can leave it")
        await pilot.press("slash", "home", "ctrl+k", "enter")
        await until(lambda: said not in screen_text(app), "the note goes away")
