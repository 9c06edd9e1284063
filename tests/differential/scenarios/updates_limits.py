"""Limits of updates: how many at a time and in total, how large, how long a wait; and settings that change them."""

from __future__ import annotations

import asyncio

from temporalio.api.protocol.v1 import Message

from tests.differential.scenario import scenario
from tests.differential.update_worker import (
    accept,
    answer,
    finish_first_task,
    poll_update_request,
    record_task,
    reject,
    respond,
    send_update,
    update_request,
)
from tests.differential.world import World


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


def _accept_and_respond(*requests: Message) -> list[Message]:
    """Return the acceptances and the results of updates."""
    return [each for request in requests for each in (accept(request), respond(request.protocol_instance_id))]


@scenario(server="small_updates")
async def too_many_in_total(world: World) -> None:
    """A run takes only so many updates; near the limit it is told to continue as new. Rejected ones don't count."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world, "not counted")
    task = await worker.poll_workflow_task()
    await answer(worker, task, reject(task.messages[0]))
    await update
    sent = 0
    for batch in (3, 3, 2, 1, 1):
        updates = [await send_update(world, f"update-{sent + number}") for number in range(batch)]
        sent += batch
        task = await worker.poll_workflow_task()
        world.record_reply(f"with {sent} updates", task.history.events[-1])
        await answer(worker, task, *_accept_and_respond(*task.messages))
        await asyncio.gather(*updates)
    await world.record_call("one too many", update_request(world, "late"))
    await world.record_call("a known one", update_request(world, "update-0"))
    await world.signal()
    task = await worker.poll_workflow_task()
    world.record_reply("at the limit", task.history.events[-1])


@scenario(server="small_updates")
async def few_at_a_time(world: World) -> None:
    """The setting for the number of incomplete updates counts admitted ones as well."""
    await finish_first_task(world, worker := world.raw_worker())
    updates = [await send_update(world, f"update-{number}", stage="ACCEPTED") for number in range(3)]
    task = await worker.poll_workflow_task()
    await answer(
        worker, task, *_accept_and_respond(task.messages[0]), accept(task.messages[1]), reject(task.messages[2])
    )
    await asyncio.gather(*updates)
    updates = [await send_update(world, f"admitted-{number}") for number in range(2)]
    await world.record_call("one too many", update_request(world, "late"))
    await world.terminate()
    await asyncio.gather(*updates, return_exceptions=True)


@scenario(server="small_updates")
async def few_bytes(world: World) -> None:
    """The setting for the bytes of incomplete updates refuses one that is too large by itself."""
    await finish_first_task(world, worker := world.raw_worker())
    await world.record_call("too large", update_request(world, "large", "x" * 5000))
    update = await send_update(world, "update", "x" * 4800)
    task = await worker.poll_workflow_task()
    await answer(worker, task, *_accept_and_respond(*task.messages))
    world.record_reply("nearly too large", await update)


@scenario(server="small_updates")
async def server_ends_the_wait(world: World) -> None:
    """A wait that lasts too long for the server ends with the stage that is reached, for the client to ask again."""
    await finish_first_task(world, worker := world.raw_worker())
    calls = {
        "admitted, COMPLETED": await send_update(world),
        "admitted, ACCEPTED": await send_update(world, stage="ACCEPTED"),
        "admitted, poll COMPLETED": asyncio.ensure_future(world.call(poll_update_request(world))),
        "admitted, poll ACCEPTED": asyncio.ensure_future(world.call(poll_update_request(world, stage="ACCEPTED"))),
    }
    for name, call in calls.items():
        world.record_reply(name, await call)
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]))
    world.record_reply("accepted, COMPLETED", await world.call(update_request(world)))
    world.record_reply("accepted, poll COMPLETED", await world.call(poll_update_request(world)))
    await world.signal()
    await answer(worker, await worker.poll_workflow_task(), respond("update", "done"))
    await world.record_call("completed", poll_update_request(world))
    await world.record_history()


@scenario(server="small_updates")
async def eager_start_disabled(world: World) -> None:
    """With eager starts disabled the reply carries no task."""
    world.record_reply("start", await world.call(world.start_request(request_eager_execution=True)))
    await world.record_history()
