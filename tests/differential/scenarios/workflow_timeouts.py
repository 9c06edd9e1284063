"""Run and execution timeouts, and start delay."""

from __future__ import annotations

from temporalio.api.enums.v1.workflow_pb2 import WORKFLOW_EXECUTION_STATUS_TIMED_OUT

from tests.differential.raw_worker import command, complete_workflow, schedule_activity, seconds
from tests.differential.scenario import scenario
from tests.differential.world import World


@scenario()
async def run_timeout(world: World) -> None:
    """A run that takes too long."""
    run_id = await world.start(workflow_run_timeout=seconds(1))
    await world.record_chain(run_id, 1)
    info = (await world.describe()).workflow_execution_info
    world.record_value("timed out", [info.status == WORKFLOW_EXECUTION_STATUS_TIMED_OUT, info.HasField("close_time")])


@scenario()
async def run_timeout_during_a_workflow_task(world: World) -> None:
    """A run times out while a worker has its workflow task, with a signal buffered."""
    run_id = await world.start(workflow_run_timeout=seconds(2))
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue))
    await world.signal()
    task = await worker.poll_workflow_task()
    await world.signal(name="buffered")
    await world.record_chain(run_id, 1)
    await world.record_outcome("late answer", worker.complete_workflow_task(task, complete_workflow()))


@scenario()
async def execution_timeout(world: World) -> None:
    """The execution timeout covers the whole chain."""
    run_id = await world.start(workflow_execution_timeout=seconds(2))
    await world.raw_worker().next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"))
    await world.record_chain(run_id, 2)


@scenario()
async def start_delay(world: World) -> None:
    """The first workflow task waits for the start delay."""
    await world.start(workflow_start_delay=seconds(1), workflow_execution_timeout=seconds(30))
    await world.record_description("waiting")
    await world.record_history()
    await world.raw_worker().next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def start_delay_with_signal(world: World) -> None:
    """A signal does not end the start delay."""
    await world.start(workflow_start_delay=seconds(2))
    await world.signal()
    await world.record_history()
    await world.raw_worker().next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def start_delay_cancelled(world: World) -> None:
    """A cancel request during the start delay."""
    await world.start(workflow_start_delay=seconds(2))
    await world.cancel(reason="never mind")
    await world.record_history()
    await world.raw_worker().next_workflow_task(command("CANCEL_WORKFLOW_EXECUTION"))
    await world.record_history()


@scenario()
async def start_delay_terminated(world: World) -> None:
    """Termination during the start delay."""
    await world.start(workflow_start_delay=seconds(60))
    await world.terminate(reason="never mind")
    await world.record_history()
