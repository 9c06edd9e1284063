"""The four activity timeouts, with and without another attempt."""

from __future__ import annotations

from tests.differential.raw_worker import complete_workflow, retry_policy, schedule_activity, seconds
from tests.differential.scenario import scenario
from tests.differential.world import World


@scenario()
async def schedule_to_start(world: World) -> None:
    """No worker takes the task in time; this is not retried."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue, schedule_to_start_timeout=seconds(1)),
    )
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def schedule_to_close_before_start(world: World) -> None:
    """The whole time passes without a worker."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue, start_to_close_timeout=None, schedule_to_close_timeout=seconds(1)),
    )
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def schedule_to_close_while_running(world: World) -> None:
    """The whole time passes while an attempt runs."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue, schedule_to_close_timeout=seconds(1)),
    )
    task = await worker.poll_activity_task()
    await worker.heartbeat(task, "so far")
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def start_to_close_without_retry(world: World) -> None:
    """An attempt runs too long, and it is the last one."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity(
            "a", world.task_queue, start_to_close_timeout=seconds(1), retry_policy=retry_policy(attempts=1)
        ),
    )
    task = await worker.poll_activity_task()
    await worker.heartbeat(task, "so far")
    await worker.next_workflow_task(complete_workflow())
    await world.record_outcome("late completion", worker.complete_activity(task))
    await world.record_history()


@scenario()
async def start_to_close_with_retry(world: World) -> None:
    """An attempt runs too long; the next one learns what was heartbeated, and why there was another."""
    await world.start()
    worker = world.raw_worker()
    policy = retry_policy(initial=1, coefficient=1, attempts=2)
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue, start_to_close_timeout=seconds(1), retry_policy=policy),
    )
    first = await worker.poll_activity_task()
    await worker.heartbeat(first, "so far")
    second = await worker.poll_activity_task()
    world.record_reply("second attempt", second)
    await world.record_description("second attempt runs")
    await world.record_outcome("late completion of the first", worker.complete_activity(first))
    await worker.complete_activity(second, "done")
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def heartbeat_without_retry(world: World) -> None:
    """An attempt falls silent, and it is the last one."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue, heartbeat_timeout=seconds(1), retry_policy=retry_policy(attempts=1)),
    )
    task = await worker.poll_activity_task()
    await worker.heartbeat(task, "so far")
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def heartbeat_with_retry(world: World) -> None:
    """An attempt falls silent and another follows; without a heartbeat of its own it keeps the old details."""
    await world.start()
    worker = world.raw_worker()
    policy = retry_policy(initial=1, coefficient=1, attempts=3)
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue, heartbeat_timeout=seconds(1), retry_policy=policy),
    )
    await worker.heartbeat(await worker.poll_activity_task(), "so far")
    world.record_reply("second attempt", await worker.poll_activity_task())
    third = await worker.poll_activity_task()
    world.record_reply("third attempt", third)
    await worker.complete_activity(third, "done")
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def timeout_type_not_retryable(world: World) -> None:
    """A retry policy can name a timeout as not retryable."""
    await world.start()
    worker = world.raw_worker()
    policy = retry_policy(initial=1, non_retryable=("TemporalTimeout:StartToClose",))
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue, start_to_close_timeout=seconds(1), retry_policy=policy),
    )
    await worker.poll_activity_task()
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()
