"""Sticky queues: partial histories, the fallback to the normal queue, and the reset."""

from __future__ import annotations

from temporalio.api.workflowservice.v1 import ResetStickyTaskQueueRequest

from tests.differential.raw_worker import complete_workflow, start_timer, sticky_attributes
from tests.differential.scenario import scenario
from tests.differential.world import World


@scenario()
async def only_new_events(world: World) -> None:
    """A sticky poll gets only what is new since the worker's last task."""
    await world.start()
    worker = world.raw_worker()
    sticky = f"{world.name}-sticky"
    task = await worker.poll_workflow_task()
    await worker.complete_workflow_task(task, sticky=sticky)
    task = await worker.poll_sticky_task(sticky, world.signal)
    world.record_reply("sticky task", task)
    await worker.complete_workflow_task(task, start_timer("t", 60), sticky=sticky)
    task = await worker.poll_sticky_task(sticky, world.signal)
    world.record_reply("second sticky task", task)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def fallback(world: World) -> None:
    """Nobody polls the sticky queue in time: the task times out and goes to the normal queue with the whole history."""
    await world.start()
    worker = world.raw_worker()
    sticky = f"{world.name}-sticky"
    await worker.poll_workflow_task(sticky=sticky, timeout_seconds=3)  # now it counts as polled
    task = await worker.poll_workflow_task()
    await worker.complete_workflow_task(task, sticky_attributes=sticky_attributes(sticky, world.task_queue, 1))
    await world.signal()
    task = await worker.poll_workflow_task()
    world.record_reply("normal task", task)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def reset(world: World) -> None:
    """ResetStickyTaskQueue sends the next task to the normal queue."""
    await world.start()
    worker = world.raw_worker()
    sticky = f"{world.name}-sticky"
    await worker.complete_workflow_task(await worker.poll_workflow_task(), sticky=sticky)
    await world.record_description("sticky")
    await world.record_call(
        "reset", ResetStickyTaskQueueRequest(namespace=world.namespace, execution=world.execution())
    )
    await world.signal()
    task = await worker.poll_workflow_task()
    world.record_value("events in the normal task", len(task.history.events))
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def not_renewed(world: World) -> None:
    """A completion without sticky attributes ends the stickiness."""
    await world.start()
    worker = world.raw_worker()
    sticky = f"{world.name}-sticky"
    await worker.complete_workflow_task(await worker.poll_workflow_task(), sticky=sticky)
    await worker.complete_workflow_task(await worker.poll_sticky_task(sticky, world.signal))
    await world.signal()
    task = await worker.poll_workflow_task()
    world.record_value("events in the normal task", len(task.history.events))
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def failed_sticky_task(world: World) -> None:
    """A sticky workflow task that fails is retried on the normal queue."""
    await world.start()
    worker = world.raw_worker()
    sticky = f"{world.name}-sticky"
    await worker.complete_workflow_task(await worker.poll_workflow_task(), sticky=sticky)
    await worker.fail_workflow_task(await worker.poll_sticky_task(sticky, world.signal))
    task = await worker.poll_workflow_task()
    world.record_reply("retried", task)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def nobody_ever_polled(world: World) -> None:
    """A sticky queue that nobody polled of late is passed over at once."""
    await world.start()
    worker = world.raw_worker()
    await worker.complete_workflow_task(await worker.poll_workflow_task(), sticky=f"{world.name}-sticky")
    await world.signal()
    task = await worker.poll_workflow_task()
    world.record_value("events in the normal task", len(task.history.events))
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()
