"""What becomes of children when their parent closes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from temporalio.api.taskqueue.v1 import TaskQueue

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    payloads,
    retry_policy,
    seconds,
    start_child,
)
from tests.differential.scenario import scenario
from tests.differential.world import World

POLICIES = ("TERMINATE", "REQUEST_CANCEL", "ABANDON")


def _parent_close_policy(name: str) -> str:
    return f"PARENT_CLOSE_POLICY_{name}"


async def _record_close(world: World, close: Callable[[], Awaitable[Any]], **fields: Any) -> str:
    """Start a parent with a child of each policy, close the parent, record all four; return the parent's run id."""
    run_id = await world.start(**fields)
    await world.raw_worker().next_workflow_task(
        *(
            start_child(world.workflow_id(policy), world.child_queue, parent_close_policy=_parent_close_policy(policy))
            for policy in POLICIES
        )
    )
    await world.wait_for_events(4 + 3 + 3 + 1, run_id=run_id)
    await close()
    await world.wait_closed(run_id=run_id)
    await world.wait_closed(world.workflow_id("TERMINATE"))
    await world.wait_for_events(3, world.workflow_id("REQUEST_CANCEL"))
    await world.record_events_by_child(run_id=run_id)
    for policy in POLICIES:
        await world.record_history(world.workflow_id(policy))
    await world.terminate(world.workflow_id("ABANDON"))
    return run_id


@scenario(live_sample=True)
async def completed(world: World) -> None:
    """A parent completes: children are terminated, asked to cancel, or left alone, as their policies say."""
    await _record_close(world, lambda: world.raw_worker().next_workflow_task(complete_workflow()))
    await world.record_description("parent")
    await world.record_description("REQUEST_CANCEL", world.workflow_id("REQUEST_CANCEL"))


@scenario()
async def failed(world: World) -> None:
    """The policies apply when the parent fails."""
    failure = application_failure("failed")
    await _record_close(world, lambda: world.raw_worker().next_workflow_task(fail_workflow(failure)))


@scenario()
async def cancelled(world: World) -> None:
    """The policies apply when the parent ends as cancelled."""
    await _record_close(world, lambda: world.raw_worker().next_workflow_task(command("CANCEL_WORKFLOW_EXECUTION")))


@scenario()
async def terminated(world: World) -> None:
    """The policies apply when the parent is terminated."""
    await _record_close(world, lambda: world.terminate(reason="enough", details=payloads("why")))


@scenario()
async def timed_out(world: World) -> None:
    """The policies apply when the parent times out."""
    await _record_close(world, lambda: world.wait_closed(), workflow_run_timeout=seconds(4))


@scenario()
async def continued_as_new(world: World) -> None:
    """The policies apply when the parent continues as new; its next run has no children."""

    async def continue_as_new() -> None:
        await world.age()
        await world.raw_worker().next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"))

    await _record_close(world, continue_as_new)
    await world.record_description("next run")


@scenario()
async def retried(world: World) -> None:
    """The policies apply when the parent fails and is retried."""
    await _record_close(
        world,
        lambda: world.raw_worker().next_workflow_task(fail_workflow(application_failure("first"))),
        retry_policy=retry_policy(initial=60),
    )
    await world.record_description("next run")


@scenario()
async def cron(world: World) -> None:
    """The policies apply when a run of a cron parent completes."""
    await _record_close(
        world, lambda: world.raw_worker().next_workflow_task(complete_workflow()), cron_schedule="@every 1s"
    )
    await world.terminate()


@scenario()
async def closed_children_are_left_alone(world: World) -> None:
    """Policies do not touch children that have closed, nor the runs that took their ids since."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    await child.next_workflow_task(complete_workflow())
    await world.wait_for_events(8)
    await world.start(world.child_id, task_queue=TaskQueue(name=child.task_queue))
    await parent.next_workflow_task(complete_workflow())
    await world.record_history()
    await child.next_workflow_task(complete_workflow("another"))
    await world.record_history(world.child_id)


@scenario()
async def the_childs_current_run(world: World) -> None:
    """A policy reaches the run that a child has come to by continuing as new."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    await world.wait_for_events(2, world.child_id)
    await world.age()
    await child.next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"))
    await world.wait_for_events(7)
    await parent.next_workflow_task(complete_workflow())
    await world.wait_closed(world.child_id)
    await world.record_history(world.child_id)


@scenario()
async def in_the_childs_workflow_task(world: World) -> None:
    """A worker that has a child's task hears of the termination; a cancel request waits for the task's end."""
    await world.start()
    parent = world.raw_worker()
    workers = {policy: world.raw_worker(task_queue=f"{world.child_queue}-{policy}") for policy in POLICIES[:2]}
    tasks = {}
    await parent.next_workflow_task(
        *(
            start_child(world.workflow_id(policy), worker.task_queue, parent_close_policy=_parent_close_policy(policy))
            for policy, worker in workers.items()
        )
    )
    for policy, worker in workers.items():
        tasks[policy] = await worker.poll_workflow_task()
    await world.wait_for_events(4 + 2 + 2 + 1)
    await parent.next_workflow_task(complete_workflow())
    await world.wait_closed(world.workflow_id("TERMINATE"))

    async def is_buffered() -> bool:
        infos = (await world.describe(world.workflow_id("REQUEST_CANCEL"))).workflow_extended_info
        return bool(infos.cancel_requested)

    await world.eventually(is_buffered)
    for policy, worker in workers.items():
        await world.record_outcome(policy, worker.complete_workflow_task(tasks[policy]))
        await world.record_history(world.workflow_id(policy))


@scenario()
async def grandchildren(world: World) -> None:
    """Policies go down from generation to generation; all know the root of the family."""
    await world.start()
    child_id, grandchild_id = world.child_id, world.workflow_id("grandchild")
    grandchild_queue = f"{world.task_queue}-grandchild"
    parent, child = world.raw_worker(), world.child_worker()
    grandchild = world.raw_worker(task_queue=grandchild_queue)
    await parent.next_workflow_task(start_child(child_id, child.task_queue))
    await child.next_workflow_task(start_child(grandchild_id, grandchild_queue))
    await grandchild.poll_workflow_task()
    await world.wait_for_events(7, child_id)
    await world.record_description("grandchild", grandchild_id)
    await world.wait_for_events(7)
    await parent.next_workflow_task(complete_workflow())
    await world.wait_closed(child_id)
    await world.wait_closed(grandchild_id)
    for workflow_id in ("", child_id, grandchild_id):
        await world.record_history(workflow_id)


@scenario()
async def abandoned_child_outlives_its_parent(world: World) -> None:
    """An abandoned child goes on after its parent and may end in any way; the parent's history stays as it is."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(
        start_child(world.child_id, child.task_queue, parent_close_policy=_parent_close_policy("ABANDON"))
    )
    await world.wait_for_events(7)
    await parent.next_workflow_task(complete_workflow())
    await child.next_workflow_task(complete_workflow("alone"))
    await world.record_history()
    await world.record_history(world.child_id)
    await world.record_description("parent")


@scenario()
async def more_than_ten_children(world: World) -> None:
    """A parent with many children closes: the policies apply to all of them, in the name of a system workflow."""
    await world.start()
    children = {world.workflow_id(f"{number:02}"): POLICIES[number % 2] for number in range(12)}
    parent = world.raw_worker()
    await parent.next_workflow_task(
        *(
            start_child(child_id, world.child_queue, parent_close_policy=_parent_close_policy(policy))
            for child_id, policy in children.items()
        )
    )
    await world.wait_for_events(4 + 12 + 12 + 1)
    await parent.next_workflow_task(complete_workflow())
    for child_id in children:
        world.record_reply(child_id, (await world.wait_for_events(3, child_id))[2])


@scenario()
async def parent_closes_in_the_same_task(world: World) -> None:
    """Children that are started by the task that closes the parent never start, whatever their policy."""
    await world.start()
    await world.raw_worker().next_workflow_task(
        *(
            start_child(world.workflow_id(policy), world.child_queue, parent_close_policy=_parent_close_policy(policy))
            for policy in POLICIES
        ),
        complete_workflow(),
    )
    await world.record_history()
    await world.record_description("parent")
    for policy in POLICIES:
        await world.record_outcome(policy, world.describe(world.workflow_id(policy)))


@scenario()
async def child_started_and_continued_as_new(world: World) -> None:
    """A task that starts a child and continues as new: the child never starts, the next run is without it."""
    run_id = await world.start()
    parent = world.raw_worker()
    await world.age()
    await parent.next_workflow_task(
        start_child(world.child_id, world.child_queue), command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION")
    )
    await parent.next_workflow_task(complete_workflow())
    await world.record_chain(run_id, 2)
    await world.record_outcome("child", world.describe(world.child_id))
