"""Signals, and the order of events that arrive while a workflow task runs."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Header, Memo, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import SignalWithStartWorkflowExecutionRequest, SignalWorkflowExecutionRequest

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    payload,
    payloads,
    retry_policy,
    schedule_activity,
    seconds,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.world import World


@workflow.defn
class CollectThree:
    def __init__(self) -> None:
        self.seen: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: len(self.seen) >= 3)
        return self.seen

    @workflow.signal
    def add(self, word: str) -> None:
        self.seen.append(word)


def _signal_with_start(world: World, **fields: Any) -> SignalWithStartWorkflowExecutionRequest:
    fields = {
        "namespace": world.namespace,
        "workflow_id": world.workflow_id(),
        "workflow_type": WorkflowType(name="RawWorkflow"),
        "task_queue": TaskQueue(name=world.task_queue),
        "identity": "signaller",
        "request_id": "signal-with-start",
        "signal_name": "go",
        **fields,
    }
    return SignalWithStartWorkflowExecutionRequest(**fields)


@scenario()
async def sdk_before_the_first_task(world: World) -> None:
    """Signals before a worker exists are all delivered by the first workflow task."""
    handle = await world.client.start_workflow(CollectThree.run, id=world.workflow_id(), task_queue=world.task_queue)
    for word in ("a", "b", "c"):
        await handle.signal(CollectThree.add, word)
    async with world.worker([CollectThree]):
        world.record_value("result", await handle.result())
    await world.record_history()


@scenario()
async def with_start(world: World) -> None:
    """Signal-with-start starts once and then only signals."""
    first = await world.record_call(
        "first",
        _signal_with_start(
            world,
            signal_input=payloads(1),
            input=payloads("in"),
            header=Header(fields={"h": payload("v")}),
            memo=Memo(fields={"m": payload("v")}),
            workflow_run_timeout=seconds(50),
        ),
    )
    await world.record_call("second", _signal_with_start(world, signal_input=payloads(2), request_id="sws-2"))
    await world.raw_worker().next_workflow_task(complete_workflow())
    await world.record_history(run_id=first.run_id)
    third = await world.record_call("after the close", _signal_with_start(world, request_id="sws-3"))
    await world.record_history(run_id=third.run_id)
    await world.terminate()
    await world.record_call(
        "duplicate refused",
        _signal_with_start(
            world, request_id="sws-4", workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE"
        ),
    )
    await world.record_call(
        "failed only, terminated counts as failed",
        _signal_with_start(
            world, request_id="sws-5", workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY"
        ),
    )
    await world.record_call(
        "terminate the running one",
        _signal_with_start(
            world,
            request_id="sws-6",
            workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING",
        ),
    )
    await world.record_history()


@scenario()
async def duplicate_requests(world: World) -> None:
    """A signal with a request id that was seen before is accepted and ignored."""
    await world.start()
    for number, request_id in enumerate(("s-1", "s-1", "s-2", "")):
        await world.record_call(
            f"signal {number}",
            SignalWorkflowExecutionRequest(
                namespace=world.namespace,
                workflow_execution=world.execution(),
                signal_name="go",
                input=payloads(number),
                header=Header(fields={"n": payload(number)}),
                identity="signaller",
                request_id=request_id,
            ),
        )
    await world.record_history()


@scenario(live_sample=True)
async def buffered_order(world: World) -> None:
    """What arrives during a workflow task is written after it: signals in order, closes of activities last."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue),
        schedule_activity("b", world.task_queue, retry_policy=retry_policy(attempts=1)),
    )
    first = await worker.poll_activity_task()
    second = await worker.poll_activity_task()
    tasks = {task.activity_id: task for task in (first, second)}
    await world.signal(name="wake")
    task = await worker.poll_workflow_task()
    await worker.complete_activity(tasks["a"], "a done")
    await world.signal(name="one")
    await worker.fail_activity(tasks["b"], application_failure("b failed"))
    await world.signal(name="two")
    await world.record_history()
    await worker.complete_workflow_task(task, start_timer("t", 60))
    task = await worker.poll_workflow_task()
    world.record_reply("next workflow task", task)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def buffered_timer(world: World) -> None:
    """A timer fires during a workflow task; the task cancels it, and that wins over the buffered event."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("fires", 1), start_timer("cancelled", 1))
    await world.signal()
    task = await worker.poll_workflow_task()
    await asyncio.sleep(2)
    await worker.complete_workflow_task(task, command("CANCEL_TIMER", timer_id="cancelled"))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def unhandled_command(world: World) -> None:
    """A close command with buffered events fails the workflow task, and the next one sees them."""
    await world.start()
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await world.signal(name="late")
    await world.record_outcome("complete", worker.complete_workflow_task(task, complete_workflow("too early")))
    await world.record_history()
    task = await worker.poll_workflow_task()
    world.record_reply("next workflow task", task)
    await worker.complete_workflow_task(task, complete_workflow("now"))
    await world.record_history()


@scenario()
async def unhandled_command_keeps_nothing(world: World) -> None:
    """Commands before the refused close command are undone with it."""
    await world.start()
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await world.signal(name="late")
    await world.record_outcome(
        "complete",
        worker.complete_workflow_task(
            task, start_timer("t", 60), schedule_activity("a", world.task_queue), complete_workflow()
        ),
    )
    await world.record_description("after")
    await worker.next_workflow_task(start_timer("t", 60), complete_workflow())
    await world.record_history()
