"""Resets of SDK workflows: they are replayed to the reset point, go on from there and come to another result."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import activity, workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1.reset_pb2 import RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.worker import Worker

from tests.support.server_process import ServerProcess, find_free_port, launch_dx, running

QUEUE = "reset"
WORKFLOW_ID = "order"


class Calls:
    """An activity: how often it ran, and what it says."""

    def __init__(self) -> None:
        self.count = 0
        self.answer = "bad"
        self.twice = asyncio.Event()

    @activity.defn(name="ask")
    async def ask(self) -> str:
        self.count += 1
        if self.count == 2:
            self.twice.set()
        return self.answer


@workflow.defn(name="Order", sandboxed=False)
class Order:
    """Two activities, then as many signals as it takes."""

    def __init__(self) -> None:
        self.names: list[str] = []

    @workflow.run
    async def run(self, wanted: int) -> list[str]:
        timeout = timedelta(seconds=30)
        answers = [await workflow.execute_activity("ask", start_to_close_timeout=timeout) for _ in range(2)]
        await workflow.wait_condition(lambda: len(self.names) >= wanted)
        return answers + self.names

    @workflow.signal
    def add(self, name: str) -> None:
        self.names.append(name)

    @workflow.query
    def added(self) -> list[str]:
        return self.names


async def completed_tasks(handle: WorkflowHandle[Order, list[str]]) -> list[int]:
    """Return the ids of the events of a run that complete its workflow tasks."""
    history = await handle.fetch_history()
    return [each.event_id for each in history.events if each.HasField("workflow_task_completed_event_attributes")]


async def reset(client: Client, run_id: str, event_id: int, *excluded: int) -> str:
    """Reset a run as a user would and return the new run's id."""
    request = ResetWorkflowExecutionRequest(
        namespace="default",
        workflow_execution=WorkflowExecution(workflow_id=WORKFLOW_ID, run_id=run_id),
        request_id=str(uuid.uuid4()),
        reason="the answer was bad",
        workflow_task_finish_event_id=event_id,
        reset_reapply_exclude_types=excluded,  # type: ignore[arg-type]
    )
    return (await client.workflow_service.reset_workflow_execution(request)).run_id


def order(client: Client, run_id: str | None = None) -> WorkflowHandle[Order, list[str]]:
    return client.get_workflow_handle_for(Order.run, WORKFLOW_ID, run_id=run_id)


@pytest.fixture
async def client(server: ServerProcess) -> Client:
    return await Client.connect(server.address)


@pytest.fixture
async def calls(client: Client) -> AsyncIterator[Calls]:
    """Run the worker for a test."""
    calls = Calls()
    async with Worker(client, task_queue=QUEUE, workflows=[Order], activities=[calls.ask]):
        yield calls


async def finished(client: Client, calls: Calls) -> str:
    """Let an order finish with answers that are bad; return its run's id. Later answers are good."""
    handle = await client.start_workflow(Order.run, 1, id=WORKFLOW_ID, task_queue=QUEUE)
    await calls.twice.wait()
    await handle.signal(Order.add, "first")
    assert await handle.result() == ["bad", "bad", "first"]
    calls.answer = "good"
    assert handle.first_execution_run_id is not None
    return handle.first_execution_run_id


async def test_a_finished_run_comes_to_another_result(client: Client, calls: Calls) -> None:
    """The first answer is in the history that is replayed; the second is asked for again, the signal comes again."""
    run_id = await finished(client, calls)
    tasks = await completed_tasks(order(client, run_id))
    new_run_id = await reset(client, run_id, tasks[1])
    assert await order(client).result() == ["bad", "good", "first"]
    assert calls.count == 3
    assert (await order(client).describe()).run_id == new_run_id
    assert (await order(client, run_id).describe()).status == WorkflowExecutionStatus.COMPLETED
    assert await order(client, run_id).query(Order.added) == ["first"]
    assert await order(client, new_run_id).query(Order.added) == ["first"]


async def test_without_its_signals_it_waits_for_others(client: Client, calls: Calls) -> None:
    run_id = await finished(client, calls)
    tasks = await completed_tasks(order(client, run_id))
    await reset(client, run_id, tasks[0], RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL)
    await order(client).signal(Order.add, "another")
    assert await order(client).result() == ["good", "good", "another"]


async def test_an_open_run_is_terminated(client: Client, calls: Calls) -> None:
    handle = await client.start_workflow(Order.run, 2, id=WORKFLOW_ID, task_queue=QUEUE)
    await calls.twice.wait()
    await handle.signal(Order.add, "first")
    assert handle.first_execution_run_id is not None
    calls.answer = "good"
    run_id = handle.first_execution_run_id
    await reset(client, run_id, (await completed_tasks(order(client, run_id)))[0])
    assert (await order(client, run_id).describe()).status == WorkflowExecutionStatus.TERMINATED
    await order(client).signal(Order.add, "second")
    assert await order(client).result() == ["good", "good", "first", "second"]


async def test_a_reset_survives_the_end_of_the_server(tmp_path: Path) -> None:
    """The server is killed when it has answered; the new run is finished by the next one."""
    database, port, calls = tmp_path / "history.db", find_free_port(), Calls()
    with running(launch_dx(tmp_path, db_filename=database, port=port)) as server:
        client = await Client.connect(server.address)
        async with Worker(client, task_queue=QUEUE, workflows=[Order], activities=[calls.ask]):
            run_id = await finished(client, calls)
            tasks = await completed_tasks(order(client, run_id))
        new_run_id = await reset(client, run_id, tasks[1])
        server.kill()
    with running(launch_dx(tmp_path, db_filename=database, port=port)) as server:
        client = await Client.connect(server.address)
        async with Worker(client, task_queue=QUEUE, workflows=[Order], activities=[calls.ask]):
            assert await order(client, new_run_id).result() == ["bad", "good", "first"]
