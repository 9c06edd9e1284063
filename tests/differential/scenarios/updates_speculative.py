"""The workflow task that brings an update: speculative where nothing else needs one, and what makes it a normal one."""

from __future__ import annotations

import asyncio

from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    RespondWorkflowTaskCompletedRequest,
)

from tests.differential.raw_worker import (
    complete_workflow,
    schedule_activity,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.update_worker import (
    accept,
    answer,
    finish_first_task,
    record_stages,
    record_task,
    reject,
    respond,
    send_update,
)
from tests.differential.world import World

DISCARDS_EVENTS = RespondWorkflowTaskCompletedRequest.Capabilities(discard_speculative_workflow_task_with_events=True)


@scenario()
async def with_the_first_task(world: World) -> None:
    """An update before the first workflow task comes with it, and its rejection does not undo a normal task."""
    await world.start()
    worker = world.raw_worker()
    first = await send_update(world, "first")
    second = await send_update(world, "second")
    task = await worker.poll_workflow_task()
    world.record_reply("task", task)
    reply = await answer(worker, task, accept(task.messages[0]), respond("first", 1), reject(task.messages[1]))
    world.record_reply("answer to the worker", reply)
    world.record_reply("first", await first)
    world.record_reply("second", await second)
    await world.record_history()


@scenario()
async def only_a_rejection_in_the_first_task(world: World) -> None:
    """The first workflow task with nothing but a rejected update is written."""
    await world.start()
    worker = world.raw_worker()
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    world.record_reply("answer to the worker", await answer(worker, task, reject(task.messages[0])))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def scheduled_is_not_written(world: World) -> None:
    """A speculative workflow task that nobody has taken is in the history and in the description, but not counted."""
    await finish_first_task(world, world.raw_worker())
    update = await send_update(world)
    await world.record_history()
    await world.record_description("scheduled")
    await world.terminate()
    await world.record_outcome("update", update)
    await world.record_history()


@scenario()
async def started_is_not_written(world: World) -> None:
    """A speculative workflow task that a worker has; then the workflow is terminated."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await world.record_history()
    await world.record_description("started")
    await world.terminate()
    await world.record_outcome("update", update)
    await world.record_outcome("answer after the end", answer(worker, task, accept(task.messages[0])))
    await world.record_history()
    await world.record_description("terminated")


@scenario()
async def while_a_task_runs(world: World) -> None:
    """An update that comes while a workflow task runs waits for its end, and then needs a task of its own."""
    await world.start()
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    update = await send_update(world)
    world.record_reply("answer to the worker", await worker.complete_workflow_task(task, start_timer("t", 60)))
    await world.record_history()
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    world.record_reply("rejected", await answer(worker, task, reject(task.messages[0])))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def returned_with_the_answer(world: World) -> None:
    """A worker that wants its next task in the answer gets the update so, as a speculative task."""
    await world.start()
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    update = await send_update(world)
    reply = await worker.complete_workflow_task(task, return_new_workflow_task=True)
    world.record_reply("answer to the worker", reply)
    await world.record_history()
    world.record_reply("rejected", await answer(worker, reply.workflow_task, reject(reply.workflow_task.messages[0])))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def returned_after_a_speculative_one(world: World) -> None:
    """An update that comes during a speculative task is returned when that task is accepted, or dropped."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world, "first")
    task = await worker.poll_workflow_task()
    second = await send_update(world, "second")
    reply = await answer(worker, task, reject(task.messages[0]), return_new_workflow_task=True)
    world.record_reply("after a rejection", reply)
    third = await send_update(world, "third")
    task = reply.workflow_task
    reply = await answer(worker, task, accept(task.messages[0]), respond("second"), return_new_workflow_task=True)
    world.record_reply("after an acceptance", reply)
    task = reply.workflow_task
    await answer(worker, task, accept(task.messages[0]), respond("third"))
    for name, update in {"first": first, "second": second, "third": third}.items():
        world.record_reply(name, await update)
    await world.record_history()


@scenario()
async def normal_task_scheduled(world: World) -> None:
    """An update after a signal comes with the signal's workflow task."""
    await finish_first_task(world, worker := world.raw_worker())
    await world.signal()
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    world.record_reply("task", task)
    world.record_reply("answer to the worker", await answer(worker, task, reject(task.messages[0])))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def signal_makes_it_normal(world: World) -> None:
    """A signal after an update, before a worker has its task: the task becomes a normal one, ahead of the signal."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    await world.signal()
    await world.record_history()
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    world.record_reply("answer to the worker", await answer(worker, task, reject(task.messages[0])))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def signal_while_it_runs(world: World) -> None:
    """A signal during a speculative task is buffered and makes the task a normal one."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await world.signal()
    await world.record_history()
    await world.record_description("with the signal")
    world.record_reply("answer to the worker", await answer(worker, task, reject(task.messages[0])))
    world.record_reply("update", await update)
    task = await worker.poll_workflow_task()
    record_task(world, "task of the signal", task)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def update_and_signal_while_it_runs(world: World) -> None:
    """A signal and an update during a speculative task come in one task after it."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world, "first")
    task = await worker.poll_workflow_task()
    second = await send_update(world, "second")
    await world.signal()
    reply = await answer(worker, task, accept(task.messages[0]), respond("first", 1), return_new_workflow_task=True)
    world.record_reply("answer to the worker", reply)
    task = reply.workflow_task
    await answer(worker, task, accept(task.messages[0]), respond("second", 2))
    world.record_reply("first", await first)
    world.record_reply("second", await second)
    await world.record_history()


@scenario()
async def activity_while_it_runs(world: World) -> None:
    """An activity that ends during a speculative task is buffered."""
    await finish_first_task(world, worker := world.raw_worker(), schedule_activity("a", world.task_queue))
    activity_task = await worker.poll_activity_task()
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    await worker.complete_activity(activity_task, "done")
    await answer(worker, task, accept(task.messages[0]), respond("update", 1))
    world.record_reply("update", await update)
    task = await worker.poll_workflow_task()
    record_task(world, "task of the activity", task)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def with_a_signal_behind_a_normal_task(world: World) -> None:
    """A signal and an update that come while a normal task runs share the task after it, in either order."""
    for name, order in {"signal first": "signal", "update first": "update"}.items():
        workflow_id = world.workflow_id(order)
        await world.start(workflow_id)
        worker = world.raw_worker()
        task = await worker.poll_workflow_task()
        if order == "signal":
            await world.signal(workflow_id)
        update = await send_update(world, workflow_id=workflow_id)
        if order == "update":
            await world.signal(workflow_id)
        await worker.complete_workflow_task(task)
        task = await worker.poll_workflow_task()
        record_task(world, name, task)
        await answer(worker, task, accept(task.messages[0]), respond("update"), commands=(complete_workflow(),))
        await update


@scenario()
async def read_page_by_page(world: World) -> None:
    """How the events of a speculative task show in the ways to read a history."""
    await finish_first_task(world, worker := world.raw_worker(), start_timer("t", 60))
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    execution = world.execution()
    requests = {
        "reversed": GetWorkflowExecutionHistoryReverseRequest(namespace=world.namespace, execution=execution),
        "waiting": GetWorkflowExecutionHistoryRequest(
            namespace=world.namespace, execution=execution, wait_new_event=True
        ),
    }
    for name, request in requests.items():
        reply = await world.call(request)
        world.record_value(name, [event.event_id for event in reply.history.events])
        world.record_value(f"{name}, has more", bool(reply.next_page_token))
        if name == "waiting":
            request.next_page_token = reply.next_page_token
            rest = asyncio.ensure_future(world.call(request))
    await answer(worker, task, accept(task.messages[0]), respond("update"))
    await update
    reply = await rest
    world.record_value("waited for", [event.event_id for event in reply.history.events])


@scenario()
async def cancelled_before_it_runs(world: World) -> None:
    """A cancellation request makes a scheduled speculative task a normal one."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    await world.cancel()
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    await answer(worker, task, accept(task.messages[0]), respond("update", 1))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def events_in_between(world: World) -> None:
    """A rejection writes the speculative task if it brought events, unless the worker can take them twice."""
    await finish_first_task(world, worker := world.raw_worker(), start_timer("t", 60))
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    reply = await answer(worker, task, reject(task.messages[0]), capabilities=DISCARDS_EVENTS)
    world.record_reply("answer to a worker that can", reply)
    await update
    await world.record_history()
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    record_task(world, "task again", task)
    world.record_reply("answer to a worker that can't", await answer(worker, task, reject(task.messages[0])))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def many_events_in_between(world: World) -> None:
    """A speculative task that brought more than ten events is written in any case."""
    timers = [start_timer(f"t-{number}", 60) for number in range(11)]
    for count in (10, 11):
        workflow_id = world.workflow_id(str(count))
        await world.start(workflow_id)
        worker = world.raw_worker()
        await worker.next_workflow_task(*timers[:count])
        update = await send_update(world, workflow_id=workflow_id)
        task = await worker.poll_workflow_task()
        reply = await answer(worker, task, reject(task.messages[0]), capabilities=DISCARDS_EVENTS)
        world.record_reply(f"{count} events", reply)
        await update
        world.record_value(f"{count} events, then", len(await world.history(workflow_id)))


@scenario()
async def rejected_with_commands(world: World) -> None:
    """Commands beside a rejection make the task a normal one."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    reply = await answer(worker, task, reject(task.messages[0]), commands=(start_timer("t", 60),))
    world.record_reply("answer to the worker", reply)
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def heartbeat(world: World) -> None:
    """A worker that asks for another task, and wants it in the answer, still has the update that it was given."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    reply = await worker.complete_workflow_task(
        task, force_create_new_workflow_task=True, return_new_workflow_task=True
    )
    world.record_reply("answer to the worker", reply)
    world.record_reply("rejected", await answer(worker, reply.workflow_task, reject(task.messages[0])))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def heartbeat_polled(world: World) -> None:
    """A worker that asks for another task and polls it gets the update again."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    await worker.next_workflow_task(force_create_new_workflow_task=True)
    task = await worker.poll_workflow_task()
    record_task(world, "next task", task)
    await answer(worker, task, accept(task.messages[0]), respond("update", 1))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def heartbeat_between_acceptance_and_result(world: World) -> None:
    """An update is accepted with a heartbeat and completed in the task that comes of it."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    reply = await answer(
        worker, task, accept(task.messages[0]), force_create_new_workflow_task=True, return_new_workflow_task=True
    )
    record_task(world, "next task", reply.workflow_task)
    await record_stages(world, "between")
    await answer(worker, reply.workflow_task, respond("update", 1))
    world.record_reply("update", await update)
    await world.record_history()
