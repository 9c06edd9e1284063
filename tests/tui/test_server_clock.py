"""The clock of a local server: moved from the browser, and gone by wherever times are shown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from durable_cli.tui.actions.clock import list_moves
from durable_cli.tui.app import BrowserApp
from durable_cli.tui.feed.clock import read_clock
from durable_cli.tui.history.run_book import RunBook
from durable_cli.tui.rows import EventRow
from durable_cli.tui.server_clock import ServerClock
from durable_cli.tui.times import here_ns, moved_ns, now_ns, set_server_clock
from tests.cli.conftest import Stage, run_stage
from tests.support.server_process import launch_dx, launch_reference, running
from tests.tui.conftest import browsing, screen_text, until

SECOND = 1_000_000_000
DAY = 86_400 * SECOND


@pytest.fixture(autouse=True)
def this_machines_clock() -> Iterator[None]:
    yield
    set_server_clock()


@pytest.fixture(scope="module")
def moved_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server of these tests alone: its clock is moved."""
    folder: Path = tmp_path_factory.mktemp("clock")
    with running(launch_dx(folder)) as server:
        yield from run_stage(server, folder)


async def start_late(stage: Stage, delay: str) -> str:
    return await asyncio.to_thread(stage.start, "Greet", "--input", '"you"', "--start-delay", delay)


async def choose_move(app: BrowserApp, pilot: object, *words: str) -> None:
    await pilot.press("T")  # type: ignore[attr-defined]
    await until(lambda: "The server's clock" in screen_text(app), "the moves are offered")
    await pilot.press(*words, "enter")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("clock", "badge"),
    [
        (ServerClock(0, 0, "running"), ""),
        (ServerClock(0, SECOND // 2, "running"), ""),
        (ServerClock(0, 3 * DAY + SECOND // 5, "running"), "+3d00h"),
        (ServerClock(0, 30 * SECOND, "running"), "+30s"),
        (ServerClock(0, -90 * SECOND, "running"), "-1m30s"),
        (ServerClock(0, 7_195 * SECOND, "running"), "+2h00m"),
        (ServerClock(0, DAY, "paused"), "+1d00h ‖ paused"),
        (ServerClock(0, -20 * SECOND, "paused"), "‖ paused"),
        (ServerClock(0, 0, "auto"), "» auto"),
        (ServerClock(0, 0, "auto", locks=1), "» locked"),
    ],
)
def test_a_badge_says_what_is_not_as_usual(clock: ServerClock, badge: str) -> None:
    assert clock.badge == badge
    assert clock.is_moved == bool(badge)


@pytest.mark.parametrize(
    ("clock", "moves"),
    [
        (ServerClock(0, 0, "running"), ["skip", "pause", "auto"]),
        (ServerClock(1, 0, "running", next_time_ns=DAY, next_words="timer 1"), ["skip", "next", "pause", "auto"]),
        (ServerClock(0, 0, "paused"), ["skip", "resume", "auto"]),
        (ServerClock(0, 0, "auto"), ["skip", "pause", "resume"]),
    ],
)
def test_only_what_would_change_something_is_offered(clock: ServerClock, moves: list[str]) -> None:
    assert [move.name for move in list_moves(clock)] == moves


def test_times_go_by_the_servers_clock() -> None:
    set_server_clock(3 * DAY)
    assert abs(now_ns() - here_ns() - 3 * DAY) < SECOND
    set_server_clock(3 * DAY, stands_at_ns=42)
    assert now_ns() == 42
    set_server_clock()
    assert abs(moved_ns()) < SECOND


def test_a_run_that_was_ahead_is_not_ahead_twice_once_the_clock_is_known() -> None:
    book, here = RunBook(), here_ns()
    book.take_events([EventRow(1, here + 3 * DAY, "WorkflowExecutionStarted", "", b"")], [], here)
    assert abs(book.now_ns(here_ns()) - here - 3 * DAY) < SECOND
    set_server_clock(3 * DAY)
    assert abs(book.now_ns(now_ns()) - here - 3 * DAY) < SECOND
    set_server_clock(4 * DAY)
    assert abs(book.now_ns(now_ns()) - here - 4 * DAY) < SECOND


def test_no_time_passes_for_a_run_while_the_clock_stands() -> None:
    book, stood = RunBook(), here_ns() - DAY
    set_server_clock(stands_at_ns=stood)
    book.take_events([EventRow(1, stood - SECOND, "WorkflowExecutionStarted", "", b"")], [], now_ns())
    assert book.now_ns(now_ns()) == stood
    book.take_events([EventRow(2, stood + SECOND, "WorkflowTaskScheduled", "", b"")], [], now_ns())
    assert book.now_ns(now_ns()) == stood + SECOND, "it was moved just now, and that is not known yet"


def test_a_clock_that_stood_is_behind_from_then_on() -> None:
    book, here = RunBook(), here_ns()
    set_server_clock(-DAY)
    book.take_events([EventRow(1, here - DAY - SECOND, "WorkflowExecutionStarted", "", b"")], [], now_ns())
    assert abs(book.now_ns(now_ns()) - here + DAY) < SECOND


async def test_time_is_skipped_and_everything_goes_by_it(moved_stage: Stage) -> None:
    stage = moved_stage
    workflow_id = await start_late(stage, "24h")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: workflow_id in screen_text(app), "it is listed")
        await choose_move(app, pilot, *"skip a time")
        await until(lambda: "there is no undo" in screen_text(app), "it says that there is no way back")
        await pilot.press(*"soon", "enter")
        assert "write it with its unit" in screen_text(app)
        await pilot.press("ctrl+u", *"2h", "enter")
        await until(lambda: "skipped 2 hours" in screen_text(app), "it says so")
        await until(lambda: "+2h00m" in screen_text(app), "the bar shows it")
        await until(lambda: "2h ago" in screen_text(app), "the list goes by it")

        await pilot.click("TopBar", offset=(screen_text(app).splitlines()[0].index("+2h00m"), 0))
        await until(lambda: "The server's clock" in screen_text(app), "a click on it offers the moves, too")
        await pilot.press("escape")

        await choose_move(app, pilot, *"due next")
        await until(lambda: f"of {workflow_id}?" in screen_text(app), "it says what is due")
        await pilot.press("y")
        await until(lambda: "✓ Completed" in screen_text(app), "the workflow ends at its time")
        await until(lambda: "+1d00h" in screen_text(app), "the bar shows it")

        await choose_move(app, pilot, *"stand")
        await until(lambda: "‖ paused" in screen_text(app), "the clock stands")
        standing = now_ns()
        assert now_ns() == standing
        await pilot.press("u")
        await until(lambda: "‖ paused" not in screen_text(app), "which is undone")

        await pilot.press("8")
        await until(lambda: "nothing is due" in screen_text(app), "the server's screen shows the clock")


async def test_a_skip_that_waits_is_shown_and_given_up(moved_stage: Stage) -> None:
    stage = moved_stage
    client = await Client.connect(stage.server.address)
    run = await client.start_workflow("Late", id=stage.new_id("stuck"), task_queue="nobody")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: run.id in screen_text(app) and app.clock is not None, "it is listed")
        before = app.clock.ahead_ns if app.clock is not None else 0
        await choose_move(app, pilot, *"skip a time")
        await until(lambda: "there is no undo" in screen_text(app), "it asks how long")
        await pilot.press(*"9d", "enter")
        await until(lambda: "» skips" in screen_text(app).splitlines()[0], "the bar says that it is not over")
        await until(lambda: "the clock is skipping time" in screen_text(app), "it says what can be done")
        await choose_move(app, pilot, *"give up the skip, which waits for workflow task")
        await until(lambda: "the skip was given up" in screen_text(app), "it is given up")
        await until(lambda: "» skips" not in screen_text(app), "nothing is skipped any more")
        after = await read_clock(app.link)
        assert after is not None
        assert after.ahead_ns - before < DAY, "the server has given it up, too"
    await run.terminate()


async def test_a_clock_that_is_moved_elsewhere_is_noticed(moved_stage: Stage) -> None:
    stage = moved_stage
    workflow_id = await start_late(stage, "120h")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: workflow_id in screen_text(app), "it is listed")
        await asyncio.to_thread(lambda: stage.dx("time", "skip", "3d").ok())
        await until(lambda: "3d ago" in screen_text(app), "the list goes by it")
        await asyncio.to_thread(lambda: stage.dx("time", "auto").ok())
        await until(lambda: "✓ Completed" in screen_text(app), "it jumps to the end of the workflow")
        await until(lambda: "» auto" in screen_text(app), "the bar says why")
        await choose_move(app, pilot, *"end the jumps")
        await until(lambda: "» auto" not in screen_text(app), "the jumps end")


async def test_only_reading_moves_no_clock(moved_stage: Stage) -> None:
    async with browsing(moved_stage.server.address, is_read_only=True) as (app, pilot):
        await until(lambda: app.clock is not None, "the clock is known")
        await pilot.press("T")
        assert "The server's clock" not in screen_text(app)


@pytest.mark.reference
async def test_another_server_has_no_clock_to_move(tmp_path: Path) -> None:
    with running(launch_reference(tmp_path)) as server:
        async with browsing(server.address) as (app, pilot):
            await until(lambda: "0 runs" in screen_text(app), "it is connected")
            await pilot.press("T")
            await until(lambda: "no clock of its own" in screen_text(app), "it says so")
            assert app.clock is None
            await until(lambda: not any(w.group == "clock" and not w.is_finished for w in app.workers), "nobody asks")
