"""The list of workflows: its columns, marks, order, saved filters and namespaces."""

from __future__ import annotations

import asyncio

from durable_cli.tui.app import BrowserApp
from durable_cli.tui.preferences import load_preferences
from durable_cli.tui.widgets.virtual_table import VirtualTable
from tests.cli.conftest import Stage
from tests.tui.conftest import browsing, screen_text, until


async def start(stage: Stage, workflow_type: str, *words: str) -> str:
    return await asyncio.to_thread(stage.start, workflow_type, *words)


def table_of(app: BrowserApp) -> VirtualTable:
    return app.screen.query_one(VirtualTable)


async def test_marked_runs_are_terminated_together(stage: Stage) -> None:
    workflow_ids = [await start(stage, "Waiter") for _ in range(3)]
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: all(each in screen_text(app) for each in workflow_ids), "they are listed")
        await pilot.press("space", "space", "space")
        assert "3 marked" in screen_text(app)
        await pilot.press("t")
        await until(lambda: "Terminate 3 runs" in screen_text(app), "it asks once")
        await pilot.press("ctrl+s")
        await until(lambda: "done to 3 runs" in screen_text(app), "it says so")
        await until(lambda: screen_text(app).count("■ Terminated ") >= 3, "they are terminated")


async def test_what_is_marked_is_meant_also_when_it_has_left_the_list(stage: Stage) -> None:
    leaving, staying = [await start(stage, "Waiter") for _ in range(2)]
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: leaving in screen_text(app), "it is listed")
        query = f"ExecutionStatus = 'Running' AND WorkflowId IN ('{leaving}', '{staying}')"
        await pilot.press("slash", *query, "enter")
        await until(lambda: "2 runs" in screen_text(app), "it is filtered")
        rows = {row.workflow_id: index for index, row in enumerate(table_of(app).rows)}
        table_of(app).move_to(rows[leaving])
        await pilot.press("space")
        await asyncio.to_thread(lambda: stage.dx("workflow", "terminate", leaving).ok())
        await until(lambda: len(table_of(app).rows) == 1, "it leaves the list")
        assert "1 marked" in screen_text(app)
        await pilot.press("c")
        await until(lambda: f"Cancel {leaving}?" in screen_text(app), "the marked one is meant, not the other")


async def test_marks_stay_when_the_list_is_asked_for_anew(stage: Stage) -> None:
    workflow_id = await start(stage, "Waiter")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: workflow_id in screen_text(app), "it is listed")
        await pilot.press("space", "r")
        await until(lambda: workflow_id in screen_text(app) and "1 marked" in screen_text(app), "it is still marked")


async def test_the_columns_are_chosen_and_kept(stage: Stage) -> None:
    workflow_id = await start(stage, "Waiter")
    async with browsing(stage.server.address, size=(160, 35)) as (app, pilot):
        await until(lambda: workflow_id in screen_text(app), "it is listed")
        await pilot.press("w")
        await until(lambda: "space ticks" in screen_text(app), "the choice opens")
        await pilot.press("space", "down", "down", "space", "enter")
        await until(lambda: "Run  " in screen_text(app) and "Status" not in screen_text(app), "they are chosen")
    async with browsing(stage.server.address) as (app, _):
        await until(lambda: workflow_id in screen_text(app), "it is listed")
        assert "Status" not in screen_text(app)


async def test_what_is_loaded_is_sorted(stage: Stage) -> None:
    await start(stage, "Waiter")
    await start(stage, "Stuck")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: len(table_of(app).rows) >= 2, "they are listed")
        await pilot.press("o", *"type", "enter")
        await until(lambda: "by type" in screen_text(app), "it is said")
        types = [row.workflow_type for row in table_of(app).rows]
        assert types == sorted(types)
        assert len(set(types)) > 1


async def test_a_filter_is_saved_and_taken_again(stage: Stage) -> None:
    await start(stage, "Waiter")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: "Waiter" in screen_text(app), "it is listed")
        await pilot.press("slash", *"WorkflowType = 'Nobody'", "enter")
        await until(lambda: not table_of(app).rows, "nothing matches")
        await pilot.press("ctrl+f", *"empty", "ctrl+s")
        await until(lambda: "saved: empty" in screen_text(app), "it is saved")
    assert load_preferences().filters == {"empty": "WorkflowType = 'Nobody'"}
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: "Waiter" in screen_text(app), "all are listed")
        await pilot.press("F", *"empty", "enter")
        await until(lambda: not table_of(app).rows and "Nobody" in screen_text(app), "it is taken")


async def test_the_filter_completes_what_the_server_knows(stage: Stage) -> None:
    await start(stage, "Waiter")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: "Waiter" in screen_text(app), "it is listed")
        await pilot.press("slash", *"WorkflowType = 'Wai")
        await until(lambda: "WorkflowType = 'Waiter'" in screen_text(app), "the type is suggested")


async def test_another_namespace(stage: Stage) -> None:
    workflow_id = await start(stage, "Waiter")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: workflow_id in screen_text(app), "it is listed")
        await pilot.press("n")
        await until(lambda: "Namespace" in screen_text(app), "they are offered")
        await pilot.press(*"other", "enter")
        await until(lambda: "dx / other" in screen_text(app) and "0 runs" in screen_text(app), "it is shown")


async def test_the_theme_is_kept(stage: Stage) -> None:
    async with browsing(stage.server.address) as (app, pilot):
        await pilot.press("ctrl+t")
        assert app.theme == "dx-light"
    async with browsing(stage.server.address) as (app, pilot):
        assert app.theme == "dx-light"
        assert "nord" not in app.available_themes, "Textual's own know nothing of our colours"
