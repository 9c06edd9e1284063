"""One workflow's views, over a real server and a real worker."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from durable_cli.tui.app import BrowserApp
from durable_cli.tui.screens.reader import ReaderScreen
from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.widgets.line_view import LineView
from durable_cli.tui.widgets.virtual_table import VirtualTable
from durable_cli.tui.widgets.waterfall import Waterfall
from tests.cli.conftest import SERVER_UNDER_TEST, Stage
from tests.support.server_process import launch_dx, launch_reference, running
from tests.tui.conftest import browsing, sample_stage, screen_text, until
from tests.tui.sample_worker import TASK_QUEUE


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server with the worker of these tests; `DX_TEST_SERVER=reference` takes the reference server."""
    folder: Path = tmp_path_factory.mktemp("orders")
    launch = launch_reference if SERVER_UNDER_TEST == "reference" else launch_dx
    with running(launch(folder)) as server, sample_stage(server, folder) as stage:
        yield stage


@pytest.fixture(scope="module")
def order(orders: Stage) -> str:
    """An order that waits; for tests that only look."""
    words = ("workflow", "start", "-w", "order-1", "--type", "Order", "-t", TASK_QUEUE, "-i", '{"sum": 12}')
    orders.official(*words).ok()
    return "order-1"


async def start(stage: Stage, workflow_type: str, argument: object) -> str:
    workflow_id = stage.new_id(workflow_type.lower())
    words = ("workflow", "start", "-w", workflow_id, "--type", workflow_type, "-t", TASK_QUEUE)
    await asyncio.to_thread(lambda: stage.official(*words, "-i", json.dumps(argument)).ok())
    return workflow_id


async def official(stage: Stage, *words: str) -> None:
    await asyncio.to_thread(lambda: stage.official(*words).ok())


async def start_order(stage: Stage) -> str:
    return await start(stage, "Order", {"sum": 12})


def on_screen(app: BrowserApp) -> WorkflowScreen:
    assert isinstance(app.screen, WorkflowScreen)
    return app.screen


def line_with(app: BrowserApp, *words: str) -> str:
    return next((line for line in screen_text(app).splitlines() if all(word in line for word in words)), "")


async def wait_for_order(app: BrowserApp) -> None:
    await until(lambda: bool(line_with(app, "warehouse", "attempt 2 of 5")), "the order waits for the warehouse")


async def look_at(app: BrowserApp, pilot: Pilot[None], view: str, *words: str) -> None:
    """Open a view by its key, and wait until it says something."""
    await pilot.press(view)
    await until(lambda: all(word in screen_text(app) for word in words), f"view {view} says {words}")


async def test_the_summary_says_what_it_waits_for_and_how_it_ended(orders: Stage) -> None:
    workflow_id = await start_order(orders)
    async with browsing(orders.server.address, workflow_id=workflow_id, size=(140, 45)) as (app, pilot):
        await wait_for_order(app)
        assert "last error Closed: nobody answers" in line_with(app, "call_warehouse")
        assert "runs for" in line_with(app, f"{workflow_id}-ship")
        assert "task queue tui-tests" in screen_text(app)
        await look_at(app, pilot, "4", "How it stands")
        assert "left" in line_with(app, "timer 2h", "until")
        await official(orders, "workflow", "terminate", "-w", workflow_id, "--reason", "sold out")
        await until(lambda: "■ Terminated" in screen_text(app), "its end is seen")
        assert 'terminated: "sold out"' in screen_text(app)
        await until(lambda: "it waits for nothing" in screen_text(app), "nothing is pending any more")


async def test_the_timeline_draws_bars_that_are_zoomed_and_panned(orders: Stage, order: str) -> None:
    async with browsing(orders.server.address, workflow_id=order, size=(140, 45)) as (app, pilot):
        await wait_for_order(app)
        await until(
            lambda: "\N{MULTIPLICATION SIGN}2" in line_with(app, "✓", "charge", "pay by card"), "the payment's bar"
        )
        assert "╋" in line_with(app, "✓", "charge")
        assert "╍" in line_with(app, "● timer 2h", "delivery window")
        assert "━" in line_with(app, "● child Ship")
        await pilot.press("down")
        await until(lambda: "activity charge" in screen_text(app), "what is under the cursor")
        assert '{"sum":12} → {"receipt":"r-1","sum":12}' in screen_text(app)
        await pilot.press("w")
        await until(lambda: "workflow task" in screen_text(app), "workflow tasks too")
        await pilot.press("w")
        waterfall = app.screen.query_one(Waterfall)
        assert waterfall.is_fitted
        await pilot.press("z")
        zoomed = waterfall.axis.span
        assert not waterfall.is_fitted
        await pilot.press("plus")
        assert waterfall.axis.span.length_ns < zoomed.length_ns
        await pilot.press("right")
        assert waterfall.axis.span.start_ns > zoomed.start_ns
        await pilot.press("0")
        assert waterfall.is_fitted


async def test_the_history_is_grouped_unfolded_whole_and_searched(orders: Stage, order: str) -> None:
    async with browsing(orders.server.address, workflow_id=order, size=(140, 45)) as (app, pilot):
        await wait_for_order(app)
        await look_at(app, pilot, "2", "events, grouped")
        assert "ActivityTaskScheduled" not in screen_text(app)
        await pilot.press("down", "right")
        await until(lambda: "└ ActivityTaskCompleted" in screen_text(app), "its events are below it")
        await pilot.press("down", "down", "down", "enter")
        await until(lambda: '"receipt": "r-1"' in screen_text(app), "the event is open")
        await pilot.press("a")
        await until(lambda: "WorkflowTaskScheduled" in screen_text(app), "all events")
        assert on_screen(app).selected_event_id() == 7
        await pilot.press("y")
        await until(lambda: "copied values" in screen_text(app), "it says so")
        assert json.loads(app.clipboard) == {"receipt": "r-1", "sum": 12}
        await pilot.press("Y")
        assert json.loads(app.clipboard)["eventId"] == "7"
        await pilot.press("g", "slash", *"receipt", "enter")
        await until(lambda: "/receipt: 1 of 1" in screen_text(app), "the payload is found")
        assert on_screen(app).selected_event_id() == 7
        await pilot.press("slash", "escape")
        assert not app.screen.query_one("#search", Input).has_class("-shown")
        await pilot.press("slash", *[*["backspace"] * 7, *"nothing-such"], "enter")
        await until(lambda: "/nothing-such: not found" in screen_text(app), "it says so")


async def test_new_events_are_followed(orders: Stage) -> None:
    workflow_id = await start_order(orders)
    async with browsing(orders.server.address, workflow_id=workflow_id) as (app, pilot):
        await wait_for_order(app)
        await look_at(app, pilot, "2", "events, grouped")
        await pilot.press("f")
        await official(orders, "workflow", "signal", "-w", workflow_id, "--name", "gift", "--input", '"שלום"')
        await until(lambda: '"שלום"' in line_with(app, "signal gift"), "the signal is shown")
        group = on_screen(app).selected_group()
        assert group is not None
        assert group.name == "gift"


async def test_the_history_is_exported_in_the_official_form(orders: Stage, order: str, tmp_path: Path) -> None:
    path = tmp_path / "order.json"
    async with browsing(orders.server.address, workflow_id=order) as (app, pilot):
        await wait_for_order(app)
        for _ in range(2):
            await pilot.press("e")
            await until(lambda: "Export" in screen_text(app), "it asks where to")
            app.screen.query_one("#field-path", Input).value = str(path)
            await pilot.press("ctrl+s")
            await until(lambda: "events are in" in screen_text(app) or "Replace" in screen_text(app), "it is saved")
        await pilot.press("y")
    exported = json.loads(path.read_text(encoding="utf-8"))["events"]
    shown = orders.official("workflow", "show", "-w", order, "-o", "json").ok().json["events"]
    assert [event["eventId"] for event in exported] == [event["eventId"] for event in shown[: len(exported)]]
    assert exported[0].keys() == shown[0].keys()


async def test_input_and_result(orders: Stage) -> None:
    workflow_id = await start_order(orders)
    async with browsing(orders.server.address, workflow_id=workflow_id, size=(140, 45)) as (app, pilot):
        await wait_for_order(app)
        await look_at(app, pilot, "3", "none yet: the run goes on", '"sum": 12')
        await official(orders, "workflow", "signal", "-w", f"{workflow_id}-ship", "--name", "release")
        await official(orders, "workflow", "signal", "-w", workflow_id, "--name", "done")
        await until(lambda: '"note": "日本語 שלום"' in screen_text(app), "the result")
        await pilot.press("y")
        assert json.loads(app.clipboard)["shipped"] == "shipped to Basel"
        await pilot.press("v")
        await until(lambda: isinstance(app.screen, ReaderScreen), "it is opened whole")
        await pilot.press("escape", "1", "v")
        await until(lambda: f"{workflow_id}: workflow Order" in screen_text(app), "it says of which run it is")


async def test_a_failure_is_readable_with_its_causes(orders: Stage) -> None:
    workflow_id = await start(orders, "Refusal", "no such customer")
    async with browsing(orders.server.address, workflow_id=workflow_id) as (app, pilot):
        await until(lambda: "✗ Failed" in screen_text(app), "it has failed")
        await look_at(app, pilot, "3", "OrderRefused: the order was refused", "← Refused: no such customer")
        assert "frames in libraries" in screen_text(app)
        assert "sample_worker.py" in screen_text(app)


async def test_relations_over_runs_and_children(orders: Stage, order: str) -> None:
    async with browsing(orders.server.address, workflow_id=order, size=(140, 45)) as (app, pilot):
        await wait_for_order(app)
        await look_at(app, pilot, "5", "this run, started", f"{order}-ship")
        await pilot.press("down", "enter")
        await until(lambda: on_screen(app).workflow_id == f"{order}-ship", "the child opens")
        await look_at(app, pilot, "5", "parent", "this run")
        await pilot.press("escape")
        assert on_screen(app).workflow_id == order


async def test_relations_over_continue_as_new(orders: Stage) -> None:
    workflow_id = await start(orders, "Countdown", 2)
    await asyncio.to_thread(orders.finish, workflow_id)
    async with browsing(orders.server.address, workflow_id=workflow_id, size=(140, 45)) as (app, pilot):
        await until(lambda: "✓ Completed" in screen_text(app), "the last run")
        await look_at(app, pilot, "5", "this run, continued as new", "started")
        assert screen_text(app).count("↻ ContinuedAsNew") == 2
        await pilot.press("up", "enter")
        await until(lambda: "↻ ContinuedAsNew" in screen_text(app) and "goes on as run" in screen_text(app), "the run")
        await pilot.press("1")
        await until(lambda: "1, goes on with 0" in screen_text(app), "what the next run was given")
        assert re.search(r"goes on as run \S+ with 0\b", screen_text(app))
        assert "result 0" not in screen_text(app)
        await pilot.press("o")
        await until(lambda: "✓ Completed" in screen_text(app), "the run that goes on")


async def test_queries_that_the_code_names_and_answers(orders: Stage, order: str) -> None:
    async with browsing(orders.server.address, workflow_id=order, size=(140, 45)) as (app, pilot):
        await wait_for_order(app)
        await look_at(app, pilot, "6", "waits for the warehouse", "done  Ends it.", "The price in a currency.")
        await pilot.press("down", "enter")
        await until(lambda: "activity: call_warehouse" in screen_text(app), "the stack trace")
        await pilot.press("down", "i")
        await until(lambda: "Ask price" in screen_text(app), "it asks for arguments")
        await pilot.press(*'"CHF", 3', "ctrl+s")
        await until(lambda: '"amount": 36' in screen_text(app), "the answer")
        await pilot.press("plus")
        await until(lambda: "Ask a query" in screen_text(app), "any query")
        await pilot.press(*"no-such", "ctrl+s")
        await until(lambda: "no-such" in screen_text(app) and "can't query" in screen_text(app), "it is refused")


async def test_a_query_without_a_worker_says_so(orders: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("durable_cli.tui.feed.queries.SECONDS", 0.5)
    words = ("workflow", "start", "-w", "lonely", "--type", "Order", "-t", "nobody", "-i", "{}")
    await official(orders, *words)
    async with browsing(orders.server.address, workflow_id="lonely") as (app, pilot):
        await until(lambda: "does a worker poll task queue nobody?" in screen_text(app), "it waits for a worker")
        await look_at(app, pilot, "6", "no worker answered")


async def test_two_runs_are_compared(orders: Stage) -> None:
    workflow_id = await start(orders, "Countdown", 1)
    await asyncio.to_thread(orders.finish, workflow_id)
    async with browsing(orders.server.address, workflow_id=workflow_id, size=(140, 45)) as (app, pilot):
        await until(lambda: "✓ Completed" in screen_text(app), "the last run")
        await look_at(app, pilot, "7", "1 of 1 differ", "completed, not continued as new")
        await pilot.press("enter")
        await until(lambda: "- the other" in screen_text(app), "what differs")
        await pilot.press("x")
        await until(lambda: "Compare with" in screen_text(app), "another run")
        app.screen.query_one("#field-run", Input).value = ""
        await pilot.press("ctrl+s")
        await until(lambda: "all 1 groups agree" in screen_text(app), "it is the same run")


async def test_travel_shows_what_was_pending_then(orders: Stage, order: str) -> None:
    async with browsing(orders.server.address, workflow_id=order, size=(140, 45)) as (app, pilot):
        await wait_for_order(app)
        await pilot.press("down", "right_square_bracket")
        await until(lambda: "ActivityTaskScheduled" in screen_text(app), "the event under the cursor")
        pending = app.screen.query_one("#travel-pending", LineView)
        assert any("activity charge" in line.text for line in pending.lines)
        assert "child Ship" not in screen_text(app).split("pending then")[1]
        await pilot.press("right_square_bracket", "right_square_bracket")
        await until(lambda: "ActivityTaskCompleted" in screen_text(app), "two events later")
        assert not any("activity charge" in line.text for line in pending.lines)
        await pilot.press("less_than_sign")
        assert on_screen(app).selected_event_id() == 1
        await pilot.press("right_curly_bracket")
        assert on_screen(app).selected_event_id() == 4


async def test_a_run_that_is_left_is_not_followed(orders: Stage) -> None:
    workflow_id = await start_order(orders)
    async with browsing(orders.server.address, workflow_id=workflow_id) as (app, pilot):
        await wait_for_order(app)
        first = on_screen(app)
        first.open_run(f"{workflow_id}-ship", "")
        await until(lambda: app.screen is not first and "nothing is scheduled" in screen_text(app), "the child")
        await official(orders, "workflow", "signal", "-w", workflow_id, "--name", "gift")
        count = len(first.book.history.rows)
        await pilot.press("escape")
        await until(lambda: len(first.book.history.rows) > count, "it is followed again")
        await until(lambda: "signal gift" in screen_text(app), "what came in between")


async def test_it_fits_a_small_terminal(orders: Stage, order: str) -> None:
    async with browsing(orders.server.address, workflow_id=order, size=(80, 24)) as (app, pilot):
        await until(lambda: "charge" in screen_text(app), "the timeline")
        for view in "12345678":
            await pilot.press(view)
            await pilot.pause()
            screen = screen_text(app).splitlines()
            assert screen[1].startswith(" ● Running")
            assert "8 Travel" in screen[3]
        await pilot.click("TabStrip", offset=(14, 0))
        await until(lambda: "events, grouped" in screen_text(app), "a click on its name opens a view")


def test_a_view_is_made_only_when_it_is_looked_at() -> None:
    code = "import sys, durable_cli.tui.app; print([n for n in sys.modules if 'screens.workflow.' in n])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "screens.workflow.screen" in loaded
    assert "screens.workflow.history" not in loaded
    assert cast(str, loaded).count("temporalio") == 0


async def test_a_run_may_be_left_before_it_is_shown(orders: Stage, order: str) -> None:
    assert order
    async with browsing(orders.server.address) as (app, pilot):
        table = app.screen.query_one(VirtualTable)
        await until(lambda: bool(table.rows), "there are runs")
        first = app.screen
        for milliseconds in (0, 1, 2, 5, 8, 13, 20, 30, 50, 80):
            for key in ("enter", "escape"):
                app.simulate_key(key)
                await asyncio.sleep(milliseconds / 1_000)
            await until(lambda: app.screen is first or isinstance(app.screen, WorkflowScreen), "it goes on")
            if app.screen is not first:
                await pilot.press("escape")
        await until(lambda: app.screen is first, "all are left")


async def test_a_run_that_was_left_takes_no_memory(orders: Stage, order: str) -> None:
    assert order
    async with browsing(orders.server.address) as (app, pilot):
        table = app.screen.query_one(VirtualTable)
        await until(lambda: bool(table.rows), "there are runs")
        books = []
        for view in "123":
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, WorkflowScreen), "it is open")
            await pilot.press(view, "question_mark")
            screen = cast(WorkflowScreen, app.screen)
            await until(lambda screen=screen: bool(screen.book.history.rows), "it is read")
            books.append(weakref.ref(screen.book))
            del screen
            await pilot.press("question_mark", "question_mark", "escape")
            await until(lambda: not isinstance(app.screen, WorkflowScreen), "it is left")
        await until(lambda: not any(book() for book in books), "all is thrown away")


async def test_a_place_of_another_namespace_takes_no_memory(orders: Stage) -> None:
    async with browsing(orders.server.address) as (app, pilot):
        await pilot.press("3")
        await until(lambda: "task queues" in screen_text(app), "it is shown")
        place = weakref.ref(app.screen)
        await pilot.press("1")
        await app.change_namespace("other")
        await pilot.press("3")
        await until(lambda: place() is None, "what was of the old one is thrown away")
        assert "task queues" in screen_text(app)
