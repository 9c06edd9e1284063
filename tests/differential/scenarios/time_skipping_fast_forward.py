"""Fast-forwards: how far time is skipped, what ends it, and who waits for its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio.api.common.v1 import TimeSkippingConfig, WorkflowExecution

from tests.differential.raw_worker import command, complete_workflow, schedule_activity, seconds, start_timer
from tests.differential.scenario import scenario
from tests.differential.time_skipping import HOUR, fast_forward, poll_request, record_info, skipping, update_request
from tests.differential.world import World


@scenario(live_sample=True)
async def idle_workflow(world: World) -> None:
    """An idle workflow jumps to the target at once, and there time skipping is disabled."""
    await world.start(time_skipping_config=skipping(HOUR))
    await record_info(world, "pending")
    await world.raw_worker().next_workflow_task()
    await world.record_call("poll", poll_request(world))
    await record_info(world, "reached")
    await world.record_history()


@scenario()
async def timers_around_it(world: World) -> None:
    """Timers before the target are jumped to, one behind it is not."""
    await world.start(time_skipping_config=skipping(2 * HOUR))
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("before", HOUR), start_timer("after", 3 * HOUR))
    await worker.next_workflow_task()
    await world.wait_for_events(12)
    await record_info(world, "reached")
    await world.record_call("and on", update_request(world, skipping()))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def end_of_the_run(world: World) -> None:
    """A run that ends before the target times out."""
    await world.start(time_skipping_config=skipping(2 * HOUR), workflow_run_timeout=seconds(HOUR))
    await world.raw_worker().next_workflow_task()
    await world.wait_closed()
    await world.record_history()
    await world.record_call("poll", poll_request(world))


@scenario()
async def reached_beside_an_activity(world: World) -> None:
    """When its time comes the fast-forward ends, whatever the workflow does."""
    await world.start(time_skipping_config=skipping(2))
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue), start_timer("t", HOUR))
    await world.record_call("poll", poll_request(world))
    await world.record_history()
    await record_info(world, "reached")
    await worker.complete_activity(await worker.poll_activity_task())
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def reached_beside_a_workflow_task(world: World) -> None:
    """What ends a fast-forward while a worker has a workflow task is held back like any event."""
    await world.start(time_skipping_config=skipping(2))
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await world.record_call("poll", poll_request(world))
    await world.record_history()
    await world.record_outcome("completion", worker.complete_workflow_task(task, complete_workflow()))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def reached_beside_an_idle_worker(world: World) -> None:
    """A completed workflow task is followed by another one for what was held back."""
    await world.start(time_skipping_config=skipping(2))
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await world.record_call("poll", poll_request(world))
    await worker.complete_workflow_task(task, start_timer("t", HOUR))
    await world.record_history()
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def set_again(world: World) -> None:
    """Each update sets a fast-forward again, also to the same duration."""
    await world.start(time_skipping_config=skipping(HOUR))
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue))
    await world.record_call("same", update_request(world, skipping(HOUR)))
    await world.record_call("shorter", update_request(world, skipping(60)))
    other = skipping(fast_forward_config=fast_forward(60, "other"))
    await world.record_call("other id", update_request(world, other))
    await world.record_call("old id", poll_request(world))
    await record_info(world, "pending")
    await world.record_call("none", update_request(world, skipping()))
    await record_info(world, "none")
    await world.record_call("back", update_request(world, other))
    await worker.complete_activity(await worker.poll_activity_task())
    await worker.next_workflow_task()
    await world.record_call("poll", poll_request(world, "other"))
    await world.record_history()


@scenario()
async def fifty_years(world: World) -> None:
    """A fast-forward may be of many years."""
    await world.start(time_skipping_config=skipping(50 * 365 * 24 * HOUR))
    await world.raw_worker().next_workflow_task()
    await world.record_call("poll", poll_request(world))
    await world.record_history()


async def _record_woken(
    world: World, name: str, wake: Callable[[], Awaitable[Any]], fast_forward_id: str = "ff", **fields: Any
) -> None:
    """Record the answer to a poll that waits until `wake` was called."""
    poll = asyncio.ensure_future(world.call(poll_request(world, fast_forward_id, **fields)))
    await asyncio.sleep(0.3)
    assert not poll.done()
    await wake()
    await world.record_outcome(name, poll)


@scenario()
async def poll_until_completed(world: World) -> None:
    """A poll waits for the end of the fast-forward."""
    run_id = await world.start(time_skipping_config=skipping(HOUR))
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    execution = world.execution(run_id=run_id)
    await _record_woken(world, "woken", lambda: worker.complete_workflow_task(task), workflow_execution=execution)
    await world.record_call("again", poll_request(world))
    await world.terminate()
    await world.record_call("closed", poll_request(world))


@scenario()
async def poll_until_it_fails(world: World) -> None:
    """A poll is answered when the fast-forward can't complete any more, with the reason."""
    config = skipping(HOUR)
    cases: dict[str, Callable[[], Awaitable[Any]]] = {
        "reset": lambda: world.call(update_request(world, skipping(2 * HOUR))),
        "replaced": lambda: world.call(
            update_request(world, skipping(fast_forward_config=fast_forward(HOUR, "other")))
        ),
        "removed": lambda: world.call(update_request(world, skipping())),
        "all removed": lambda: world.call(update_request(world, None)),
        "ended": lambda: world.terminate(),
    }
    await world.start()
    for name, wake in cases.items():
        await world.call(update_request(world, config))
        await _record_woken(world, name, wake)
    await world.record_call("closed", poll_request(world))


@scenario()
async def poll_over_a_chain(world: World) -> None:
    """A poll goes on with the next run, which goes on with the fast-forward."""
    run_id = await world.start(time_skipping_config=skipping(3 * HOUR))
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("t", HOUR))
    task = await worker.poll_workflow_task()
    await record_info(world, "first run")

    async def go_on() -> None:
        await world.age()
        await worker.complete_workflow_task(
            task, command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", workflow_type={"name": "RawWorkflow"})
        )
        await record_info(world, "second run")
        await worker.next_workflow_task()

    await _record_woken(world, "completed", go_on)
    await record_info(world, "reached")
    await world.record_history(run_id=run_id)
    await world.record_history()


@scenario()
async def bad_polls(world: World) -> None:
    """A poll names a workflow and a fast-forward."""
    await world.start(time_skipping_config=TimeSkippingConfig())
    execution = world.execution()
    requests = {
        "no workflow": poll_request(world, workflow_execution=None),
        "no workflow id": poll_request(world, workflow_execution=WorkflowExecution()),
        "bad run id": poll_request(world, workflow_execution=WorkflowExecution(workflow_id="w", run_id="bad")),
        "no id": poll_request(world, ""),
        "blank id": poll_request(world, " "),
        "unknown workflow": poll_request(world, workflow_execution=world.execution("unknown")),
        "unknown run": poll_request(
            world, workflow_execution=world.execution(run_id="7b3b1f4e-6d4c-4f0e-8f0e-2f0a5c1d9b11")
        ),
        "unknown id": poll_request(world, workflow_execution=execution),
    }
    for name, request in requests.items():
        await world.record_call(name, request)


@scenario(server="small_updates")
async def poll_that_times_out(world: World) -> None:
    """After the server's own time a poll is answered that the fast-forward is pending."""
    await world.start(time_skipping_config=skipping(HOUR))
    await world.record_call("poll", poll_request(world))
