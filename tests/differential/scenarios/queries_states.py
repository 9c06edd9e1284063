"""Queries of runs in every state: closed, continued, failing, terminated meanwhile, with signals before them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from temporalio.api.failure.v1 import Failure
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollWorkflowTaskQueueResponse,
    QueryWorkflowRequest,
    RespondQueryTaskCompletedRequest,
)

from tests.differential.raw_worker import (
    RawWorker,
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    payloads,
    seconds,
)
from tests.differential.scenario import scenario
from tests.differential.world import World

CONDITIONS = ("NONE", "NOT_OPEN", "NOT_COMPLETED_CLEANLY")
CONTINUE_AS_NEW = command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", backoff_start_interval=seconds(1))


def _query(world: World, workflow_id: str = "", run_id: str = "", **fields: Any) -> QueryWorkflowRequest:
    return QueryWorkflowRequest(
        namespace=world.namespace,
        execution=world.execution(workflow_id, run_id),
        query=WorkflowQuery(query_type="status"),
        **fields,
    )


async def _answer(world: World, task: PollWorkflowTaskQueueResponse, *results: Any, **fields: Any) -> None:
    fields = {"completed_type": "QUERY_RESULT_TYPE_ANSWERED", "query_result": payloads(*results), **fields}
    await world.call(RespondQueryTaskCompletedRequest(namespace=world.namespace, task_token=task.task_token, **fields))


@asynccontextmanager
async def _answering(world: World, worker: RawWorker) -> AsyncIterator[None]:
    """Answer every query task that comes with the length of its history."""

    async def answer() -> None:
        while True:
            task = await worker.poll_workflow_task()
            await _answer(world, task, len(task.history.events))

    answering = asyncio.ensure_future(answer())
    try:
        yield
    finally:
        answering.cancel()
        await asyncio.sleep(0.3)  # until the server knows that nobody polls any more


async def _ask(world: World, **fields: Any) -> asyncio.Task[Any]:
    """Send a query and give it time to arrive."""
    asked = asyncio.ensure_future(world.call(_query(world, **fields)))
    await asyncio.sleep(0.3)
    return asked


def _results(task: PollWorkflowTaskQueueResponse, *results: Any) -> dict[str, WorkflowQueryResult]:
    result = WorkflowQueryResult(result_type="QUERY_RESULT_TYPE_ANSWERED", answer=payloads(*results))
    return dict.fromkeys(task.queries, result)


async def _record_conditions(world: World, worker: RawWorker, name: str, run_id: str = "") -> None:
    async with _answering(world, worker):
        for condition in CONDITIONS:
            query = _query(world, run_id=run_id, query_reject_condition=f"QUERY_REJECT_CONDITION_{condition}")
            await world.record_call(f"{name}, {condition}", query)


@scenario()
async def reject_conditions(world: World) -> None:
    """Every reject condition on a run in every status."""
    closes = {
        "completed": complete_workflow(),
        "failed": fail_workflow(application_failure("broken")),
        "cancelled": command("CANCEL_WORKFLOW_EXECUTION"),
        "continued as new": CONTINUE_AS_NEW,
    }
    worker = world.raw_worker()
    await world.start()
    await worker.next_workflow_task()
    await _record_conditions(world, worker, "running")
    await world.terminate()
    await _record_conditions(world, worker, "terminated")
    await world.start(request_id="times out", workflow_run_timeout=seconds(1))
    await worker.next_workflow_task()
    await world.wait_closed()
    await _record_conditions(world, worker, "timed out")
    for name, close in closes.items():
        run_id = await world.start(request_id=name)
        await worker.next_workflow_task(close)
        await _record_conditions(world, worker, name, run_id)


@scenario()
async def closed_before_the_first_task(world: World) -> None:
    """A run that closed before any worker completed a workflow task."""
    await world.start()
    worker = world.raw_worker()
    await worker.poll_workflow_task()
    await world.terminate()
    async with _answering(world, worker):
        await world.record_call("terminated while it runs", _query(world), timeout_seconds=4)
    await world.start(request_id="second", task_queue=TaskQueue(name=f"{world.task_queue}-2"))
    await world.terminate()
    async with _answering(world, world.raw_worker(task_queue=f"{world.task_queue}-2")):
        await world.record_call("never taken", _query(world), timeout_seconds=4)


@scenario()
async def continued_run(world: World) -> None:
    """A query by run id reaches the old run, one without reaches the next one."""
    first = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(CONTINUE_AS_NEW)
    async with _answering(world, worker):
        await world.record_call("old run", _query(world, run_id=first))
    await worker.next_workflow_task()
    async with _answering(world, worker):
        await world.record_call("next run", _query(world))


@scenario()
async def with_the_continuation(world: World) -> None:
    """A query that rides on the workflow task which continues as new."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.signal()
    asked = await _ask(world)
    task = await worker.poll_workflow_task()
    await worker.complete_workflow_task(task, CONTINUE_AS_NEW, query_results=_results(task, "last words"))
    await world.record_outcome("answer", asked)


@scenario()
async def unanswered_with_the_close(world: World) -> None:
    """A query that rides on the workflow task which closes the run, and is not answered there."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.signal()
    asked = await _ask(world)
    task = await worker.poll_workflow_task()
    world.record_value("queries on the task", len(task.queries))
    await worker.complete_workflow_task(task, complete_workflow())
    async with _answering(world, worker):
        await world.record_outcome("answer", asked)


@scenario()
async def task_fails(world: World) -> None:
    """A query that rides on a workflow task which fails waits for the next attempt."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.signal()
    asked = await _ask(world)
    task = await worker.poll_workflow_task()
    world.record_value("queries on the task", len(task.queries))
    await worker.fail_workflow_task(task)
    task = await worker.poll_workflow_task()
    world.record_value("queries on the second attempt", len(task.queries))
    await worker.complete_workflow_task(task, query_results=_results(task, "second attempt"))
    await world.record_outcome("answer", asked)


@scenario()
async def task_times_out(world: World) -> None:
    """A query that rides on a workflow task which times out waits for the next attempt."""
    await world.start(workflow_task_timeout=seconds(1))
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.signal()
    asked = await _ask(world)
    await worker.poll_workflow_task()
    task = await worker.poll_workflow_task()
    world.record_value("queries on the second attempt", len(task.queries))
    await worker.complete_workflow_task(task, query_results=_results(task, "second attempt"))
    await world.record_outcome("answer", asked)


@scenario()
async def terminated_meanwhile(world: World) -> None:
    """A query that waits for a workflow task which nobody took when its run is terminated is a task of its own."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.signal()
    asked = await _ask(world)
    await world.terminate()
    async with _answering(world, worker):
        await world.record_outcome("answer", asked)


@scenario()
async def two_at_once(world: World) -> None:
    """Only one query may wait for a workflow task; another is refused. Two of a run without one are two tasks."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    async with _answering(world, worker):
        answers = await asyncio.gather(world.call(_query(world)), world.call(_query(world)))
        world.record_value("idle", len(answers))
    await asyncio.sleep(0.3)
    await world.start(request_id="second", workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING")
    await world.record_outcome("pending", _two_pending(world))


async def _two_pending(world: World) -> int:
    asked = await _ask(world)
    await world.record_call("second", _query(world))
    asked.cancel()
    return len(await world.history())


@scenario()
async def after_a_signal(world: World) -> None:
    """A query after a signal that is buffered is answered by the workflow task that sees the signal."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.signal(name="first")
    held = await worker.poll_workflow_task()
    await world.signal(name="buffered")
    asked = await _ask(world)
    await worker.complete_workflow_task(held)
    task = await worker.poll_workflow_task()
    world.record_reply("next task", task)
    await worker.complete_workflow_task(task, query_results=_results(task, "seen"))
    await world.record_outcome("answer", asked)
    await world.record_history()


@scenario()
async def before_a_signal(world: World) -> None:
    """A signal during a query task of an idle run doesn't disturb it."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    asked = await _ask(world)
    task = await worker.poll_workflow_task()
    await world.signal()
    await _answer(world, task, len(task.history.events))
    await world.record_outcome("answer", asked)
    await worker.next_workflow_task()
    await world.record_history()


@scenario()
async def closed_meanwhile(world: World) -> None:
    """A run is terminated while a worker has the query task: the answer counts."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    asked = await _ask(world)
    task = await worker.poll_workflow_task()
    await world.terminate()
    await _answer(world, task, "in time")
    await world.record_outcome("answer", asked)


@scenario()
async def sticky_worker_gone(world: World) -> None:
    """A query of a run whose sticky queue nobody polls goes to the normal queue, with the whole history."""
    await world.start()
    worker = world.raw_worker()
    await worker.complete_workflow_task(await worker.poll_workflow_task(), sticky=f"{world.name}-sticky")
    asked = asyncio.ensure_future(world.call(_query(world)))
    task = await worker.poll_workflow_task()
    world.record_reply("query task", task)
    await _answer(world, task, "normal")
    await world.record_outcome("answer", asked)
    await world.record_description("sticky no more")


@scenario()
async def sticky_pending_task(world: World) -> None:
    """A query that rides on a workflow task of the sticky queue."""
    await world.start()
    worker = world.raw_worker()
    sticky = f"{world.name}-sticky"
    await worker.complete_workflow_task(await worker.poll_workflow_task(), sticky=sticky)
    poll = asyncio.ensure_future(worker.poll_workflow_task(sticky=sticky))
    await asyncio.sleep(0.3)
    await world.signal()
    held = await poll
    asked = await _ask(world)
    poll = asyncio.ensure_future(worker.poll_workflow_task(sticky=sticky))
    await asyncio.sleep(0.3)
    await worker.complete_workflow_task(held, sticky=sticky)
    task = await poll
    world.record_reply("query task", task)
    await _answer(world, task, "after")
    await world.record_outcome("answer", asked)


@scenario()
async def odd_answers(world: World) -> None:
    """Answers without a type, without a message, with a failure besides, and with a token of something else."""
    await world.start()
    worker = world.raw_worker()
    first = await worker.next_workflow_task()
    cases: dict[str, dict[str, Any]] = {
        "failed without a message": {"completed_type": "QUERY_RESULT_TYPE_FAILED", "query_result": None},
        "failed with a cause": {
            "completed_type": "QUERY_RESULT_TYPE_FAILED",
            "error_message": "outer",
            "failure": Failure(message="inner", cause=application_failure("innermost")),
            "cause": "WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR",
        },
        # The last one: nobody hears of it, and the server sends the query again.
        "no type": {"completed_type": "QUERY_RESULT_TYPE_UNSPECIFIED"},
    }
    for name, fields in cases.items():
        asked = asyncio.ensure_future(world.call(_query(world)))
        task = await worker.poll_workflow_task()
        await world.record_outcome(f"{name}: answering", _answer(world, task, "result", **fields))
        asked_outcome = asyncio.ensure_future(asyncio.wait_for(asked, 2))
        try:
            await world.record_outcome(f"{name}: answer", asked_outcome)
        except TimeoutError:
            world.record_value(f"{name}: answer", "none")
    for name, token in {"workflow task's": first.task_token, "no": b"", "nonsense": b"nonsense"}.items():
        await world.record_call(
            f"{name} token",
            RespondQueryTaskCompletedRequest(
                namespace=world.namespace, task_token=token, completed_type="QUERY_RESULT_TYPE_ANSWERED"
            ),
        )


@scenario()
async def odd_results_on_a_task(world: World) -> None:
    """Query results with ids that nobody asked for, and failed ones, in the answer to a workflow task."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.signal()
    asked = await _ask(world)
    task = await worker.poll_workflow_task()
    results = {
        query_id: WorkflowQueryResult(
            result_type="QUERY_RESULT_TYPE_FAILED", error_message="no", failure=application_failure("why")
        )
        for query_id in task.queries
    }
    results["unknown"] = WorkflowQueryResult(result_type="QUERY_RESULT_TYPE_ANSWERED", answer=payloads("who asked?"))
    await world.record_outcome("completed", worker.complete_workflow_task(task, query_results=results))
    await world.record_outcome("answer", asked)
    await world.record_history()
