"""Timers."""

from __future__ import annotations

from tests.differential.raw_worker import command, complete_workflow, start_timer
from tests.differential.scenario import scenario
from tests.differential.world import World


@scenario()
async def fire_and_cancel(world: World) -> None:
    """One timer fires; the other is cancelled in the workflow task that follows."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("short", 1), start_timer("long", 100))
    await worker.next_workflow_task(command("CANCEL_TIMER", timer_id="long"), complete_workflow())
    await world.record_history()
