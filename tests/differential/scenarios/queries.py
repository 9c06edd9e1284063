"""Queries against waiting, running, closed and unreachable workflows."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Header
from temporalio.api.failure.v1 import Failure
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollWorkflowTaskQueueResponse,
    QueryWorkflowRequest,
    RespondQueryTaskCompletedRequest,
)
from temporalio.client import WorkflowQueryFailedError
from temporalio.service import RPCError

from tests.differential.raw_worker import application_failure, complete_workflow, fail_workflow, payload, payloads
from tests.differential.scenario import scenario
from tests.differential.world import World


@workflow.defn
class Status:
    def __init__(self) -> None:
        self.status = "waiting"
        self.done = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.done)
        self.status = "closed"
        return self.status

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def get_status(self) -> str:
        return self.status

    @workflow.query
    def broken(self) -> str:
        raise ValueError("no answer")


def _query(world: World, query_type: str = "status", **fields: Any) -> QueryWorkflowRequest:
    query = WorkflowQuery(query_type=query_type, query_args=fields.pop("query_args", None))
    return QueryWorkflowRequest(namespace=world.namespace, execution=world.execution(), query=query, **fields)


def _answer(world: World, task: PollWorkflowTaskQueueResponse, **fields: Any) -> RespondQueryTaskCompletedRequest:
    fields = {"completed_type": "QUERY_RESULT_TYPE_ANSWERED", **fields}
    return RespondQueryTaskCompletedRequest(namespace=world.namespace, task_token=task.task_token, **fields)


@scenario()
async def sdk_waiting_and_closed(world: World) -> None:
    """An SDK workflow answers while it waits and after it closed; unknown and failing queries are errors."""
    async with world.worker([Status]):
        handle = await world.client.start_workflow(Status.run, id=world.workflow_id(), task_queue=world.task_queue)
        world.record_value("waiting", await handle.query(Status.get_status))
        for name in ("unknown", "broken"):
            try:
                await handle.query(name)
            except (WorkflowQueryFailedError, RPCError) as error:
                world.record_value(name, f"{type(error).__name__}: {str(error).splitlines()[0]}")
        await handle.signal(Status.finish)
        await handle.result()
        world.record_value("closed", await handle.query(Status.get_status))
    await world.record_history()


@scenario()
async def direct(world: World) -> None:
    """A query of a waiting run is a task of its own: with the whole history, and no trace in it."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    answer = asyncio.ensure_future(world.call(_query(world, query_args=payloads("how", 2))))
    task = await worker.poll_workflow_task()
    world.record_reply("query task", task)
    world.record_reply("answering", await world.call(_answer(world, task, query_result=payloads("fine"))))
    world.record_reply("answer", await answer)
    await world.record_outcome("answered twice", world.call(_answer(world, task, query_result=payloads("again"))))
    await world.record_history()


@scenario()
async def direct_failed(world: World) -> None:
    """A worker answers a query with a failure."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    answer = asyncio.ensure_future(world.call(_query(world)))
    task = await worker.poll_workflow_task()
    failed = _answer(
        world,
        task,
        completed_type="QUERY_RESULT_TYPE_FAILED",
        error_message="cannot say",
        failure=Failure(message="cannot say", source="RawSDK"),
    )
    await world.call(failed)
    await world.record_outcome("answer", answer)


@scenario()
async def with_a_pending_workflow_task(world: World) -> None:
    """A query that comes while a workflow task is pending rides on it, after the events that it must see."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.signal()
    answer = asyncio.ensure_future(world.call(_query(world)))
    await asyncio.sleep(0.3)
    task = await worker.poll_workflow_task()
    world.record_value("queries on the task", [query.query_type for query in task.queries.values()])
    results = {
        query_id: WorkflowQueryResult(result_type="QUERY_RESULT_TYPE_ANSWERED", answer=payloads("seen"))
        for query_id in task.queries
    }
    world.record_reply("reply", await worker.complete_workflow_task(task, query_results=results))
    world.record_reply("answer", await answer)
    await world.record_history()


@scenario()
async def during_a_workflow_task(world: World) -> None:
    """A query that comes while a worker has the workflow task is answered after it."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.signal()
    task = await worker.poll_workflow_task()
    answer = asyncio.ensure_future(world.call(_query(world)))
    await asyncio.sleep(0.3)
    await worker.complete_workflow_task(task)
    query_task = await worker.poll_workflow_task()
    world.record_reply("next task", query_task)
    await world.call(_answer(world, query_task, query_result=payloads("after")))
    world.record_reply("answer", await answer)
    await world.record_history()


@scenario()
async def with_the_close(world: World) -> None:
    """A query that rides on the workflow task which closes the run."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.signal()
    answer = asyncio.ensure_future(world.call(_query(world)))
    await asyncio.sleep(0.3)
    task = await worker.poll_workflow_task()
    results = {
        query_id: WorkflowQueryResult(result_type="QUERY_RESULT_TYPE_FAILED", error_message="no longer")
        for query_id in task.queries
    }
    await worker.complete_workflow_task(task, complete_workflow(), query_results=results)
    await world.record_outcome("answer", answer)
    await world.record_history()


@scenario()
async def before_the_first_task_completes(world: World) -> None:
    """A query before the first workflow task rides on it; left unanswered there, it becomes a task of its own."""
    await world.start()
    worker = world.raw_worker()
    answer = asyncio.ensure_future(world.call(_query(world)))
    await asyncio.sleep(0.5)
    task = await worker.poll_workflow_task()
    world.record_value("queries on the first task", [query.query_type for query in task.queries.values()])
    await worker.complete_workflow_task(task)
    query_task = await worker.poll_workflow_task()
    world.record_value("query task", query_task.query.query_type)
    await world.call(_answer(world, query_task, query_result=payloads("started")))
    world.record_reply("answer", await answer)
    await world.record_history()


@scenario()
async def without_a_worker(world: World) -> None:
    """Where a worker polled a moment ago the client's deadline ends a query; where none ever did the server refuses."""
    await world.start()
    await world.raw_worker().next_workflow_task()
    await world.record_call("polled a moment ago", _query(world), timeout_seconds=3)
    await world.terminate()
    await world.start(request_id="second", task_queue=TaskQueue(name=f"{world.task_queue}-never-polled"))
    await world.terminate()
    await world.record_call("never polled", _query(world), timeout_seconds=4)


@scenario()
async def reject_conditions(world: World) -> None:
    """A query can be refused by the state of the run."""
    conditions = ("QUERY_REJECT_CONDITION_NOT_OPEN", "QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY")
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(fail_workflow(application_failure("broken")))
    for condition in conditions:
        await world.record_call(condition, _query(world, query_reject_condition=condition))
    await world.start(request_id="second")
    await worker.next_workflow_task(complete_workflow())
    await world.record_call("completed, not open", _query(world, query_reject_condition=conditions[0]))
    answer = asyncio.ensure_future(world.call(_query(world, query_reject_condition=conditions[1])))
    task = await worker.poll_workflow_task()
    world.record_reply("query task of a closed run", task)
    await world.call(_answer(world, task, query_result=payloads("closed")))
    await world.record_outcome("completed, not completed cleanly", answer)


@scenario()
async def sticky(world: World) -> None:
    """A query goes to the sticky queue without history; where nobody polls it, to the normal queue."""
    await world.start()
    worker = world.raw_worker()
    sticky_queue = f"{world.name}-sticky"
    await worker.complete_workflow_task(await worker.poll_workflow_task(), sticky=sticky_queue)
    poll = asyncio.ensure_future(worker.poll_workflow_task(sticky=sticky_queue))
    await asyncio.sleep(0.3)
    answer = asyncio.ensure_future(world.call(_query(world)))
    task = await poll
    world.record_reply("sticky query task", task)
    await world.call(_answer(world, task, query_result=payloads("sticky")))
    world.record_reply("answer", await answer)


@scenario()
async def with_header_and_arguments(world: World) -> None:
    """A query's header and arguments reach the worker."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    request = _query(world, query_args=payloads(1, "two"))
    request.query.header.CopyFrom(Header(fields={"h": payload("v")}))
    answer = asyncio.ensure_future(world.call(request))
    task = await worker.poll_workflow_task()
    world.record_reply("query", task.query)
    await world.call(_answer(world, task))
    world.record_reply("answer without a result", await answer)
