"""The places beside the workflows, on our server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import WorkerStatus
from temporalio.api.worker.v1 import WorkerHeartbeat, WorkerHostInfo, WorkerSlotsInfo
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RecordWorkerHeartbeatRequest
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub
from textual.pilot import Pilot
from textual.widgets import Input

from durable_cli.tui.app import BrowserApp
from durable_cli.tui.dialogs.form import FormDialog
from durable_cli.tui.places import PLACES
from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.widgets.virtual_table import VirtualTable
from tests.cli.conftest import Stage
from tests.cli.sample_worker import TASK_QUEUE
from tests.tui.conftest import browsing, fill, screen_text, until


async def start(stage: Stage, workflow_type: str, *words: str) -> str:
    return await asyncio.to_thread(stage.start, workflow_type, *words)


@asynccontextmanager
async def at_place(
    stage: Stage, key: str, *, is_read_only: bool = False, size: tuple[int, int] = (150, 40)
) -> AsyncIterator[tuple[BrowserApp, Pilot[None]]]:
    async with browsing(stage.server.address, is_read_only=is_read_only, size=size) as (app, pilot):
        await pilot.press(key)
        place = next(place for place in PLACES if place.key == key)
        await until(lambda: app.current_mode == place.name, "the place is shown")
        yield app, pilot


def table_of(app: BrowserApp) -> VirtualTable:
    return app.screen.query_one(VirtualTable)


async def test_each_place_stays_as_it_was_left(stage: Stage) -> None:
    workflow_id = await start(stage, "Waiter")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: workflow_id in screen_text(app), "it is listed")
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, WorkflowScreen), "the workflow opens")
        await app.run_action("go_to_place('task_queues')")
        await until(lambda: TASK_QUEUE in screen_text(app), "its task queue is listed")
        await pilot.press("1")
        await until(lambda: isinstance(app.screen, WorkflowScreen), "the workflow is still open")
        await app.run_action("go_to_place('workflows')")
        await until(lambda: len(app.screen_stack) == 1, "the same place once more is its first screen")


@pytest.mark.parametrize("size", [(150, 40), (100, 40)], ids=["wide", "narrow"])
async def test_the_places_are_clicked(stage: Stage, size: tuple[int, int]) -> None:
    await start(stage, "Waiter")
    async with browsing(stage.server.address, size=size) as (app, pilot):
        await until(lambda: "● Running" in screen_text(app), "it is connected")
        line = screen_text(app).splitlines()[0]
        x = line.index("schedules") if "schedules" in line else line.index(" 2 ") + 1
        await pilot.click(offset=(x, 0))
        await until(lambda: app.current_mode == "schedules", "the place is shown")


async def test_the_palette_finds_the_places(stage: Stage) -> None:
    await start(stage, "Waiter")
    async with browsing(stage.server.address) as (app, pilot):
        await until(lambda: "● Running" in screen_text(app), "it is connected")
        await pilot.press("ctrl+p", *"go to namesp")
        await until(lambda: "Go to namespaces" in screen_text(app), "it is found")
        await pilot.press("enter")
        await until(lambda: app.current_mode == "namespaces", "it is shown")


async def test_a_digit_in_a_form_is_a_digit(stage: Stage) -> None:
    async with at_place(stage, "3") as (app, pilot):
        await until(lambda: "task queue" in screen_text(app), "it is connected")
        await pilot.press("plus")
        await until(lambda: "Show a task queue" in screen_text(app), "the form opens")
        await pilot.press(*"queue-2")
        await until(lambda: "queue-2" in screen_text(app), "it is typed")
        assert app.current_mode == "task_queues"
        await pilot.press("enter")
        await until(lambda: "without a worker" in screen_text(app) and "queue-2" in screen_text(app), "it is listed")


@pytest.mark.parametrize(("key", "thing"), [("2", "schedules"), ("5", "worker deployments"), ("6", "batch operations")])
async def test_what_the_server_does_not_have_is_said_calmly(stage: Stage, key: str, thing: str) -> None:
    async with at_place(stage, key) as (app, pilot):
        await until(lambda: f"This server has no {thing}" in screen_text(app), "it is said")
        assert "can't" not in screen_text(app)
        for unavailable in ("Trigger", "Delete", "Stop"):
            assert unavailable not in screen_text(app).splitlines()[-1]
        await pilot.press("plus", "i", "d", "x", "f", "e", "p")
        assert f"This server has no {thing}" in screen_text(app)


async def test_a_task_queue_shows_who_polls_and_what_waits(stage: Stage) -> None:
    await start(stage, "Waiter")
    words = ("workflow", "start", "--type", "Nobody", "-t", "lonely", "-w", stage.new_id("lonely"))
    await asyncio.to_thread(stage.official, *words)
    async with at_place(stage, "3") as (app, pilot):
        await until(
            lambda: any("lonely" in line and "no worker" in line for line in screen_text(app).splitlines()),
            "a task queue that nobody polls",
        )
        names = [row.name for row in table_of(app).rows]
        assert names == sorted(names)
        await until(lambda: table_of(app).rows[names.index("lonely")].backlog_count == 1, "its task waits")
        table_of(app).move_to(names.index(TASK_QUEUE))
        await pilot.press("enter")
        await until(lambda: "2 pollers" in screen_text(app), "both kinds have their poller")
        assert "workflow tasks" in screen_text(app)
        await pilot.press("w")
        await until(
            lambda: app.current_mode == "workflows" and f"TaskQueue = '{TASK_QUEUE}'" in screen_text(app), "its runs"
        )
        await until(lambda: table_of(app).rows and "Nobody" not in screen_text(app), "and no others")


async def test_a_worker_shows_what_it_reports(stage: Stage) -> None:
    now = Timestamp()
    now.GetCurrentTime()
    heartbeat = WorkerHeartbeat(
        worker_instance_key="key-1",
        worker_identity="7@shop",
        host_info=WorkerHostInfo(host_name="shop", process_id="7", current_host_cpu_usage=0.5),
        task_queue="orders",
        sdk_name="temporal-python",
        sdk_version="1.35.0",
        status=WorkerStatus.WORKER_STATUS_RUNNING,
        start_time=now,
        heartbeat_time=now,
        workflow_task_slots_info=WorkerSlotsInfo(
            current_used_slots=25, current_available_slots=75, total_processed_tasks=1234, slot_supplier_kind="Fixed"
        ),
        current_sticky_cache_size=17,
    )
    with grpc.insecure_channel(stage.server.address) as channel:
        WorkflowServiceStub(channel).RecordWorkerHeartbeat(
            RecordWorkerHeartbeatRequest(namespace="default", identity="7@shop", worker_heartbeat=[heartbeat]),
            timeout=5,
        )
    async with at_place(stage, "4") as (app, pilot):
        await until(lambda: "7@shop" in screen_text(app), "it is listed")
        await pilot.press("end")
        await until(lambda: "25/100" in screen_text(app) and "1,234" in screen_text(app), "what it is busy with")
        assert "7 on shop" in screen_text(app)
        await pilot.press("enter")
        await until(lambda: "0 pollers" in screen_text(app) and "orders" in screen_text(app), "its task queue opens")


async def test_a_namespace_is_gone_into_and_made(stage: Stage) -> None:
    workflow_id = await start(stage, "Waiter")
    name = stage.new_id("made")
    async with at_place(stage, "7") as (app, pilot):
        await until(lambda: "other" in screen_text(app), "they are listed")
        assert "▸  default" in screen_text(app)
        await pilot.press("plus")
        await until(lambda: "New namespace" in screen_text(app), "the form opens")
        await pilot.press(*name, "tab", *["backspace"] * 3, *"9 weeks", "ctrl+s")
        await until(lambda: "'9 weeks' is no duration" in screen_text(app), "a wrong one is refused")
        await until(lambda: isinstance(app.screen, FormDialog), "it asks again, with what was typed")
        assert app.screen.query_one("#field-name", Input).value == name
        fill(app, retention="7d")
        await pilot.press("ctrl+s")
        await until(lambda: any(row.name == name for row in table_of(app).rows), "it is made")
        table_of(app).move_to([row.name for row in table_of(app).rows].index(name))
        await pilot.press("enter")
        await until(lambda: f"dx / {name}" in screen_text(app) and "0 runs" in screen_text(app), "it is browsed")
        assert workflow_id not in screen_text(app)
    with grpc.insecure_channel(stage.server.address) as channel:
        reply = WorkflowServiceStub(channel).DescribeNamespace(DescribeNamespaceRequest(namespace=name), timeout=5)
    assert reply.config.workflow_execution_retention_ttl.ToTimedelta().days == 7


async def test_a_list_is_narrowed_by_words(stage: Stage) -> None:
    async with at_place(stage, "7") as (app, pilot):
        await until(lambda: len(table_of(app).rows) >= 2, "they are listed")
        count = len(table_of(app).rows)
        await pilot.press("slash", *"oth 1")
        await until(lambda: [row.name for row in table_of(app).rows] == ["other"], "only what matches is shown")
        assert app.current_mode == "namespaces", "a digit is one of the words"
        assert "1 shown" in screen_text(app)
        await pilot.press("enter", "escape")
        await until(lambda: len(table_of(app).rows) == count, "all are back")


async def test_another_namespace_forgets_what_was_open(stage: Stage) -> None:
    await start(stage, "Waiter")
    async with at_place(stage, "3") as (app, pilot):
        await until(lambda: TASK_QUEUE in screen_text(app), "it is listed")
        await pilot.press("enter")
        await until(lambda: "pollers" in screen_text(app), "it opens")
        await pilot.press("1", "n")
        await until(lambda: "type to narrow" in screen_text(app), "namespaces are offered")
        await pilot.press(*"other", "enter")
        await until(lambda: "dx / other" in screen_text(app) and "0 runs" in screen_text(app), "it is browsed")
        await pilot.press("3")
        await until(lambda: "No task queues in namespace other" in screen_text(app), "nothing is left of the old one")


async def test_the_server_says_what_it_is_and_can(stage: Stage) -> None:
    await start(stage, "Waiter")
    async with at_place(stage, "8") as (app, _):
        await until(lambda: "● serving" in screen_text(app) and "sqlite" in screen_text(app), "it is described")
        assert "✓ eager workflow start" in screen_text(app)
        assert "✗ schedules" in screen_text(app)
        assert "● Running" in screen_text(app)
        await until(lambda: any(each.calls for each in app.link.calls.last(time.monotonic(), 5)), "calls are counted")


async def test_a_metrics_page_that_can_not_be_read_is_said(stage: Stage) -> None:
    async with at_place(stage, "8") as (app, pilot):
        await until(lambda: "the server does not tell" in screen_text(app), "there is none")
        await pilot.press("m")
        await until(lambda: "The server's metrics page" in screen_text(app), "the form opens")
        await pilot.press(*f"http://{stage.server.address}/metrics", "enter")
        await until(lambda: "can't be read" in screen_text(app), "it is said")
        assert app.preferences.metrics == {stage.server.address: f"http://{stage.server.address}/metrics"}


async def test_nobody_sees_what_nobody_asks_for(stage: Stage) -> None:
    async with at_place(stage, "7") as (app, pilot):
        await until(lambda: "other" in screen_text(app), "they are listed")
        watches = {
            worker.node.__class__.__name__
            for worker in app.workers
            if worker.group == "watches" and not worker.is_finished
        }
        assert watches == {"NamespacesScreen"}
        await pilot.press("1")
        await until(lambda: app.current_mode == "workflows", "back at the workflows")
        await until(
            lambda: (
                {
                    worker.node.__class__.__name__
                    for worker in app.workers
                    if worker.group == "watches" and not worker.is_finished
                }
                == {"WorkflowsScreen"}
            ),
            "only what is seen is asked for",
        )


async def test_only_reading_offers_no_change(stage: Stage) -> None:
    async with at_place(stage, "7", is_read_only=True) as (app, pilot):
        await until(lambda: "other" in screen_text(app), "they are listed")
        assert "Create" not in screen_text(app)
        await pilot.press("plus")
        assert "New namespace" not in screen_text(app)


async def test_a_namespace_is_changed_gets_attributes_and_is_deleted(stage: Stage) -> None:
    async with at_place(stage, "7") as (app, pilot):
        await until(lambda: "default" in screen_text(app), "the namespaces are listed")
        await pilot.press("plus")
        await until(lambda: "New namespace" in screen_text(app), "the form opens")
        await pilot.press(*"passing", "ctrl+s")
        await until(lambda: any(row.name == "passing" for row in table_of(app).rows), "it is made")
        table_of(app).move_to(next(i for i, row in enumerate(table_of(app).rows) if row.name == "passing"))
        await pilot.press("e")
        await until(lambda: "Namespace passing" in screen_text(app), "the form opens")
        await pilot.press("tab", *"for a while", "ctrl+s")
        await until(lambda: any(row.description == "for a while" for row in table_of(app).rows), "it is changed")
        await pilot.press("a")
        await until(lambda: "New search attribute of passing" in screen_text(app), "the form opens")
        await pilot.press(*"Region", "ctrl+s")
        await until(lambda: "added Region (Keyword) to namespace passing" in screen_text(app), "it is added")
        await pilot.press("D")
        await until(lambda: "Region   Keyword" in screen_text(app), "it is there to be chosen")
        await pilot.press("enter")
        await until(lambda: "Remove Region?" in screen_text(app), "it asks")
        await pilot.press("y")
        await until(lambda: "removed Region from namespace passing" in screen_text(app), "it is removed")
        await pilot.press("d")
        await until(lambda: "Delete namespace passing?" in screen_text(app), "it asks")
        await pilot.press(*"default", "ctrl+s")
        await until(lambda: "default is not passing" in screen_text(app), "another name deletes nothing")
        await pilot.press("d")
        await until(lambda: "Delete namespace passing?" in screen_text(app), "it asks again")
        await pilot.press(*"passing", "ctrl+s")
        await until(lambda: all(row.name != "passing" for row in table_of(app).rows), "it is gone")
