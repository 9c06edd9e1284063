"""Local activities, side effects and patches of SDK workflows: markers, and what comes with them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, FailureError

from tests.differential.scenario import scenario
from tests.differential.world import World


@activity.defn
async def double(number: int) -> int:
    return number * 2


@activity.defn
async def always_fails() -> None:
    raise ApplicationError("local failure", "some detail", type="Broken", non_retryable=True)


@activity.defn
async def fails_at_first() -> int:
    if activity.info().attempt < 3:
        raise ApplicationError(f"attempt {activity.info().attempt}", type="Again")
    return activity.info().attempt


@workflow.defn
class RunsLocally:
    @workflow.run
    async def run(self) -> list[str]:
        long = timedelta(seconds=120)
        seen = [str(await workflow.execute_local_activity(double, 21, start_to_close_timeout=long, summary="doubles"))]
        try:
            await workflow.execute_local_activity(always_fails, start_to_close_timeout=long)
        except FailureError as error:
            seen.append(f"{type(error).__name__}: {error}")
        policy = RetryPolicy(initial_interval=timedelta(milliseconds=20), backoff_coefficient=1)
        attempts = await workflow.execute_local_activity(
            fails_at_first, start_to_close_timeout=long, retry_policy=policy
        )
        seen.append(str(attempts))
        return seen


@scenario()
async def sdk_local_activities(world: World) -> None:
    """Local activities that succeed, fail and are tried again leave one marker each, in one workflow task."""
    async with world.worker([RunsLocally], [double, always_fails, fails_at_first]):
        handle = await world.client.start_workflow(RunsLocally.run, id=world.workflow_id(), task_queue=world.task_queue)
        world.record_value("result", await handle.result())
    await world.record_history()


@workflow.defn
class RetriesByTimer:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_local_activity(
            fails_at_first,
            start_to_close_timeout=timedelta(seconds=120),
            local_retry_threshold=timedelta(milliseconds=100),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=500), backoff_coefficient=1),
        )


@scenario()
async def sdk_local_retry_by_timer(world: World) -> None:
    """A local activity whose retry is too far away waits for it by a timer, with a marker for each attempt."""
    async with world.worker([RetriesByTimer], [fails_at_first]):
        handle = await world.client.start_workflow(
            RetriesByTimer.run, id=world.workflow_id(), task_queue=world.task_queue
        )
        world.record_value("result", await handle.result())
    await world.record_history()


@workflow.defn
class OutlivesItsTask:
    @workflow.run
    async def run(self) -> str:
        await workflow.execute_local_activity(sleeps, start_to_close_timeout=timedelta(seconds=120))
        return "done"


@activity.defn
async def sleeps() -> None:
    await asyncio.sleep(6)


@scenario()
async def sdk_local_heartbeat(world: World) -> None:
    """A local activity that outlives its workflow task: the worker asks for new ones until it is done."""
    async with world.worker([OutlivesItsTask], [sleeps]):
        handle = await world.client.start_workflow(
            OutlivesItsTask.run,
            id=world.workflow_id(),
            task_queue=world.task_queue,
            task_timeout=timedelta(seconds=5),
        )
        world.record_value("result", await handle.result())
    await world.record_history()


@workflow.defn
class Patched:
    def __init__(self) -> None:
        self.go_on = False

    @workflow.run
    async def run(self) -> list[bool]:
        first = workflow.patched("first")
        await workflow.wait_condition(lambda: self.go_on)
        again = workflow.patched("first")
        second = workflow.patched("second")
        workflow.deprecate_patch("third")
        return [first, again, second]

    @workflow.signal
    def proceed(self) -> None:
        self.go_on = True


@scenario()
async def sdk_patches(world: World) -> None:
    """Patches in two workflow tasks leave a marker each and add to the search attribute."""
    async with world.worker([Patched]):
        handle = await world.client.start_workflow(Patched.run, id=world.workflow_id(), task_queue=world.task_queue)
        await world.wait_for_events(6)
        await world.record_description("first patch")
        await handle.signal(Patched.proceed)
        world.record_value("result", await handle.result())
    await world.record_description("closed")
    await world.record_history()
