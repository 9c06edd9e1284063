"""Parents and children after a reset: who still belongs to whom, and who hears of whose end."""

from __future__ import annotations

from typing import Any

from temporalio.api.common.v1 import WorkflowExecution

from tests.differential.raw_worker import RawWorker, command, complete_workflow, start_child
from tests.differential.scenario import scenario
from tests.differential.world import World


async def _reset_parent(world: World, **child: Any) -> tuple[str, str, RawWorker, RawWorker]:
    """Start a parent and a child, and reset the parent to after the child's start.

    Returns the ids of the parent's two runs, the parent's worker and the child's, which has completed one task.
    """
    first = await world.start()
    worker, child_worker = world.raw_worker(), world.child_worker()
    await worker.next_workflow_task(start_child(world.child_id, world.child_queue, **child))
    point = await worker.poll_workflow_task()
    await worker.complete_workflow_task(point)
    await child_worker.next_workflow_task()
    new_run_id = await world.reset(point.started_event_id + 1)
    return first, new_run_id, worker, child_worker


@scenario()
async def policy_of_a_new_run(world: World) -> None:
    """The close of the new run does nothing to a child that its base run started, whatever the policy says."""
    _, new_run_id, worker, _ = await _reset_parent(world, parent_close_policy="PARENT_CLOSE_POLICY_TERMINATE")
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=new_run_id)
    await world.age()
    await world.record_description("child", world.child_id)


@scenario()
async def child_workflow_only(world: World) -> None:
    """A signal and a cancellation request that are for a child only do not reach one that the base run started."""
    _, new_run_id, worker, _ = await _reset_parent(world)
    await worker.next_workflow_task(
        command(
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION",
            execution=WorkflowExecution(workflow_id=world.child_id),
            signal_name="go",
            namespace=world.namespace,
            child_workflow_only=True,
        )
    )
    await world.wait_for_events(13)
    await worker.next_workflow_task(
        command(
            "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION",
            workflow_id=world.child_id,
            namespace=world.namespace,
            child_workflow_only=True,
        )
    )
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=new_run_id)
    await world.record_history(world.child_id)


@scenario()
async def initiated_by_the_event_with_the_same_id(world: World) -> None:
    """A child that the new run initiates is another one, also when its event has the id that it had in the base run."""
    first = await world.start()
    worker, child_worker = world.raw_worker(), world.child_worker()
    await worker.next_workflow_task()
    await world.signal()
    await worker.next_workflow_task(start_child(world.child_id, world.child_queue))
    await worker.next_workflow_task()
    await child_worker.next_workflow_task()
    new_run_id = await world.reset(4)
    await worker.next_workflow_task(start_child(world.child_id, world.child_queue))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=first)
    await world.record_history(run_id=new_run_id)
    await world.record_description("child", world.child_id)


@scenario()
async def child_closed_between(world: World) -> None:
    """A child that closes after its parent has, and before the parent is reset: the new run waits for it in vain."""
    first = await world.start()
    worker, child_worker = world.raw_worker(), world.child_worker()
    abandoned = start_child(world.child_id, world.child_queue, parent_close_policy="PARENT_CLOSE_POLICY_ABANDON")
    await worker.next_workflow_task(abandoned)
    point = await worker.poll_workflow_task()
    await worker.complete_workflow_task(point, complete_workflow())
    await child_worker.next_workflow_task(complete_workflow("nobody hears this"))
    await world.wait_closed(world.child_id)
    await world.age()
    new_run_id = await world.reset(point.started_event_id + 1, run_id=first)
    await worker.next_workflow_task()
    await world.record_description("new run")
    await world.record_history(run_id=new_run_id)


@scenario()
async def place_taken_by_a_reset_run(world: World) -> None:
    """A child that a reset of an older workflow with its id terminates: its parent is not told."""
    await world.start(world.child_id, task_queue={"name": world.child_queue})
    child_worker = world.child_worker()
    older = await child_worker.poll_workflow_task()
    await child_worker.complete_workflow_task(older, complete_workflow())
    parent_run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(start_child(world.child_id, world.child_queue))
    await worker.next_workflow_task()
    child = await child_worker.next_workflow_task()
    await world.reset(older.started_event_id + 1, world.child_id, older.workflow_execution.run_id)
    await world.age()
    await world.record_history(world.child_id, child.workflow_execution.run_id)
    await world.record_description("parent")
    await world.record_history(run_id=parent_run_id)


@scenario()
async def reset_again(world: World) -> None:
    """A second reset of the base run: the child's end is told to the run that the last reset made."""
    first, second, worker, child_worker = await _reset_parent(world)
    await worker.next_workflow_task()
    third = await world.reset(9, run_id=first)
    await world.signal(world.child_id)
    await child_worker.next_workflow_task(complete_workflow("done"))
    await worker.next_workflow_task(complete_workflow())
    for run_id in (first, second, third):
        await world.record_history(run_id=run_id)


@scenario()
async def continued_child_reset(world: World) -> None:
    """The first run of a child is reset after it went on as new: the end of the new run is told to the parent."""
    parent_run_id = await world.start()
    worker, child_worker = world.raw_worker(), world.child_worker()
    await worker.next_workflow_task(start_child(world.child_id, world.child_queue))
    await worker.next_workflow_task()
    child = await child_worker.poll_workflow_task()
    await world.age()
    await child_worker.complete_workflow_task(
        child,
        command(
            "CONTINUE_AS_NEW_WORKFLOW_EXECUTION",
            workflow_type={"name": "RawChild"},
            task_queue={"name": world.child_queue},
        ),
    )
    await child_worker.next_workflow_task()
    await world.reset(4, world.child_id, child.workflow_execution.run_id)
    await world.record_description("parent")
    await child_worker.next_workflow_task(complete_workflow("after the reset"))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=parent_run_id)
