"""Workflows that request the cancellation of other workflows, of their children above all."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.api.command.v1 import Command
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.client import WorkflowFailureError

from tests.differential.raw_worker import (
    RawWorker,
    command,
    complete_workflow,
    payloads,
    start_child,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.world import World

UNKNOWN_RUN_ID = "11111111-2222-3333-4444-555555555555"


def _cancel(workflow_id: str, **attributes: Any) -> Command:
    return command("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION", workflow_id=workflow_id, **attributes)


async def _start_target(world: World) -> tuple[RawWorker, str]:
    """Start the workflow that is to be cancelled, on a queue of its own; return its worker and its run id."""
    worker = world.raw_worker("target-worker", task_queue=f"{world.task_queue}-target")
    run_id = await world.start(world.workflow_id("target"), task_queue=TaskQueue(name=worker.task_queue))
    return worker, run_id


async def _cancel_and_record(world: World, cancel: Command) -> None:
    """Start a workflow whose first task gives the command `cancel`; record its history with the outcome."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(cancel)
    await world.wait_for_events(7)
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def running(world: World) -> None:
    """A cancel request to a running workflow, with reason and control; the target accepts it."""
    target, _ = await _start_target(world)
    await target.next_workflow_task()
    target_id = world.workflow_id("target")
    await _cancel_and_record(world, _cancel(target_id, reason="not wanted", control="kept"))
    task = await target.poll_workflow_task()
    world.record_reply("target's next task", task)
    await target.complete_workflow_task(task, command("CANCEL_WORKFLOW_EXECUTION", details=payloads("cleaned")))
    await world.record_history(target_id)


@scenario()
async def by_run_id(world: World) -> None:
    """A cancel request to a named run, and one to an unknown run of the same workflow."""
    _, run_id = await _start_target(world)
    target_id = world.workflow_id("target")
    await _cancel_and_record(world, _cancel(target_id, run_id=run_id))
    await world.record_history(target_id)
    await world.start(request_id="again")
    await world.raw_worker().next_workflow_task(_cancel(target_id, run_id=UNKNOWN_RUN_ID))
    await world.wait_for_events(7)
    await world.record_history()


@scenario()
async def unknown_id(world: World) -> None:
    """A cancel request to a workflow that never was: the source hears that it is not found."""
    await _cancel_and_record(world, _cancel(world.workflow_id("nobody"), control="kept", reason="why"))


@scenario()
async def closed(world: World) -> None:
    """A cancel request to a closed workflow."""
    target, _ = await _start_target(world)
    await target.next_workflow_task(complete_workflow())
    await _cancel_and_record(world, _cancel(world.workflow_id("target")))


@scenario()
async def requested_before(world: World) -> None:
    """A second request to a workflow that has one already, from a client or from another workflow."""
    await _start_target(world)
    target_id = world.workflow_id("target")
    await world.cancel(target_id)
    await _cancel_and_record(world, _cancel(target_id, reason="again"))
    await world.record_history(target_id)


@scenario()
async def itself(world: World) -> None:
    """A workflow cannot request its own cancellation."""
    await _cancel_and_record(world, _cancel(world.workflow_id()))


@scenario()
async def current_run_of_a_chain(world: World) -> None:
    """A cancel request without a run id reaches the run that is open now."""
    target, first_run_id = await _start_target(world)
    target_id = world.workflow_id("target")
    await world.age()
    await target.next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"))
    await _cancel_and_record(world, _cancel(target_id))
    await world.record_history(target_id)
    await world.start(request_id="again")
    await world.raw_worker().next_workflow_task(_cancel(target_id, run_id=first_run_id))
    await world.wait_for_events(7)
    await world.record_history()


@scenario()
async def child_before_its_first_task(world: World) -> None:
    """A parent cancels its child that no worker has seen yet; the child's first task tells it."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    await world.wait_for_events(7)
    await parent.next_workflow_task(_cancel(world.child_id, child_workflow_only=True, reason="early"))
    await world.wait_for_events(12)
    task = await child.poll_workflow_task()
    world.record_reply("child's first task", task)
    await child.complete_workflow_task(task, command("CANCEL_WORKFLOW_EXECUTION", details=payloads("cleaned")))
    await world.wait_for_events(13)
    await parent.next_workflow_task(complete_workflow())
    await world.record_history()
    await world.record_history(world.child_id)


@scenario()
async def child_that_is_running(world: World) -> None:
    """A parent cancels its running child, which completes all the same."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    await child.next_workflow_task()
    await world.wait_for_events(7)
    await parent.next_workflow_task(_cancel(world.child_id, child_workflow_only=True))
    await world.wait_for_events(12)
    await child.next_workflow_task(complete_workflow("all the same"))
    await world.wait_for_events(13)
    await parent.next_workflow_task(complete_workflow())
    await world.record_history()
    await world.record_history(world.child_id)


@scenario()
async def child_that_is_closed(world: World) -> None:
    """A parent cancels its child after that has closed."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    await child.next_workflow_task(complete_workflow())
    await world.wait_for_events(8)
    await parent.next_workflow_task(_cancel(world.child_id, child_workflow_only=True))
    await world.wait_for_events(13)
    await parent.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def child_that_is_started_in_the_same_task(world: World) -> None:
    """A task that starts a child and cancels it is refused."""
    child_id = world.workflow_id("both-child")
    await world.record_task_with(
        "both", start_child(child_id, world.child_queue), _cancel(child_id, child_workflow_only=True)
    )
    await world.record_task_with("cancel first", _cancel("c"), start_child(f"{child_id}-2", world.child_queue))


@scenario()
async def child_only_to_a_stranger(world: World) -> None:
    """child_workflow_only towards a workflow that is no child of the source: not found."""
    await _start_target(world)
    await _cancel_and_record(world, _cancel(world.workflow_id("target"), child_workflow_only=True))
    await world.record_history(world.workflow_id("target"))


@scenario()
async def child_only_to_a_closed_stranger(world: World) -> None:
    """Whose child a closed workflow was is not looked at: the request is a success."""
    target, _ = await _start_target(world)
    await target.next_workflow_task(complete_workflow())
    await _cancel_and_record(world, _cancel(world.workflow_id("target"), child_workflow_only=True))


@scenario()
async def child_of_a_continued_run(world: World) -> None:
    """A parent cancels the run that its child has come to by continuing as new."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    events = await world.wait_for_events(7)
    first_run_id = events[5].child_workflow_execution_started_event_attributes.workflow_execution.run_id
    await world.age()
    await child.next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"))
    await parent.next_workflow_task(_cancel(world.child_id, child_workflow_only=True))
    await world.wait_for_events(12)
    await parent.next_workflow_task(_cancel(world.child_id, child_workflow_only=True, run_id=first_run_id))
    await world.wait_for_events(17)
    await world.record_history()
    await world.record_history(world.child_id)


@scenario()
async def during_the_sources_task(world: World) -> None:
    """The outcome of a cancel request is buffered while the source's next workflow task runs."""
    await _start_target(world)
    await world.start()
    source = world.raw_worker()
    reply = await source.complete_workflow_task(
        await source.poll_workflow_task(),
        _cancel(world.workflow_id("target")),
        force_create_new_workflow_task=True,
        return_new_workflow_task=True,
    )
    await source.complete_workflow_task(reply.workflow_task, start_timer("t", 60))
    await world.wait_for_events(11)
    await world.record_history()


@scenario()
async def source_closes_in_the_same_task(world: World) -> None:
    """A cancel request given by the task that closes its workflow is never sent."""
    await _start_target(world)
    await world.start()
    await world.raw_worker().next_workflow_task(_cancel(world.workflow_id("target")), complete_workflow())
    await world.record_history()


@scenario()
async def bad_attributes(world: World) -> None:
    """Commands without a target or with a malformed run id fail the workflow task."""
    cases: dict[str, Command] = {
        "no attributes": command("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION"),
        "malformed run id": _cancel("nobody", run_id="not-a-uuid"),
        "id of 1001": _cancel("w" * 1001),
        "reason of 10000": _cancel("nobody", reason="r" * 10_000),
    }
    for name, cancel in cases.items():
        await world.record_task_with(name, cancel)


@scenario()
async def namespaces(world: World) -> None:
    """A cancel request into an unknown namespace, into another existing one, into the workflow's own by name."""
    cases = {
        "unknown": _cancel("nobody", namespace="nowhere"),
        "too long": _cancel("nobody", namespace="n" * 1001),
        "existing": _cancel("nobody", namespace=world.other_namespace),
        "own": _cancel("nobody", namespace=world.namespace),
    }
    for name, cancel in cases.items():
        await world.record_task_with(name, cancel)


@workflow.defn
class CleansUp:
    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.wait_condition(lambda: False)
        except asyncio.CancelledError:
            await asyncio.shield(workflow.sleep(0.1))
            raise
        return "never"


@workflow.defn
class CancelsItsChild:
    def __init__(self) -> None:
        self.finished = False

    @workflow.run
    async def run(self, cancellation_type: int, queue: str) -> str:
        child = await workflow.start_child_workflow(
            CleansUp.run,
            id=f"{workflow.info().workflow_id}-child",
            task_queue=queue,
            cancellation_type=workflow.ChildWorkflowCancellationType(cancellation_type),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        )
        child.cancel()
        try:
            await child
        except BaseException as error:
            names = [type(cause).__name__ for cause in (error, error.__cause__) if cause]
            await workflow.wait_condition(lambda: self.finished)
            return " by ".join(names)
        return "not cancelled"

    @workflow.signal
    def finish(self) -> None:
        self.finished = True


@scenario()
async def sdk_cancellation_types(world: World) -> None:
    """An SDK parent cancels its child at once, after it has accepted, after the request has arrived, or not at all."""
    types = workflow.ChildWorkflowCancellationType
    async with (
        world.worker([CancelsItsChild], max_cached_workflows=0),
        world.worker([CleansUp], task_queue=world.child_queue, max_cached_workflows=0),
    ):
        for kind in (types.TRY_CANCEL, types.WAIT_CANCELLATION_COMPLETED, types.WAIT_CANCELLATION_REQUESTED):
            parent_id, child_id = world.workflow_id(kind.name), world.workflow_id(f"{kind.name}-child")
            handle = await world.client.start_workflow(
                CancelsItsChild.run, args=[kind.value, world.child_queue], id=parent_id, task_queue=world.task_queue
            )
            await world.wait_for_events(1, child_id)
            await world.wait_closed(child_id)
            await handle.signal(CancelsItsChild.finish)
            world.record_value(kind.name, await handle.result())


@workflow.defn
class WaitsForItsChild:
    @workflow.run
    async def run(self, cancellation_type: int) -> None:
        await workflow.execute_child_workflow(
            CleansUp.run,
            id=f"{workflow.info().workflow_id}-child",
            cancellation_type=workflow.ChildWorkflowCancellationType(cancellation_type),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        )


@scenario()
async def sdk_cancelled_parent(world: World) -> None:
    """A client cancels an SDK parent that waits for a child: the child is cancelled with it or abandoned."""
    types = workflow.ChildWorkflowCancellationType
    async with world.worker([WaitsForItsChild, CleansUp], max_cached_workflows=0):
        for kind in (types.WAIT_CANCELLATION_COMPLETED, types.ABANDON):
            parent_id, child_id = world.workflow_id(kind.name), world.workflow_id(f"{kind.name}-child")
            handle = await world.client.start_workflow(
                WaitsForItsChild.run, kind.value, id=parent_id, task_queue=world.task_queue
            )
            await world.wait_for_events(9, parent_id)
            await handle.cancel()
            try:
                await handle.result()
            except WorkflowFailureError as error:
                world.record_value(kind.name, f"{error.cause}")
            status = (await world.describe(child_id)).workflow_execution_info.status
            world.record_value("status of the child", status)
