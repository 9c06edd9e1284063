"""Something is done to many runs: to all that match the filter, or to those that are marked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from durable_cli.errors import CliError
from durable_cli.options import ConnectionOptions, GlobalOptions
from durable_cli.tui.actions.batch import act_on_all
from durable_cli.tui.app import BrowserApp
from durable_cli.tui.batch_order import OPERATIONS, ManyRuns, Refusal, join_filters, order_filter
from durable_cli.tui.feed.link import Link, LostError
from durable_cli.tui.feed.many_runs import act_on_runs
from durable_cli.tui.screens.workflows import WorkflowsScreen
from durable_cli.tui.widgets.virtual_table import VirtualTable
from tests.cli.conftest import Stage, run_stage
from tests.support.server_process import launch_reference, running
from tests.tui.conftest import browsing, screen_text, until


@pytest.fixture(scope="module")
def reference_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("reference")
    with running(launch_reference(folder)) as server:
        yield from run_stage(server, folder)


async def start(stage: Stage, workflow_type: str, *words: str) -> str:
    return await asyncio.to_thread(stage.start, workflow_type, *words)


def table_of(app: BrowserApp) -> VirtualTable:
    return app.screen.query_one(VirtualTable)


async def take_filter(app: BrowserApp, pilot: Pilot[None], query: str) -> None:
    await pilot.press("slash", "ctrl+u", *query, "enter")
    await until(lambda: query in screen_text(app), "the filter is set")


async def choose_operation(app: BrowserApp, pilot: Pilot[None], name: str) -> None:
    await pilot.press("b")
    await until(lambda: "type to narrow" in screen_text(app), "the operations are offered")
    await pilot.press(*name, "enter")


@pytest.mark.parametrize(
    ("operation", "query", "is_for_batch", "sent"),
    [
        ("terminate", "", True, "ExecutionStatus = 'Running'"),
        ("signal", "WorkflowType = 'A'", True, "WorkflowType = 'A' AND ExecutionStatus = 'Running'"),
        (
            "cancel",
            "WorkflowType = 'A' or WorkflowType = 'B'",
            False,
            "(WorkflowType = 'A' or WorkflowType = 'B') AND ExecutionStatus = 'Running'",
        ),
        ("cancel", "ExecutionStatus IN ('Running', 'Paused')", True, "ExecutionStatus IN ('Running', 'Paused')"),
        ("signal", "CloseTime IS NULL", True, "CloseTime IS NULL"),
        ("delete", "WorkflowType = 'A'", True, "WorkflowType = 'A'"),
        ("delete", "", True, "WorkflowId IS NOT NULL"),
        ("reset", "", False, ""),
    ],
)
def test_the_filter_says_to_which_runs(operation: str, query: str, is_for_batch: bool, sent: str) -> None:
    assert order_filter(OPERATIONS[operation], query, is_for_batch=is_for_batch) == sent


def test_filters_are_joined() -> None:
    assert join_filters("", "b = 1") == "b = 1"
    assert join_filters("a = 1", "b = 1") == "a = 1 AND b = 1"
    assert join_filters("a = 1 || c = 1", "b = 1") == "(a = 1 || c = 1) AND b = 1"
    assert join_filters("a = 'FOR'", "b = 1") == "a = 'FOR' AND b = 1"


@pytest.mark.parametrize(
    ("done", "refused", "total", "words"),
    [
        (1, 0, 1, "terminated 1 run"),
        (1_200, 0, 1_200, "terminated 1,200 runs"),
        (3, 2, 9, "terminated 3 runs, 2 refused, 4 left"),
    ],
)
def test_how_it_went_is_said(done: int, refused: int, total: int, words: str) -> None:
    refusals = [Refusal(f"w{number}", f"r{number}", "no") for number in range(refused)]
    assert ManyRuns(total, {str(number) for number in range(done)}, refusals).words("terminated") == words


async def test_a_server_that_is_lost_ends_it() -> None:
    progress = ManyRuns(100)

    async def answer_a_few(link: object, workflow_id: str, run_id: str) -> None:
        await asyncio.sleep(0)
        if progress.done >= 5:
            raise LostError("gone", "it is gone")
        if run_id == "2":
            raise CliError("not this one")

    runs = [(f"w{number}", str(number)) for number in range(100)]
    link = make_link()
    await act_on_runs(link, runs, answer_a_few, progress)
    assert progress.stopped == "it is gone"
    assert progress.refusals == [Refusal("w2", "2", "not this one")]
    assert progress.left > 50


def make_link() -> Link:
    return Link(GlobalOptions(disable_config_env=True), ConnectionOptions(), lambda message: None)


async def test_all_that_match_are_terminated_from_here(stage: Stage) -> None:
    matching = [await start(stage, "Waiter") for _ in range(5)]
    other = await start(stage, "Stuck")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: all(each in screen_text(app) for each in (*matching, other)), "they are listed")
        await take_filter(app, pilot, "WorkflowType = 'Waiter'")
        await choose_operation(app, pilot, "terminate")
        await until(lambda: "Terminate all that match WorkflowType = 'Waiter'" in screen_text(app), "the form opens")
        await pilot.press(*"no longer needed", "ctrl+s")
        await until(lambda: "Terminate 5 runs?" in screen_text(app), "it says how many")
        shown = screen_text(app)
        assert "WorkflowType = 'Waiter' AND ExecutionStatus = 'Running'" in " ".join(shown.replace("│", "").split())
        assert "done from here, 10 at a time" in shown
        await pilot.press("y")
        await until(lambda: "terminated 5 runs" in screen_text(app), "it says what was done")
        await until(lambda: screen_text(app).count("■ Terminated ") >= 5, "they are terminated")
    described = await asyncio.to_thread(stage.dx, "workflow", "describe", other, "-o", "json")
    assert described.ok().json["workflowExecutionInfo"]["status"] == "WORKFLOW_EXECUTION_STATUS_RUNNING"
    events = await asyncio.to_thread(stage.dx, "workflow", "show", matching[0], "-o", "json")
    assert "no longer needed" in events.ok().stdout


async def test_nothing_is_done_without_a_yes(stage: Stage) -> None:
    workflow_id = await start(stage, "Waiter")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: workflow_id in screen_text(app), "it is listed")
        await take_filter(app, pilot, f"WorkflowId = '{workflow_id}'")
        await choose_operation(app, pilot, "cancel")
        await until(lambda: "Cancel 1 run?" in screen_text(app), "it asks")
        await pilot.press("enter")  # the button that does nothing has the focus
        await until(lambda: "Cancel 1 run?" not in screen_text(app), "the question is closed")
        assert "● Running" in screen_text(app)
        await take_filter(app, pilot, "WorkflowId = 'nobody'")
        await choose_operation(app, pilot, "cancel")
        await until(lambda: "no run matches" in screen_text(app), "there is nobody")


async def test_who_is_refused_is_named_and_stays_marked(stage: Stage) -> None:
    closed, first, second = [await start(stage, "Waiter") for _ in range(3)]
    await asyncio.to_thread(lambda: stage.dx("workflow", "terminate", closed).ok())
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: all(each in screen_text(app) for each in (closed, first, second)), "they are listed")
        rows = {row.workflow_id: index for index, row in enumerate(table_of(app).rows)}
        for workflow_id in (closed, first, second):
            table_of(app).move_to(rows[workflow_id])
            await pilot.press("space")
        assert "3 marked" in screen_text(app)
        await choose_operation(app, pilot, "signal")
        await until(lambda: "Signal 3 marked runs" in screen_text(app), "the form opens")
        await pilot.press(*"finish", "ctrl+s")
        await until(lambda: "Signal finish to 3 runs?" in screen_text(app), "it asks")
        assert "Those that are marked." in screen_text(app)
        await pilot.press("y")
        await until(lambda: "1 refused" in screen_text(app) and f"✗ {closed}" in screen_text(app), "it is named")
        await pilot.press("escape")
        await until(lambda: "signaled 2 runs, 1 refused" in screen_text(app), "it says what was done")
        assert "1 marked" in screen_text(app)
        assert [workflow_id for workflow_id, _ in table_of(app).marked] == [closed]


@pytest.mark.parametrize("is_batch", [True, False])
async def test_a_cancel_that_comes_too_late_is_said(stage: Stage, is_batch: bool) -> None:
    closed, other = [await start(stage, "Waiter") for _ in range(2)]
    await asyncio.to_thread(lambda: stage.dx("workflow", "terminate", closed).ok())
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: all(each in screen_text(app) for each in (closed, other)), "they are listed")
        rows = {row.workflow_id: index for index, row in enumerate(table_of(app).rows)}
        for workflow_id in (closed, other):
            table_of(app).move_to(rows[workflow_id])
            await pilot.press("space")
        if is_batch:
            await choose_operation(app, pilot, "cancel")
        else:
            await pilot.press("c")
        await until(lambda: "Cancel 2 runs?" in screen_text(app), "it asks")
        await pilot.press("y")
        await until(lambda: "1 refused" in screen_text(app) and f"✗ {closed}" in screen_text(app), "it is named")
        assert "it is over already" in screen_text(app)
        await pilot.press("escape")
        said = "asked to cancel 1 run, 1 refused" if is_batch else "done to 1 run, 1 refused"
        await until(lambda: said in screen_text(app), "it says what was done")


async def test_what_a_server_does_not_know_is_said_once(stage: Stage) -> None:
    workflow_ids = [await start(stage, "Waiter") for _ in range(3)]
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: all(each in screen_text(app) for each in workflow_ids), "they are listed")
        table_of(app).move_to(0)
        await pilot.press("space", "space", "space")
        await choose_operation(app, pilot, "delete")
        await until(lambda: "Delete 3 runs?" in screen_text(app), "it asks")
        await pilot.press("y")
        await until(lambda: "does not offer this" in screen_text(app) and "3 left" in screen_text(app), "it is said")


async def test_a_range_is_marked_by_keys_and_by_the_mouse(stage: Stage) -> None:
    for _ in range(4):
        await start(stage, "Waiter")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: len(table_of(app).rows) >= 4, "they are listed")
        await pilot.press("shift+down", "shift+down")
        assert "3 marked" in screen_text(app)
        await pilot.press("a")
        assert "marked" not in screen_text(app)
        await pilot.click("#runs", offset=(4, 1))
        await pilot.click("#runs", offset=(4, 3), shift=True)
        await until(lambda: "3 marked" in screen_text(app), "the rows between are marked")


async def test_what_takes_long_is_followed_and_stopped(stage: Stage) -> None:
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: "run" in screen_text(app), "it is connected")
        screen = app.screen
        assert isinstance(screen, WorkflowsScreen)
        may_go_on = asyncio.Event()

        async def wait(link: object, workflow_id: str, run_id: str) -> None:
            if int(run_id) >= 20:
                await may_go_on.wait()

        runs = [(f"w{number}", str(number)) for number in range(100)]
        screen.run_worker(act_on_all(screen, "Wait for 100 runs", runs, wait, "waited for"))
        await until(lambda: "✓ 20 done" in screen_text(app) and "80 left" in screen_text(app), "it is followed")
        await pilot.press("escape")
        may_go_on.set()
        await until(lambda: "stopped: what was done stays done" in screen_text(app), "it is stopped")
        await until(lambda: "Close (esc)" in screen_text(app), "and over")
        assert "✓ 30 done" in screen_text(app), "those that were under way are done"
        await pilot.press("escape")
        await until(lambda: "waited for 30 runs, 70 left" in screen_text(app), "it says so")


async def test_only_reading_offers_no_batch(stage: Stage) -> None:
    async with browsing(stage.server.address, is_read_only=True) as (app, pilot):
        await until(lambda: "run" in screen_text(app), "it is connected")
        await pilot.press("b")
        assert "type to narrow" not in screen_text(app)


@pytest.mark.reference
async def test_a_job_of_the_server_is_started_and_followed(reference_stage: Stage) -> None:
    stage = reference_stage
    matching = [await start(stage, "Waiter") for _ in range(5)]
    async with browsing(stage.server.address, size=(140, 40)) as (app, pilot):
        await until(lambda: all(each in screen_text(app) for each in matching), "they are listed")
        await take_filter(app, pilot, "WorkflowType = 'Waiter' OR WorkflowType = 'Nobody'")
        await choose_operation(app, pilot, "signal")
        await until(lambda: "Signal all that match" in screen_text(app), "the form opens")
        await pilot.press(*"add", "tab", *'"all of you"', "ctrl+s")
        await until(lambda: "Signal add to 5 runs?" in screen_text(app), "it says how many")
        assert "A batch job of the server does it" in screen_text(app)
        await pilot.press("y")
        await until(lambda: app.current_mode == "batches", "the batches are shown")
        await until(lambda: "✓ Completed" in screen_text(app) and "5/5" in screen_text(app), "it is followed")
        query = "(WorkflowType = 'Waiter' OR WorkflowType = 'Nobody') AND ExecutionStatus = 'Running'"
        assert f"signal {query}" in screen_text(app)
    events = await asyncio.to_thread(stage.dx, "workflow", "show", matching[0], "-o", "json")
    assert "all of you" in events.ok().stdout or "ImFsbCBvZiB5b3Ui" in events.stdout


@pytest.mark.reference
@pytest.mark.parametrize("operation", ["cancel", "terminate", "reset", "delete"])
async def test_marked_runs_get_a_job_of_their_own(reference_stage: Stage, operation: str) -> None:
    stage = reference_stage
    chosen = [await start(stage, "Waiter") for _ in range(2)]
    async with browsing(stage.server.address, size=(140, 40)) as (app, pilot):
        await until(lambda: {row.workflow_id for row in table_of(app).rows} >= set(chosen), "they are listed")
        await until(lambda: table_of(app).rows[0].workflow_id in chosen, "they are on top")
        table_of(app).move_to(0)
        await pilot.press("space", "space")
        await choose_operation(app, pilot, operation)
        if operation in ("terminate", "reset"):
            await until(lambda: "2 marked runs" in screen_text(app) and "(^s)" in screen_text(app), "the form opens")
            await pilot.press("ctrl+s")
        await until(lambda: f"{operation.title()} 2 runs?" in screen_text(app), "it asks")
        await pilot.press("y")
        await until(lambda: app.current_mode == "batches", "the batches are shown")
        await until(
            lambda: any(
                row.operation.startswith(operation[:5]) and row.state == "Completed" for row in table_of(app).rows
            ),
            "it is done",
        )
        await until(lambda: table_of(app).cursor_row.operation.startswith(operation[:5]), "the cursor is on it")
        assert table_of(app).cursor_row.completed == 2
