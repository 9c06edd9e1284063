"""The same update id again at every stage, several updates at once, and their limits."""

from __future__ import annotations

from tests.differential.raw_worker import complete_workflow
from tests.differential.scenario import scenario
from tests.differential.update_worker import (
    accept,
    answer,
    finish_first_task,
    poll_update_request,
    record_stages,
    record_task,
    reject,
    respond,
    send_update,
    update_request,
)
from tests.differential.world import World


@scenario()
async def same_id_before_acceptance(world: World) -> None:
    """Two clients send the same id before anybody accepts it: one update, and both hear its result."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world, "update", "first")
    second = await send_update(world, "update", "second", name="other")
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    third = await send_update(world, "update", "third", stage="ACCEPTED")
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    for name, update in {"first": first, "second": second, "third, sent": third}.items():
        world.record_reply(name, await update)
    await world.record_history()


@scenario()
async def same_id_after_acceptance(world: World) -> None:
    """The id of an accepted update again: the client that waits for ACCEPTED hears at once, the other waits."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world, "update", "first")
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]))
    await world.record_call("again, ACCEPTED", update_request(world, "update", "again", stage="ACCEPTED"))
    second = await send_update(world, "update", "second")
    await world.signal()
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    await answer(worker, task, respond("update", "done"))
    world.record_reply("first", await first)
    world.record_reply("second", await second)
    await world.record_history()


@scenario()
async def same_id_after_completion(world: World) -> None:
    """The id of a completed update again gives the same result, also once the workflow is closed."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world)
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    await first
    await world.record_call("again", update_request(world, "update", "again"))
    await world.record_call("again, ACCEPTED", update_request(world, stage="ACCEPTED"))
    await world.record_call("under another name", update_request(world, name="other"))
    await world.signal()
    await worker.next_workflow_task(complete_workflow())
    await world.record_call("closed", update_request(world))
    await world.record_call("closed, ACCEPTED", update_request(world, stage="ACCEPTED"))
    await world.record_call("closed, poll", poll_update_request(world))
    await world.record_call("closed, another id", update_request(world, "another"))
    await world.record_history()


@scenario()
async def same_id_after_rejection(world: World) -> None:
    """The id of a rejected update is free again."""
    await finish_first_task(world, worker := world.raw_worker())
    for attempt in ("first", "second"):
        update = await send_update(world, "update", attempt)
        task = await worker.poll_workflow_task()
        record_task(world, f"{attempt} task", task)
        await answer(worker, task, reject(task.messages[0]))
        world.record_reply(attempt, await update)
    update = await send_update(world, "update", "third")
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    world.record_reply("third", await update)
    await world.record_history()


@scenario()
async def two_in_one_task(world: World) -> None:
    """Two updates come in one workflow task in the order of their admission; each has its own outcome."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world, "zebra")
    second = await send_update(world, "ape")
    task = await worker.poll_workflow_task()
    world.record_reply("task", task)
    request, other = task.messages
    reply = await answer(worker, task, accept(other), respond("ape", 2), accept(request), respond("zebra", 1))
    world.record_reply("answer to the worker", reply)
    world.record_reply("zebra", await first)
    world.record_reply("ape", await second)
    await world.record_history()


@scenario()
async def one_accepted_one_rejected(world: World) -> None:
    """Of two updates in one task one is accepted and one rejected."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world, "first")
    second = await send_update(world, "second")
    task = await worker.poll_workflow_task()
    reply = await answer(worker, task, reject(task.messages[0]), accept(task.messages[1]), respond("second", 2))
    world.record_reply("answer to the worker", reply)
    world.record_reply("first", await first)
    world.record_reply("second", await second)
    await world.record_history()


@scenario()
async def both_rejected(world: World) -> None:
    """Both updates of a speculative workflow task are rejected: nothing is written."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world, "first")
    second = await send_update(world, "second")
    task = await worker.poll_workflow_task()
    reply = await answer(worker, task, reject(task.messages[1]), reject(task.messages[0]))
    world.record_reply("answer to the worker", reply)
    world.record_reply("first", await first)
    world.record_reply("second", await second)
    await world.record_history()


@scenario()
async def interleaved(world: World) -> None:
    """Two updates are accepted one after the other and completed the other way round."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world, "first")
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]))
    second = await send_update(world, "second")
    task = await worker.poll_workflow_task()
    record_task(world, "second task", task)
    await answer(worker, task, accept(task.messages[0]), respond("second", 2))
    world.record_reply("second", await second)
    await record_stages(world, "first, accepted", "first")
    third = await send_update(world, "third")
    task = await worker.poll_workflow_task()
    record_task(world, "third task", task)
    await answer(worker, task, respond("first", 1), reject(task.messages[0]))
    world.record_reply("first", await first)
    world.record_reply("third", await third)
    await world.record_history()
