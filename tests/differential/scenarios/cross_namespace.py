"""Children, signals and cancellation requests in another namespace, on a server that lets commands out of their own."""

from __future__ import annotations

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.taskqueue.v1 import TaskQueue

from tests.differential.raw_worker import RawWorker, command, complete_workflow, payloads, start_child
from tests.differential.scenario import scenario
from tests.differential.world import World


def _other_worker(world: World) -> RawWorker:
    """Return a worker in the other namespace, on a queue of its own."""
    return world.raw_worker("other-worker", task_queue=f"{world.task_queue}-other", namespace=world.other_namespace)


async def _start_target(world: World) -> str:
    """Start a workflow in the other namespace and return its id."""
    target_id = world.workflow_id("target")
    await world.start(
        target_id, namespace=world.other_namespace, task_queue=TaskQueue(name=_other_worker(world).task_queue)
    )
    return target_id


@scenario(server="switched_on")
async def child(world: World) -> None:
    """A child in another namespace starts, completes, and its parent sees both."""
    await world.start()
    parent, child_worker = world.raw_worker(), _other_worker(world)
    await parent.next_workflow_task(
        start_child(world.child_id, child_worker.task_queue, namespace=world.other_namespace, input=payloads("in"))
    )
    await child_worker.next_workflow_task(complete_workflow("out"))
    await world.wait_for_events(8)
    await parent.next_workflow_task(complete_workflow())
    await world.record_history()
    await world.record_history(world.child_id, namespace=world.other_namespace)


@scenario(server="switched_on")
async def parent_closes(world: World) -> None:
    """The parent close policy reaches a child in another namespace."""
    await world.start()
    parent, child_worker = world.raw_worker(), _other_worker(world)
    await parent.next_workflow_task(
        start_child(world.child_id, child_worker.task_queue, namespace=world.other_namespace)
    )
    await world.wait_for_events(7)
    await parent.next_workflow_task(complete_workflow())

    async def terminated() -> bool:
        return len(await world.history(world.child_id, namespace=world.other_namespace)) == 3

    await world.eventually(terminated)
    await world.record_history(world.child_id, namespace=world.other_namespace)


@scenario(server="switched_on")
async def signal(world: World) -> None:
    """A signal to a workflow in another namespace, and one to nobody there."""
    target_id = await _start_target(world)
    await world.start()
    for workflow_id in (target_id, "nobody"):
        before = len(await world.history())
        await world.raw_worker().next_workflow_task(
            command(
                "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION",
                namespace=world.other_namespace,
                execution=WorkflowExecution(workflow_id=workflow_id),
                signal_name="go",
                input=payloads("in"),
            )
        )
        await world.wait_for_events(before + 5)
    await world.record_history()
    await world.record_history(target_id, namespace=world.other_namespace)


@scenario(server="switched_on")
async def cancel(world: World) -> None:
    """A cancellation request to a workflow in another namespace, and one to nobody there."""
    target_id = await _start_target(world)
    await world.start()
    for workflow_id in (target_id, "nobody"):
        before = len(await world.history())
        await world.raw_worker().next_workflow_task(
            command(
                "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION",
                namespace=world.other_namespace,
                workflow_id=workflow_id,
                reason="enough",
            )
        )
        await world.wait_for_events(before + 5)
    await world.record_history()
    await world.record_history(target_id, namespace=world.other_namespace)
