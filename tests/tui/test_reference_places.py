"""Schedules, batches, deployments and metrics: what our server does not serve, on the reference server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from temporalio import workflow
from temporalio.api.schedule.v1 import CalendarSpec, IntervalSpec, Range, Schedule, StructuredCalendarSpec
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DescribeScheduleRequest,
    DescribeScheduleResponse,
    ListScheduleMatchingTimesRequest,
)
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

from durable_cli.tui.app import BrowserApp
from durable_cli.tui.dialogs.form import FormDialog
from durable_cli.tui.feed.schedule_protos import schedule_detail
from durable_cli.tui.schedules.week import count_week
from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.widgets.virtual_table import VirtualTable
from tests.cli.conftest import Stage, run_stage
from tests.cli.sample_worker import TASK_QUEUE
from tests.support.server_process import find_free_port, launch_reference, running
from tests.tui.conftest import browsing, fill, screen_text, until

pytestmark = pytest.mark.reference

WIDE = (150, 45)
METRICS_PORT = find_free_port()


@pytest.fixture(scope="module")
def reference_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("reference")
    slow_batches = ("--dynamic-config-value", "worker.batcherRPS=1")
    with running(launch_reference(folder, "--metrics-port", str(METRICS_PORT), *slow_batches)) as server:
        yield from run_stage(server, folder)


def table_of(app: BrowserApp) -> VirtualTable:
    return app.screen.query_one(VirtualTable)


def describe_schedule(stage: Stage, schedule_id: str) -> DescribeScheduleResponse:
    with grpc.insecure_channel(stage.server.address) as channel:
        request = DescribeScheduleRequest(namespace="default", schedule_id=schedule_id)
        return WorkflowServiceStub(channel).DescribeSchedule(request, timeout=5)


async def test_a_schedule_is_made_run_paused_changed_and_deleted(reference_stage: Stage) -> None:
    stage = reference_stage

    async def read_notes() -> tuple[bool, str]:
        state = (await asyncio.to_thread(describe_schedule, stage, "nightly")).schedule.state
        return state.paused, state.notes

    async with browsing(stage.server.address, size=WIDE) as (app, pilot):
        await pilot.press("2")
        await until(lambda: "No schedules in namespace default" in screen_text(app), "there is none")
        await pilot.press("plus")
        await until(lambda: "New schedule" in screen_text(app), "the form opens")
        fill(app, schedule_id="nightly", when="30 2 * * 1-5; every 1h/5m", time_zone="Europe/Berlin")
        fill(app, workflow_type="Greet", task_queue=TASK_QUEUE, argument='"night"')
        await pilot.press("ctrl+s")
        words = "every 1h, 5m past and Mon-Fri at 02:30, time of Europe/Berlin"
        await until(lambda: "nightly" in screen_text(app) and "every 1h, 5m" in screen_text(app), "it is listed")
        await pilot.press("enter")
        await until(lambda: words in screen_text(app), "it opens")
        assert 'Greet("night")' in screen_text(app)
        assert "It has not acted yet" in screen_text(app)

        await pilot.press("i", "y")
        await until(lambda: "✓ Completed" in screen_text(app), "it was triggered, and its run completes")
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, WorkflowScreen), "the run opens")
        await pilot.press("escape")

        await pilot.press("p", *"for the holidays", "ctrl+s")
        await until(lambda: "‖ paused" in screen_text(app) and "for the holidays" in screen_text(app), "it is paused")
        await pilot.press("u")
        await until(lambda: "● active" in screen_text(app), "which is undone")
        assert await read_notes() == (False, ""), "there was no note before, and so there is none now"

        await pilot.press("p", *"the first", "ctrl+s")
        await until(lambda: "‖ paused" in screen_text(app) and "the first" in screen_text(app), "it is paused")
        await pilot.press("p", *"the second", "ctrl+s")
        await until(lambda: "● active" in screen_text(app) and "the second" in screen_text(app), "it goes on")
        await pilot.press("u")
        await until(lambda: "‖ paused" in screen_text(app), "which is undone")
        assert await read_notes() == (True, "the first"), "the note of that time is back"
        await pilot.press("u")
        await until(lambda: "● active" in screen_text(app), "and so is what was done before")
        assert await read_notes() == (False, "")

        await pilot.press("f")
        await until(lambda: "Backfill nightly" in screen_text(app), "the form opens")
        await pilot.press("tab", "tab", "ctrl+s")
        await until(
            lambda: re.search(r"started 2\d", screen_text(app)) is not None, "the times of a day are made up for"
        )

        await pilot.press("e")
        await until(lambda: "Change nightly" in screen_text(app), "the form opens")
        await pilot.press(*"every 10m", "ctrl+s")
        await until(lambda: "● active   every 10m" in screen_text(app), "it acts at other times")
        start = (await asyncio.to_thread(describe_schedule, stage, "nightly")).schedule.action.start_workflow
        assert start.input.payloads[0].data == b'"night"'

        await pilot.press("d", "y")
        await until(lambda: "No schedules in namespace default" in screen_text(app), "it is gone")


async def test_a_wrong_schedule_is_refused_in_words(reference_stage: Stage) -> None:
    async with browsing(reference_stage.server.address, size=WIDE) as (app, pilot):
        await pilot.press("2")
        await until(lambda: "No schedules" in screen_text(app), "there is none")
        await pilot.press("plus")
        await until(lambda: "New schedule" in screen_text(app), "the form opens")
        fill(app, schedule_id="odd", when="30 99 * * *", workflow_type="Greet", task_queue=TASK_QUEUE)
        await pilot.press("ctrl+s")
        await until(lambda: "can't create schedule 'odd'" in screen_text(app), "it is said")
        await until(lambda: isinstance(app.screen, FormDialog), "it asks again")
        assert "30 99 * * *" in screen_text(app), "what was typed is not lost"


def odd_schedule() -> Schedule:
    schedule = Schedule()
    schedule.action.start_workflow.workflow_id = "odd"
    schedule.action.start_workflow.workflow_type.name = "Greet"
    schedule.action.start_workflow.task_queue.name = TASK_QUEUE
    spec = schedule.spec
    spec.timezone_name = "America/New_York"
    spec.calendar.append(CalendarSpec(second="0,30", minute="*/20", hour="8-18/3", day_of_week="1-5"))
    interval = IntervalSpec()
    interval.interval.FromTimedelta(timedelta(hours=5, minutes=7))
    interval.phase.FromTimedelta(timedelta(minutes=3))
    spec.interval.append(interval)
    spec.exclude_structured_calendar.append(
        StructuredCalendarSpec(
            second=[Range(end=59)],
            minute=[Range(end=39)],
            hour=[Range(start=11, end=14)],
            day_of_month=[Range(start=1, end=31)],
            month=[Range(start=1, end=12)],
            day_of_week=[Range(end=3)],
        )
    )
    spec.exclude_structured_calendar.append(StructuredCalendarSpec(hour=[Range(end=23)]))  # it matches no day
    return schedule


def test_a_week_has_the_times_that_the_server_tells(reference_stage: Stage) -> None:
    first_day = date(2026, 10, 28)  # New York's clocks go back in that week
    start = datetime(first_day.year, first_day.month, first_day.day, tzinfo=UTC)
    with grpc.insecure_channel(reference_stage.server.address) as channel:
        stub = WorkflowServiceStub(channel)
        stub.CreateSchedule(
            CreateScheduleRequest(namespace="default", schedule_id="odd", schedule=odd_schedule(), request_id="1"),
            timeout=5,
        )
        request = ListScheduleMatchingTimesRequest(namespace="default", schedule_id="odd")
        request.start_time.FromDatetime(start)
        request.end_time.FromDatetime(start + timedelta(days=7) - timedelta(seconds=1))
        told = stub.ListScheduleMatchingTimes(request, timeout=5).start_time
        detail = schedule_detail(
            "odd", stub.DescribeSchedule(DescribeScheduleRequest(namespace="default", schedule_id="odd"), timeout=5)
        )
    expected = [[0] * 24 for _ in range(7)]
    for each in told:
        behind = each.ToDatetime(tzinfo=UTC) - start
        expected[behind.days][behind.seconds // 3600] += 1
    assert sum(map(sum, expected)) > 100
    assert count_week(detail.row.spec, first_day, UTC) == expected


async def test_a_batch_shows_how_far_it_is_and_is_stopped(reference_stage: Stage) -> None:
    stage = reference_stage
    client = await Client.connect(stage.server.address)
    for number in range(30):
        await client.start_workflow("Batched", id=f"batched-{number}", task_queue="nobody-polls")
    query = "WorkflowType = 'Batched'"
    words = ("workflow", "signal", "--query", query, "--name", "add", "--yes", "--reason", "slowly")
    async with browsing(stage.server.address, size=WIDE) as (app, pilot):
        await until(lambda: len(table_of(app).rows) >= 30, "they are listed")
        await asyncio.to_thread(stage.official, *words)
        await pilot.press("6")
        await until(
            lambda: "slowly" in screen_text(app) and "/30" in screen_text(app), "it is listed with its progress"
        )
        assert query in screen_text(app)
        assert "x Stop" in screen_text(app)
        await pilot.press("x", *"too slow", "ctrl+s")
        await until(lambda: "stopped batch" in screen_text(app), "it is stopped")
        await until(lambda: "● Running" not in screen_text(app), "and is not running any more")
        await until(lambda: "x Stop" not in screen_text(app), "what has ended can't be stopped")
        await pilot.press("w")
        await until(lambda: app.current_mode == "workflows" and query in screen_text(app), "its runs are shown")


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class Pinned:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


async def test_versions_of_a_deployment_get_their_share(reference_stage: Stage) -> None:
    client = await Client.connect(reference_stage.server.address)

    def version(build_id: str) -> Worker:
        deployment = WorkerDeploymentVersion("shop", build_id)
        return Worker(
            client,
            task_queue="shop",
            workflows=[Pinned],
            workflow_runner=UnsandboxedWorkflowRunner(),
            deployment_config=WorkerDeploymentConfig(version=deployment, use_worker_versioning=True),
        )

    async with (
        version("1"),
        version("2"),
        browsing(client.service_client.config.target_host, size=WIDE) as (app, pilot),
    ):
        await pilot.press("5")
        await until(lambda: "shop" in screen_text(app) and "unversioned" in screen_text(app), "it is listed")
        await pilot.press("enter")
        await until(lambda: len(table_of(app).rows) == 2, "its versions are listed")

        def choose(build_id: str) -> None:
            table_of(app).move_to([row.build_id for row in table_of(app).rows].index(build_id))

        choose("1")
        await until(lambda: "workflow shop   0 waiting" in screen_text(app), "its task queue is shown")
        await pilot.press("m", "y")
        await until(lambda: "● 1 100 %" in screen_text(app) and "● Current" in screen_text(app), "it is current")
        choose("2")
        await pilot.press("percent_sign", *["backspace"] * 2, *"25", "ctrl+s")
        await until(lambda: "● 1 75 %" in screen_text(app) and "◐ 2 25 %" in screen_text(app), "the other one ramps")
        await pilot.press("u")
        await until(lambda: "● 1 100 %" in screen_text(app), "which is undone")
        await pilot.press("d", "y")
        await until(lambda: "can't delete version '2'" in screen_text(app), "what has pollers can't be deleted")


async def test_the_servers_own_metrics_are_plotted(reference_stage: Stage) -> None:
    async with browsing(reference_stage.server.address, size=WIDE) as (app, pilot):
        await pilot.press("8")
        await until(lambda: "✓ schedules" in screen_text(app), "the server is described")
        await pilot.press("m")
        await until(lambda: "The server's metrics page" in screen_text(app), "the form opens")
        fill(app, url=f"http://127.0.0.1:{METRICS_PORT}/metrics")
        await pilot.press("enter")
        await until(lambda: "memory MB" in screen_text(app), "its memory")
        await until(lambda: "all requests /s" in screen_text(app), "and what is asked of it")


async def test_a_task_queue_has_rates(reference_stage: Stage) -> None:
    async with browsing(reference_stage.server.address, size=WIDE) as (app, pilot):
        for _ in range(3):
            await asyncio.to_thread(reference_stage.start, "Greet", "--input", '"you"')
        await pilot.press("3")
        await until(lambda: any(row.name == TASK_QUEUE and row.kinds for row in table_of(app).rows), "it is described")
        table_of(app).move_to([row.name for row in table_of(app).rows].index(TASK_QUEUE))
        await pilot.press("enter")
        await until(lambda: "out /s" in screen_text(app) and "/s in" in screen_text(app), "its rates are plotted")
