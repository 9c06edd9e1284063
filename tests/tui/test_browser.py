"""The list of workflows and a workflow, against a real server."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.widgets.virtual_table import VirtualTable
from tests.cli.conftest import Stage
from tests.support.server_process import launch_dx, running
from tests.tui.conftest import browsing, screen_text, until


async def start(stage: Stage, workflow_type: str, *words: str) -> str:
    return await asyncio.to_thread(stage.start, workflow_type, *words)


async def test_new_workflows_appear_and_change_their_status(stage: Stage) -> None:
    async with browsing(stage.server.address) as (app, _):
        workflow_id = await start(stage, "Waiter")
        await until(lambda: workflow_id in screen_text(app), "the new workflow is listed")
        assert "● Running" in screen_text(app)
        await asyncio.to_thread(stage.official, "workflow", "signal", "-w", workflow_id, "--name", "finish")
        await until(
            lambda: any(workflow_id in line and "✓ Completed" in line for line in screen_text(app).splitlines()),
            "it is shown as completed",
        )


async def test_the_cursor_stays_on_its_workflow(stage: Stage) -> None:
    first = await start(stage, "Waiter")
    second = await start(stage, "Waiter")
    async with browsing(stage.server.address) as (app, pilot):
        table = app.screen.query_one(VirtualTable)
        await until(lambda: len(table.rows) >= 2, "both are listed")
        await pilot.press("down")
        assert table.cursor_row.workflow_id == first
        third = await start(stage, "Waiter")
        await until(lambda: table.rows[0].workflow_id == third, "the third one is on top")
        assert table.cursor_row.workflow_id == first
        assert table.rows[1].workflow_id == second


async def test_a_filter_shows_only_what_matches(stage: Stage) -> None:
    workflow_id = await start(stage, "Waiter")
    other = await start(stage, "Stuck")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: workflow_id in screen_text(app), "it is listed")
        await pilot.press("slash", *"WorkflowType = 'Stuck'", "enter")
        await until(lambda: workflow_id not in screen_text(app) and other in screen_text(app), "the filter works")


async def test_a_wrong_filter_says_what_is_wrong(stage: Stage) -> None:
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: "runs" in screen_text(app), "it is connected")
        await pilot.press("slash", *"Nonsense = 1", "enter")
        await until(lambda: "has no attribute Nonsense" in screen_text(app), "it is refused")
        await pilot.press("end", *["backspace"] * 12, "enter")
        await until(lambda: "has no attribute" not in screen_text(app), "the note goes away")


async def test_a_workflow_shows_what_it_waits_for_and_its_history(stage: Stage) -> None:
    workflow_id = await start(stage, "Stuck")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: workflow_id in screen_text(app), "it is listed")
        table = app.screen.query_one(VirtualTable)
        table.move_to(next(i for i, row in enumerate(table.rows) if row.workflow_id == workflow_id))
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, WorkflowScreen), "the workflow opens")
        await until(
            lambda: "activity boom" in screen_text(app) and "attempt 2" in screen_text(app), "what it waits for"
        )
        await pilot.press("2", "a")
        await until(lambda: "ActivityTaskScheduled" in screen_text(app), "the history is shown")
        await pilot.press("escape")
        await until(lambda: not isinstance(app.screen, WorkflowScreen), "back at the list")


async def test_new_events_arrive(stage: Stage) -> None:
    workflow_id = await start(stage, "Waiter")
    async with browsing(stage.server.address, workflow_id=workflow_id) as (app, pilot):
        await until(lambda: "nothing is scheduled" in screen_text(app), "it waits")
        await pilot.press("2", "a")
        await asyncio.to_thread(
            stage.official, "workflow", "signal", "-w", workflow_id, "--name", "add", "--input", '"new"'
        )
        await until(lambda: 'add("new")' in screen_text(app), "the signal arrives")
        await asyncio.to_thread(stage.official, "workflow", "signal", "-w", workflow_id, "--name", "finish")
        await until(lambda: "✓ Completed" in screen_text(app), "its end arrives")


async def test_without_a_server_it_says_what_to_do() -> None:
    async with browsing() as (app, _):
        await until(lambda: "nothing listens at" in screen_text(app), "it says so")
        assert "dx server start-dev" in screen_text(app)


async def test_it_finds_the_server_when_that_comes_back(tmp_path: Path) -> None:
    database = tmp_path / "dev.db"
    with running(launch_dx(tmp_path, db_filename=database)) as first:
        async with browsing(first.address) as (app, _):
            await until(lambda: "0 runs" in screen_text(app), "it is connected")
            await asyncio.to_thread(first.stop)
            await until(lambda: "nothing listens at" in screen_text(app), "it says that the server is gone")
            again = await asyncio.to_thread(launch_dx, tmp_path, port=first.port, db_filename=database)
            with running(again):
                await until(lambda: "nothing listens at" not in screen_text(app), "it is connected again")


async def test_an_unknown_namespace_says_so(stage: Stage) -> None:
    async with browsing(stage.server.address, namespace="nowhere") as (app, _):
        await until(lambda: "nowhere" in screen_text(app) and "can't list" in screen_text(app), "it says so")


async def test_a_signal_is_sent_from_a_form(stage: Stage) -> None:
    workflow_id = await start(stage, "Waiter")
    async with browsing(stage.server.address, workflow_id=workflow_id) as (app, pilot):
        await until(lambda: "nothing is scheduled" in screen_text(app), "it waits")
        await pilot.press("s")
        await until(lambda: "Signal " + workflow_id in screen_text(app), "the form opens")
        await pilot.press(*"add", "tab", *"not json", "ctrl+s")
        assert "not JSON, line 1" in screen_text(app)
        await pilot.press("ctrl+u", *'"by hand"', "ctrl+s", "2", "a")
        await until(lambda: 'add("by hand")' in screen_text(app), "the signal arrives")


async def test_a_termination_asks_and_says_what_was_done(stage: Stage) -> None:
    workflow_id = await start(stage, "Waiter")
    async with browsing(stage.server.address, workflow_id=workflow_id) as (app, pilot):
        await until(lambda: "nothing is scheduled" in screen_text(app), "it waits")
        await pilot.press("t")
        await until(lambda: "no chance to clean up" in screen_text(app), "it asks")
        await pilot.press(*"over", "ctrl+s")
        await until(lambda: f"terminated {workflow_id}" in screen_text(app), "it says so")
        await until(lambda: "■ Terminated" in screen_text(app), "the run is terminated")
        await pilot.press("s")
        await until(lambda: "there is nothing to signal" in screen_text(app), "no form is opened in vain")


async def test_only_reading_offers_no_change(stage: Stage) -> None:
    workflow_id = await start(stage, "Waiter")
    async with browsing(stage.server.address, workflow_id=workflow_id, is_read_only=True) as (app, pilot):
        await until(lambda: "nothing is scheduled" in screen_text(app), "it waits")
        assert "Terminate" not in screen_text(app)
        await pilot.press("t")
        assert "no chance to clean up" not in screen_text(app)


async def test_the_palette_finds_what_keys_do(stage: Stage) -> None:
    workflow_id = await start(stage, "Waiter")
    async with browsing(stage.server.address, workflow_id=workflow_id) as (app, pilot):
        await until(lambda: "nothing is scheduled" in screen_text(app), "it waits")
        await pilot.press("ctrl+p", *"signal")
        await until(lambda: bool(re.search(r"Signal +s\b", screen_text(app))), "the action is found")
        await pilot.press("enter")
        await until(lambda: "Signal " + workflow_id in screen_text(app), "the form opens")
