"""The same update id again at every stage, several updates at once, and their limits."""

from __future__ import annotations

import asyncio

from temporalio.api.protocol.v1 import Message

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


@scenario()
async def too_many_accepted(world: World) -> None:
    """Only so many updates may be incomplete at a time, and a completed one makes room."""
    await finish_first_task(world, worker := world.raw_worker())
    names = [f"update-{number}" for number in range(10)]
    updates = [await send_update(world, name, stage="ACCEPTED") for name in names]
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    await answer(worker, task, *(accept(message) for message in task.messages))
    for update in updates:
        await update
    await world.record_call("one too many", update_request(world, "late"))
    await world.record_call("a known one", update_request(world, "update-3", stage="ACCEPTED"))
    await world.signal()
    await answer(worker, await worker.poll_workflow_task(), respond("update-3", "done"))
    await world.record_call("completed", poll_update_request(world, "update-3"))
    late = await send_update(world, "late")
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]), respond("late", "done"))
    world.record_reply("late", await late)


@scenario()
async def too_many_admitted(world: World) -> None:
    """Updates that no worker has taken yet count as incomplete too."""
    await finish_first_task(world, world.raw_worker())
    updates = [await send_update(world, f"update-{number}") for number in range(10)]
    await world.record_call("one too many", update_request(world, "late"))
    await world.terminate()
    await asyncio.gather(*updates, return_exceptions=True)
    await world.record_history()


@scenario()
async def too_many_in_total(world: World) -> None:
    """A run takes only so many updates; near the limit it is told to continue as new. Rejected ones don't count."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world, "not counted")
    task = await worker.poll_workflow_task()
    await answer(worker, task, reject(task.messages[0]))
    await update
    sent = 0
    for batch in (9, 9, 8, 1, 1, 2):
        updates = [await send_update(world, f"update-{sent + number}") for number in range(batch)]
        sent += batch
        task = await worker.poll_workflow_task()
        world.record_reply(f"with {sent} updates", task.history.events[-1])
        await answer(worker, task, *(each for message in task.messages for each in _accept_and_respond(message)))
        await asyncio.gather(*updates)
    await world.record_call("one too many", update_request(world, "late"))
    await world.record_call("a known one", update_request(world, "update-0"))
    await world.signal()
    task = await worker.poll_workflow_task()
    world.record_reply("at the limit", task.history.events[-1])


def _accept_and_respond(message: Message) -> list[Message]:
    """Return the acceptance and the result of an update."""
    return [accept(message), respond(message.protocol_instance_id)]


@scenario()
async def too_large_together(world: World) -> None:
    """The arguments of the incomplete updates of a run may not exceed so many bytes together."""
    await finish_first_task(world, world.raw_worker())
    large = "x" * 3_600_000
    updates = [await send_update(world, f"update-{number}", large) for number in range(5)]
    await world.record_call("one too many", update_request(world, "late", large))
    await world.terminate()
    await asyncio.gather(*updates, return_exceptions=True)


@scenario()
async def too_large_to_accept(world: World) -> None:
    """An acceptance that carries arguments over the limit of a payload ends the workflow."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world, "update", "x" * 3_000_000)
    task = await worker.poll_workflow_task()
    await world.record_outcome("accept", answer(worker, task, accept(task.messages[0])))
    await world.record_outcome("update", update)
    await world.record_history()


@scenario()
async def too_large_a_result(world: World) -> None:
    """A result over the limit of a payload ends the workflow."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await world.record_outcome(
        "respond", answer(worker, task, accept(task.messages[0]), respond("update", "x" * 3_000_000))
    )
    await world.record_outcome("update", update)
    await world.record_history()


@scenario()
async def accepted_without_the_request(world: World) -> None:
    """An acceptance need not repeat the request: the server writes the one that it has, whatever its size."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world, "update", "x" * 3_000_000)
    task = await worker.poll_workflow_task()
    message = accept(task.messages[0], accepted_request=None)
    await world.record_outcome("accept", answer(worker, task, message, respond("update", "done")))
    await world.record_outcome("update", update)
    await world.record_history()
