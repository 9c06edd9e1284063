"""Workflow updates: how they reach the worker, what it may answer, and what the client hears at which stage."""

from __future__ import annotations

import asyncio

from temporalio.api.common.v1 import Header, Link

from tests.differential.raw_worker import complete_workflow, payload, start_timer
from tests.differential.scenario import scenario
from tests.differential.update_worker import (
    accept,
    answer,
    finish_first_task,
    poll_update_request,
    record_stages,
    record_task,
    reject,
    request_of,
    respond,
    respond_failed,
    send_update,
    update_request,
)
from tests.differential.world import World


@scenario(live_sample=True)
async def accepted_and_completed(world: World) -> None:
    """An update is accepted and completed in the workflow task that brought it."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world, "update", 1, "two")
    task = await worker.poll_workflow_task()
    world.record_reply("task", task)
    await world.record_history()
    reply = await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    world.record_reply("answer to the worker", reply)
    world.record_reply("update", await update)
    await world.record_history()
    await world.record_description("after the update")


@scenario()
async def completed_later(world: World) -> None:
    """An update is accepted in one workflow task and completed in a later one."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]), commands=(start_timer("t", 60),))
    await record_stages(world, "accepted")
    await world.record_history()
    await world.signal()
    task = await worker.poll_workflow_task()
    world.record_reply("task without messages", task)
    await answer(worker, task, respond("update", "done"))
    world.record_reply("update", await update)
    await record_stages(world, "completed")
    await world.record_history()


@scenario(live_sample=True)
async def rejected(world: World) -> None:
    """A rejected update leaves no trace in the history, and its event ids are used again."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    world.record_reply("task", task)
    world.record_reply("answer to the worker", await answer(worker, task, reject(task.messages[0])))
    world.record_reply("update", await update)
    await world.record_history()
    await world.record_description("after the rejection")
    await record_stages(world, "rejected")
    await world.signal()
    task = await worker.poll_workflow_task()
    world.record_reply("next task", task)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def failed_in_the_handler(world: World) -> None:
    """An update whose handler raises completes with a failure."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]), respond_failed("update"))
    world.record_reply("update", await update)
    await record_stages(world, "failed")
    await world.record_history()


@scenario()
async def waiting_for_acceptance(world: World) -> None:
    """A client that waits for ACCEPTED hears of it, or of the result when the same task has it."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world, "first", stage="ACCEPTED")
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]))
    world.record_reply("accepted", await first)
    second = await send_update(world, "second", stage="ACCEPTED")
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]), respond("second"), respond("first", 1))
    world.record_reply("accepted and completed", await second)
    third = await send_update(world, "third", stage="ACCEPTED")
    task = await worker.poll_workflow_task()
    await answer(worker, task, reject(task.messages[0]))
    world.record_reply("rejected", await third)
    await world.record_history()


@scenario()
async def unspecified_stage(world: World) -> None:
    """Without a stage, and without a wait policy, a client waits for COMPLETED."""
    await finish_first_task(world, worker := world.raw_worker())
    for update_id, fields in {"unspecified": {"stage": "UNSPECIFIED"}, "no policy": {"wait_policy": None}}.items():
        update = await send_update(world, update_id, **fields)
        task = await worker.poll_workflow_task()
        await answer(worker, task, accept(task.messages[0]))
        await world.signal()
        await answer(worker, await worker.poll_workflow_task(), respond(update_id, "done"))
        world.record_reply(update_id, await update)


@scenario()
async def polled_at_every_stage(world: World) -> None:
    """PollWorkflowExecutionUpdate of each stage, while an update is admitted, sent, accepted and completed."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    for stage in ("", "UNSPECIFIED", "ADMITTED"):
        await world.record_call(f"admitted, {stage or 'no policy'}", poll_update_request(world, stage=stage))
    waits = {
        stage: asyncio.ensure_future(world.call(poll_update_request(world, stage=stage), timeout_seconds=1))
        for stage in ("ACCEPTED", "COMPLETED")
    }
    for stage, wait in waits.items():
        await world.record_outcome(f"admitted, {stage}", wait)
    task = await worker.poll_workflow_task()
    await record_stages(world, "sent")
    await answer(worker, task, accept(task.messages[0]))
    for stage in ("", "ADMITTED", "ACCEPTED"):
        await world.record_call(f"accepted, {stage or 'no policy'}", poll_update_request(world, stage=stage))
    await world.record_call("accepted, COMPLETED", poll_update_request(world), timeout_seconds=1)
    await world.signal()
    await answer(worker, await worker.poll_workflow_task(), respond("update", "done"))
    for stage in ("", "ADMITTED", "ACCEPTED", "COMPLETED"):
        await world.record_call(f"completed, {stage or 'no policy'}", poll_update_request(world, stage=stage))
    world.record_reply("update", await update)


@scenario()
async def client_went_away(world: World) -> None:
    """A client's deadline ends its wait, not the update."""
    await finish_first_task(world, worker := world.raw_worker())
    await world.record_outcome("deadline", await send_update(world, timeout_seconds=2))
    await record_stages(world, "after the deadline")
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    await world.record_call("polled", poll_update_request(world))
    await world.record_history()


@scenario()
async def without_an_id(world: World) -> None:
    """The server makes an id for an update that has none."""
    await finish_first_task(world, worker := world.raw_worker())
    update = asyncio.ensure_future(world.call(update_request(world, "")))
    task = await worker.poll_workflow_task()
    update_id = request_of(task.messages[0]).meta.update_id
    world.record_value("id", update_id)
    await answer(worker, task, accept(task.messages[0]), respond(update_id, "done"))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def header_and_identity(world: World) -> None:
    """The header of an update reaches the worker and the history."""
    await finish_first_task(world, worker := world.raw_worker())
    request = update_request(world, "update", {"an": "argument"}).request
    request.input.header.CopyFrom(Header(fields={"trace": payload("id")}))
    update = await send_update(world, request=request)
    task = await worker.poll_workflow_task()
    world.record_reply("task", task)
    await answer(worker, task, accept(task.messages[0]), respond("update"))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def request_id_and_links(world: World) -> None:
    """An update's request id is in the link of its reply and in the description, its links are in the history."""
    await finish_first_task(world, worker := world.raw_worker())
    other = Link.WorkflowEvent(
        namespace=world.namespace,
        workflow_id="other",
        run_id="11111111-2222-3333-4444-555555555555",
        event_ref=Link.WorkflowEvent.EventReference(event_id=1, event_type="EVENT_TYPE_WORKFLOW_EXECUTION_STARTED"),
    )
    requests = {}
    for update_id in ("first", "second"):
        request = update_request(world, update_id).request
        request.request_id = f"request of {update_id}"
        request.links.append(Link(workflow_event=other))
        requests[update_id] = request
    first = await send_update(world, "first", request=requests["first"])
    task = await worker.poll_workflow_task()
    world.record_reply("message", task.messages[0])
    await answer(worker, task, accept(task.messages[0]), respond("first", "done"))
    world.record_reply("first", await first)
    second = await send_update(world, "second", request=requests["second"])
    task = await worker.poll_workflow_task()
    await answer(worker, task, reject(task.messages[0]))
    world.record_reply("second", await second)
    requests["first"].request_id = "another request"
    await world.record_call("first again", update_request(world, "first", request=requests["first"]))
    requests["second"].meta.update_id = "third"
    third = await send_update(world, "third", request=requests["second"])
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]), respond("third", "done"))
    world.record_reply("third, with the request id of the second", await third)
    await world.record_history()
    await world.record_description("description")


@scenario()
async def same_request_id(world: World) -> None:
    """Two updates with one request id are two updates."""
    await finish_first_task(world, worker := world.raw_worker())
    for update_id in ("first", "second"):
        request = update_request(world, update_id).request
        request.request_id = "one request"
        update = await send_update(world, update_id, request=request)
        task = await worker.poll_workflow_task()
        record_task(world, f"task of {update_id}", task)
        await world.record_outcome(
            f"worker, {update_id}", answer(worker, task, accept(task.messages[0]), respond(update_id, "done"))
        )
        await world.record_outcome(update_id, update)
    await world.record_history()
    await world.record_description("description")
