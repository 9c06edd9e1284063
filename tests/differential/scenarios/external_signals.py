"""Workflows that signal other workflows."""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Header, WorkflowExecution
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.exceptions import ApplicationError

from tests.differential.raw_worker import (
    RawWorker,
    command,
    complete_workflow,
    payload,
    payloads,
    retry_policy,
    start_child,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.world import World

UNKNOWN_RUN_ID = "11111111-2222-3333-4444-555555555555"


def _signal(workflow_id: str, run_id: str = "", **attributes: Any) -> Command:
    attributes = {
        "execution": WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
        "signal_name": "go",
        **attributes,
    }
    return command(
        "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION",
        **{name: value for name, value in attributes.items() if value is not None},
    )


async def _start_target(world: World) -> tuple[RawWorker, str]:
    """Start the workflow that is to be signalled, on a queue of its own; return its worker and its run id."""
    worker = world.raw_worker("target-worker", task_queue=f"{world.task_queue}-target")
    run_id = await world.start(world.workflow_id("target"), task_queue=TaskQueue(name=worker.task_queue))
    return worker, run_id


async def _signal_and_record(world: World, signal: Command) -> None:
    """Start a workflow whose first task gives the command `signal`; record its history with the outcome."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(signal)
    await world.wait_for_events(7)
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario(live_sample=True)
async def running(world: World) -> None:
    """A signal to a running workflow, with input, header and control."""
    target, _ = await _start_target(world)
    await target.next_workflow_task()
    await world.start()
    source = world.raw_worker()
    target_id = world.workflow_id("target")
    header = Header(fields={"h": payload("v")})
    await source.next_workflow_task(_signal(target_id, input=payloads("in", 2), header=header, control="kept"))
    task = await source.poll_workflow_task()
    world.record_reply("source's next task", task)
    await source.complete_workflow_task(task, complete_workflow())
    task = await target.poll_workflow_task()
    world.record_reply("target's next task", task)
    await target.complete_workflow_task(task, complete_workflow())
    await world.record_history()
    await world.record_history(target_id)


@scenario()
async def by_run_id(world: World) -> None:
    """A signal to a named run, and one to an unknown run of the same workflow."""
    _, run_id = await _start_target(world)
    target_id = world.workflow_id("target")
    await _signal_and_record(world, _signal(target_id, run_id))
    await world.record_history(target_id)
    await world.start(request_id="again")
    await world.raw_worker().next_workflow_task(_signal(target_id, UNKNOWN_RUN_ID))
    await world.wait_for_events(7)
    await world.record_history()


@scenario()
async def unknown_id(world: World) -> None:
    """A signal to a workflow that never was: the source hears that it is not found."""
    await _signal_and_record(world, _signal(world.workflow_id("nobody"), control="kept", input=payloads("in")))


@scenario()
async def closed(world: World) -> None:
    """A signal to a closed workflow is answered as one to an unknown workflow."""
    target, _ = await _start_target(world)
    await target.next_workflow_task(complete_workflow())
    await _signal_and_record(world, _signal(world.workflow_id("target")))


@scenario()
async def itself(world: World) -> None:
    """A workflow cannot signal itself."""
    await _signal_and_record(world, _signal(world.workflow_id()))


@scenario()
async def current_run_of_a_chain(world: World) -> None:
    """A signal without a run id reaches the run that is open now; the run before it is closed."""
    target, first_run_id = await _start_target(world)
    target_id = world.workflow_id("target")
    await world.age()
    await target.next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"))
    await _signal_and_record(world, _signal(target_id))
    await world.record_history(target_id)
    await world.start(request_id="again")
    await world.raw_worker().next_workflow_task(_signal(target_id, first_run_id))
    await world.wait_for_events(7)
    await world.record_history()


@scenario()
async def child(world: World) -> None:
    """A parent signals its child, with and without child_workflow_only."""
    await world.start()
    parent, child_worker = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child_worker.task_queue))
    await child_worker.next_workflow_task()
    await world.wait_for_events(7)
    await parent.next_workflow_task(_signal(world.child_id, child_workflow_only=True, signal_name="as child"))
    await world.wait_for_events(12)
    await parent.next_workflow_task(_signal(world.child_id, signal_name="as any"))
    await world.wait_for_events(17)
    await world.record_history()
    await world.record_history(world.child_id)


@scenario()
async def child_only_to_a_stranger(world: World) -> None:
    """child_workflow_only towards a workflow that is no child of the source: not found."""
    await _start_target(world)
    await _signal_and_record(world, _signal(world.workflow_id("target"), child_workflow_only=True))
    await world.record_history(world.workflow_id("target"))


@scenario()
async def parent(world: World) -> None:
    """A child signals its parent."""
    await world.start()
    parent_worker, child_worker = world.raw_worker(), world.child_worker()
    await parent_worker.next_workflow_task(start_child(world.child_id, child_worker.task_queue))
    await world.wait_for_events(7)
    await parent_worker.next_workflow_task()
    await child_worker.next_workflow_task(_signal(world.workflow_id()))
    await world.wait_for_events(7, world.child_id)
    await world.wait_for_events(11)
    await world.record_history()
    await world.record_history(world.child_id)


@scenario()
async def child_that_is_started_in_the_same_task(world: World) -> None:
    """One task may start a child and signal it; which of both comes first is left to chance."""
    await world.start()
    await world.raw_worker().next_workflow_task(
        start_child(world.child_id, world.child_queue), _signal(world.child_id, child_workflow_only=True)
    )
    events = await world.wait_for_events(4 + 2 + 2 + 1)
    world.record_value("initiated", [event.event_id for event in events[4:6]])
    world.record_value("events", len(events))


@scenario()
async def during_the_sources_task(world: World) -> None:
    """The outcome of a signal is buffered while the source's next workflow task runs."""
    await _start_target(world)
    await world.start()
    source = world.raw_worker()
    task = await source.poll_workflow_task()
    reply = await source.complete_workflow_task(
        task,
        _signal(world.workflow_id("target")),
        force_create_new_workflow_task=True,
        return_new_workflow_task=True,
    )
    await source.complete_workflow_task(reply.workflow_task, start_timer("t", 60))
    await world.wait_for_events(11)
    await world.record_history()


@scenario()
async def in_the_targets_task(world: World) -> None:
    """A signal that arrives during the target's workflow task is buffered there."""
    target, _ = await _start_target(world)
    target_id = world.workflow_id("target")
    task = await target.poll_workflow_task()
    await _signal_and_record(world, _signal(target_id))
    await world.record_outcome("close", target.complete_workflow_task(task, complete_workflow()))
    await target.next_workflow_task(complete_workflow())
    await world.record_history(target_id)


@scenario()
async def several_in_one_task(world: World) -> None:
    """Several signals of one task to one target arrive."""
    await _start_target(world)
    target_id = world.workflow_id("target")
    await world.start()
    names = [f"signal {number}" for number in range(5)]
    await world.raw_worker().next_workflow_task(*(_signal(target_id, signal_name=name) for name in names))
    await world.wait_for_events(4 + 5 + 5 + 1)
    events = await world.wait_for_events(2 + 5, target_id)
    world.record_value(
        "arrived", sorted(event.workflow_execution_signaled_event_attributes.signal_name for event in events[2:])
    )


@scenario()
async def source_closes_in_the_same_task(world: World) -> None:
    """A signal given by the task that closes its workflow is never sent."""
    await _start_target(world)
    await world.start()
    await world.raw_worker().next_workflow_task(_signal(world.workflow_id("target")), complete_workflow())
    await world.record_history()


@scenario()
async def with_retry_in_backoff(world: World) -> None:
    """A signal to a workflow that waits for its retry is kept for the next run."""
    target = world.raw_worker("target-worker", task_queue=f"{world.task_queue}-target")
    target_id = world.workflow_id("target")
    await world.start(target_id, task_queue=TaskQueue(name=target.task_queue), retry_policy=retry_policy(initial=60))
    failure = ApplicationError("first")
    await target.next_workflow_task(command("FAIL_WORKFLOW_EXECUTION", failure={"message": failure.message}))
    await _signal_and_record(world, _signal(target_id))
    await world.record_history(target_id)


@scenario()
async def bad_attributes(world: World) -> None:
    """Commands without a target or a name, or with a malformed run id, fail the workflow task."""
    cases: dict[str, Command] = {
        "no attributes": command("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION"),
        "no execution": _signal("", execution=None),
        "no id": _signal(""),
        "no name": _signal("nobody", signal_name=""),
        "malformed run id": _signal("nobody", "not-a-uuid"),
        "id of 1001": _signal("w" * 1001),
        "name of 1001": _signal("nobody", signal_name="s" * 1001),
        "too large": _signal("nobody", input={"payloads": [payload("x" * (2 << 20))]}),
    }
    for name, signal in cases.items():
        await world.record_task_with(name, signal)


@scenario()
async def namespaces(world: World) -> None:
    """A signal into an unknown namespace, into another existing one, into the workflow's own by name."""
    cases = {
        "unknown": _signal("nobody", namespace="nowhere"),
        "too long": _signal("nobody", namespace="n" * 1001),
        "existing": _signal("nobody", namespace=world.other_namespace),
        "own": _signal("nobody", namespace=world.namespace),
    }
    for name, signal in cases.items():
        await world.record_task_with(name, signal)


@workflow.defn
class Listener:
    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: len(self.heard) == 2)
        return self.heard

    @workflow.signal
    def hear(self, word: str) -> None:
        self.heard.append(word)


@workflow.defn
class Speaker:
    @workflow.run
    async def run(self, target_id: str) -> str:
        child = await workflow.start_child_workflow(Listener.run, id=f"{workflow.info().workflow_id}-child")
        await child.signal(Listener.hear, "from the parent")
        await workflow.get_external_workflow_handle_for(Listener.run, child.id).signal(Listener.hear, "as a stranger")
        try:
            await workflow.get_external_workflow_handle(target_id).signal("hear", "nobody")
        except ApplicationError as error:
            return f"{await child} {error.type} {error.message}"
        return "signalled"


@scenario()
async def sdk_handles(world: World) -> None:
    """An SDK workflow signals its child and an external workflow, and catches the error of one that is not there."""
    async with world.worker([Speaker, Listener], max_cached_workflows=0):
        handle = await world.client.start_workflow(
            Speaker.run, world.workflow_id("nobody"), id=world.workflow_id(), task_queue=world.task_queue
        )
        world.record_value("result", await handle.result())
