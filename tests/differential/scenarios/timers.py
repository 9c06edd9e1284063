"""Timers."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow

from tests.differential.raw_worker import command, complete_workflow, start_timer
from tests.differential.scenario import scenario
from tests.differential.world import World


@workflow.defn
class SleepsAndRaces:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(0.1, summary="a nap")
        try:
            await asyncio.wait_for(workflow.wait_condition(lambda: False), 0.2)
        except TimeoutError:
            return "timed out"
        return "never"


@scenario()
async def fire_and_cancel(world: World) -> None:
    """One timer fires; the other is cancelled in the workflow task that follows."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("short", 1), start_timer("long", 100))
    await worker.next_workflow_task(command("CANCEL_TIMER", timer_id="long"), complete_workflow())
    await world.record_history()


@scenario()
async def sdk_sleep(world: World) -> None:
    """An SDK workflow sleeps, and waits with a timeout."""
    async with world.worker([SleepsAndRaces]):
        result = await world.client.execute_workflow(
            SleepsAndRaces.run,
            id=world.workflow_id(),
            task_queue=world.task_queue,
            task_timeout=timedelta(seconds=5),
        )
    world.record_value("result", result)
    await world.record_history()


@scenario()
async def same_id_again(world: World) -> None:
    """A timer id may be used again once the timer has fired."""
    await world.start()
    worker = world.raw_worker()
    for _ in range(2):
        await worker.next_workflow_task(start_timer("t", 0.2))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def fire_in_order(world: World) -> None:
    """Timers fire in the order of their time, whatever order they were started in."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("late", 2), start_timer("early", 0.5))
    await worker.next_workflow_task()
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()
