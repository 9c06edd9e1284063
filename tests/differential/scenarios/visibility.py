"""Describe, list, count, and task queues."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from temporalio.api.common.v1 import Memo, SearchAttributes, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeTaskQueueRequest,
    ListWorkflowExecutionsRequest,
)

from tests.differential.raw_worker import complete_workflow, payload, schedule_activity, seconds, start_timer
from tests.differential.scenario import scenario
from tests.differential.world import World


async def _list(world: World, query: str, count: int, **fields: Any) -> Any:
    request = ListWorkflowExecutionsRequest(namespace=world.namespace, query=query, **fields)

    async def complete() -> Any:
        reply = await world.call(request)
        return reply if len(reply.executions) == count else None

    return await world.eventually(complete)


@scenario()
async def describe_through_a_life(world: World) -> None:
    """What describe says of a run with a pending workflow task, then with a timer, then closed."""
    await world.start(
        workflow_execution_timeout=seconds(100),
        workflow_run_timeout=seconds(90),
        workflow_task_timeout=seconds(9),
        memo=Memo(fields={"m": payload("v")}),
        search_attributes=SearchAttributes(indexed_fields={"DiffKeyword": payload("k")}),
    )
    worker = world.raw_worker()
    await world.record_description("task scheduled")
    task = await worker.poll_workflow_task()
    await world.record_description("task started")
    await worker.complete_workflow_task(task, start_timer("t", 60))
    await world.record_description("waiting")
    await world.signal()
    await worker.next_workflow_task(complete_workflow())
    await world.record_description("closed")


@scenario()
async def list_by_equality(world: World) -> None:
    """Lists and counts by workflow id, type and status."""
    workflow_type = WorkflowType(name="ListedWorkflow")
    for name in ("a", "b", "c"):
        await world.start(
            world.workflow_id(name),
            workflow_type=workflow_type,
            task_queue=TaskQueue(name=f"{world.task_queue}-{name}"),
            memo=Memo(fields={"m": payload(name)}),
            search_attributes=SearchAttributes(indexed_fields={"DiffKeyword": payload(name)}),
        )
    await world.raw_worker(task_queue=f"{world.task_queue}-a").next_workflow_task(complete_workflow())
    running = await _list(world, "WorkflowType = 'ListedWorkflow' AND ExecutionStatus = 'Running'", 2)
    world.record_value("running", sorted(info.execution.workflow_id for info in running.executions))
    completed = await _list(world, "WorkflowType = 'ListedWorkflow' AND ExecutionStatus = \"Completed\"", 1)
    world.record_reply("completed", completed)
    world.record_reply("one", await _list(world, f"WorkflowId = '{world.workflow_id('b')}'", 1))
    world.record_reply("nobody", await _list(world, "WorkflowId = 'nobody'", 0))
    await world.record_call(
        "count", CountWorkflowExecutionsRequest(namespace="default", query="WorkflowType = 'ListedWorkflow'")
    )


@scenario()
async def list_pages(world: World) -> None:
    """Lists are paged, open runs before closed ones, the newest first."""
    workflow_type = WorkflowType(name="PagedWorkflow")
    for number in range(5):
        await world.start(world.workflow_id(str(number)), workflow_type=workflow_type)
        await asyncio.sleep(0.02)
    await world.terminate(world.workflow_id("4"))
    query = "WorkflowType = 'PagedWorkflow'"
    await _list(world, f"{query} AND ExecutionStatus = 'Terminated'", 1)
    pages = []
    token = b""
    while True:
        reply = await world.call(
            ListWorkflowExecutionsRequest(namespace=world.namespace, query=query, page_size=2, next_page_token=token)
        )
        pages.append([info.execution.workflow_id for info in reply.executions])
        token = reply.next_page_token
        if not token:
            break
    world.record_value("pages", pages)


@scenario()
async def bad_list_queries(world: World) -> None:
    """Filters that do not parse, and filters that name what is not there."""
    for query in ("WorkflowId", "WorkflowId = ", "WorkflowId = 'unfinished", "= 'x'"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await world.call(ListWorkflowExecutionsRequest(namespace="default", query=query))
        world.record_value(query, refused.value.code().name)
    for query in ("Nobody = 'x'", "ExecutionStatus = 'Nonsense'"):
        await world.record_call(query, ListWorkflowExecutionsRequest(namespace="default", query=query))


@scenario()
async def task_queue_pollers(world: World) -> None:
    """A task queue shows who polls it."""
    workers = [world.raw_worker("poller-one"), world.raw_worker("poller-two")]
    polls = [asyncio.ensure_future(worker.poll_workflow_task(timeout_seconds=4)) for worker in workers]
    await asyncio.sleep(0.5)
    for name, kind in {"workflow": 1, "activity": 2}.items():
        reply = await world.call(
            DescribeTaskQueueRequest(
                namespace="default", task_queue=TaskQueue(name=world.task_queue), task_queue_type=kind
            )
        )
        world.record_value(f"{name} pollers", sorted(poller.identity for poller in reply.pollers))
    await asyncio.gather(*polls)


@scenario()
async def pending_activities(world: World) -> None:
    """Describe shows every pending activity."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue, schedule_to_close_timeout=seconds(50)),
        schedule_activity("b", f"{world.task_queue}-other"),
    )
    await worker.poll_activity_task()
    await world.record_description("one started")
