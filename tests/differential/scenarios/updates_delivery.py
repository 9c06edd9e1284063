"""Updates whose workflow task fails, times out, is passed over, or is shared with queries."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult
from temporalio.api.workflowservice.v1 import QueryWorkflowRequest, RespondQueryTaskCompletedRequest

from tests.differential.raw_worker import (
    RawWorker,
    complete_workflow,
    payloads,
    seconds,
    start_timer,
    sticky_attributes,
)
from tests.differential.scenario import scenario
from tests.differential.update_worker import (
    accept,
    admitted,
    answer,
    finish_first_task,
    poll_update_request,
    record_stages,
    record_task,
    reject,
    respond,
    send_update,
)
from tests.differential.world import World


@scenario()
async def ignored(world: World) -> None:
    """A worker that completes the task without a word about the update: the server rejects it."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    world.record_reply("answer to the worker", await worker.complete_workflow_task(task))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def one_ignored(world: World) -> None:
    """A worker that answers one of two updates: the server rejects the other."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world, "first")
    second = await send_update(world, "second")
    task = await worker.poll_workflow_task()
    reply = await answer(worker, task, accept(task.messages[1]), commands=(start_timer("t", 60),))
    world.record_reply("answer to the worker", reply)
    world.record_reply("first", await first)
    await record_stages(world, "second", "second")
    second.cancel()
    await world.record_history()


@scenario()
async def task_failed(world: World) -> None:
    """A worker fails the speculative task: it is written, and the update comes again with the next attempt."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    await worker.fail_workflow_task(await worker.poll_workflow_task())
    await world.record_history()
    await record_stages(world, "after the failure")
    task = await worker.poll_workflow_task()
    record_task(world, "second attempt", task)
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def task_failed_then_rejected(world: World) -> None:
    """A rejection in the second attempt of a speculative task is written like any other answer."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    await worker.fail_workflow_task(await worker.poll_workflow_task())
    task = await worker.poll_workflow_task()
    world.record_reply("answer to the worker", await answer(worker, task, reject(task.messages[0])))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def first_task_failed(world: World) -> None:
    """An update that came with a first workflow task that failed comes again, and with it one that came meanwhile."""
    await world.start()
    worker = world.raw_worker()
    first = await send_update(world, "first")
    await worker.fail_workflow_task(await worker.poll_workflow_task())
    second = await send_update(world, "second")
    task = await worker.poll_workflow_task()
    record_task(world, "second attempt", task)
    await answer(worker, task, accept(task.messages[0]), reject(task.messages[1]), respond("first", 1))
    world.record_reply("first", await first)
    world.record_reply("second", await second)
    await world.record_history()


@scenario()
async def bad_command_before_delivery(world: World) -> None:
    """A workflow task fails by a bad command while an update waits for its end: the next attempt brings the update."""
    await world.start()
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    update = await send_update(world)
    await world.record_outcome("bad command", worker.complete_workflow_task(task, start_timer("", 1)))
    await admitted(world)
    task = await worker.poll_workflow_task()
    record_task(world, "second attempt", task)
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def bad_command_after_acceptance(world: World) -> None:
    """A bad command beside an acceptance undoes it: the update fails, and may be sent again."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    bad = answer(worker, task, accept(task.messages[0]), commands=(start_timer("", 1),))
    await world.record_outcome("bad command", bad)
    await world.record_outcome("update", update)
    await record_stages(world, "afterwards")
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    record_task(world, "second attempt", task)
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    world.record_reply("update, sent again", await update)
    await world.record_history()


@scenario()
async def bad_command_after_an_earlier_acceptance(world: World) -> None:
    """An update that was accepted in an earlier task outlives a task that fails with its result."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world, stage="ACCEPTED")
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]))
    await update
    await world.signal()
    task = await worker.poll_workflow_task()
    bad = answer(worker, task, respond("update", "lost"), commands=(start_timer("", 1),))
    await world.record_outcome("bad command", bad)
    await record_stages(world, "afterwards")
    await answer(worker, await worker.poll_workflow_task(), respond("update", "done"))
    await world.record_call("poll", poll_update_request(world))
    await world.record_history()


@scenario()
async def task_timed_out(world: World) -> None:
    """A speculative task that is never answered is written as timed out, and the update comes again."""
    await finish_first_task(world, worker := world.raw_worker(), workflow_task_timeout=seconds(1))
    update = await send_update(world)
    late = await worker.poll_workflow_task()
    task = await worker.poll_workflow_task()
    record_task(world, "second attempt", task)
    await world.record_outcome("late answer", answer(worker, late, accept(late.messages[0])))
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def nobody_polls(world: World) -> None:
    """A speculative task that nobody takes within five seconds is written as timed out, and a normal one follows it."""
    await finish_first_task(world, world.raw_worker())
    update = await send_update(world)
    await world.wait_for_events(7)
    await world.record_description("afterwards")
    await record_stages(world, "stage")
    await world.terminate()
    await world.record_outcome("update", update)
    await world.record_history()


@scenario()
async def no_worker_at_all(world: World) -> None:
    """Without a worker an update of a new workflow waits until its client's deadline."""
    await world.start()
    await world.record_outcome("update", await send_update(world, timeout_seconds=2))
    await record_stages(world, "afterwards")
    await world.record_history()


async def _stick(world: World, worker: RawWorker, timeout_seconds: float) -> str:
    """Complete the first workflow task with a sticky queue that counts as polled; return the queue's name."""
    await world.start()
    sticky = f"{world.name}-sticky"
    await worker.poll_workflow_task(sticky=sticky, timeout_seconds=3)
    task = await worker.poll_workflow_task()
    await worker.complete_workflow_task(
        task, sticky_attributes=sticky_attributes(sticky, world.task_queue, timeout_seconds)
    )
    return sticky


@scenario()
async def sticky(world: World) -> None:
    """A sticky worker gets the speculative task with the new events alone, and is reset by a rejection."""
    worker = world.raw_worker()
    queue = await _stick(world, worker, 10)
    update = await send_update(world, "first")
    task = await worker.poll_workflow_task(sticky=queue)
    record_task(world, "first task", task)
    world.record_reply("first rejected", await answer(worker, task, reject(task.messages[0]), sticky=queue))
    await update
    update = await send_update(world, "second")
    task = await worker.poll_workflow_task(sticky=queue)
    record_task(world, "second task", task)
    reply = await answer(worker, task, accept(task.messages[0]), respond("second"), sticky=queue)
    world.record_reply("second accepted", reply)
    await update
    update = await send_update(world, "third")
    task = await worker.poll_workflow_task(sticky=queue)
    record_task(world, "third task", task)
    await answer(worker, task, reject(task.messages[0]))
    await update
    await world.record_history()


@scenario()
async def sticky_worker_gone(world: World) -> None:
    """A speculative task that the sticky worker does not take in time goes to the normal queue."""
    worker = world.raw_worker()
    await _stick(world, worker, 1)
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def sticky_queue_never_polled(world: World) -> None:
    """A sticky queue that nobody polled of late is passed over at once, without a trace."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(sticky=f"{world.name}-sticky")
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    world.record_reply("answer to the worker", await answer(worker, task, reject(task.messages[0])))
    world.record_reply("update", await update)
    await world.record_history()


def _ask(world: World, query_type: str = "state") -> asyncio.Task[Any]:
    request = QueryWorkflowRequest(
        namespace=world.namespace, execution=world.execution(), query=WorkflowQuery(query_type=query_type)
    )
    return asyncio.ensure_future(world.call(request))


def _answered(task: Any, *results: Any) -> dict[str, WorkflowQueryResult]:
    return {
        query_id: WorkflowQueryResult(result_type="QUERY_RESULT_TYPE_ANSWERED", answer=payloads(*results))
        for query_id in task.queries
    }


@scenario()
async def query_before_the_task_is_taken(world: World) -> None:
    """A query after an update, before a worker has the update's task: the query comes with it."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    query = _ask(world)
    await asyncio.sleep(0.5)
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    reply = await answer(worker, task, reject(task.messages[0]), query_results=_answered(task, "state"))
    world.record_reply("answer to the worker", reply)
    world.record_reply("update", await update)
    world.record_reply("query", await query)
    await world.record_history()


@scenario()
async def query_while_the_task_runs(world: World) -> None:
    """A query during a speculative task waits until it ends, and is then asked directly."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    query = _ask(world)
    await asyncio.sleep(0.5)
    await answer(worker, task, accept(task.messages[0]), respond("update", 1))
    world.record_reply("update", await update)
    query_task = await worker.poll_workflow_task()
    world.record_reply("query task", query_task)
    await world.call(
        RespondQueryTaskCompletedRequest(
            namespace=world.namespace,
            task_token=query_task.task_token,
            completed_type="QUERY_RESULT_TYPE_ANSWERED",
            query_result=payloads("state"),
        )
    )
    world.record_reply("query", await query)
    await world.record_history()


@scenario()
async def start_delay(world: World) -> None:
    """An update does not wait for the end of a start delay; accepted, it leaves no first workflow task to wait for."""
    await world.start(workflow_start_delay=seconds(3))
    worker = world.raw_worker()
    update = await send_update(world)
    await world.record_history()
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    await answer(worker, task, accept(task.messages[0]), respond("update", 1))
    world.record_reply("update", await update)
    await asyncio.sleep(4)
    await world.record_history()


@scenario()
async def start_delay_goes_on(world: World) -> None:
    """A rejected update during a start delay leaves no trace: the first workflow task comes after the delay."""
    await world.start(workflow_start_delay=seconds(3))
    worker = world.raw_worker()
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    world.record_reply("answer to the worker", await answer(worker, task, reject(task.messages[0])))
    world.record_reply("update", await update)
    await world.record_history()
    task = await worker.poll_workflow_task()
    record_task(world, "first task", task)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()
