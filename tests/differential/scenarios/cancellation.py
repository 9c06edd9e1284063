"""Cancelling workflows, activities and timers, and terminating."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.api.workflowservice.v1 import RequestCancelWorkflowExecutionRequest, TerminateWorkflowExecutionRequest

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    payloads,
    retry_policy,
    schedule_activity,
    seconds,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.world import World


@activity.defn
async def beat_until_cancelled() -> str:
    try:
        while True:
            activity.heartbeat("alive")
            await asyncio.sleep(0.1)
    except asyncio.CancelledError:
        raise


@activity.defn
async def refund() -> str:
    return "refunded"


@workflow.defn
class RefundOnCancel:
    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.execute_activity(
                beat_until_cancelled,
                start_to_close_timeout=timedelta(seconds=30),
                heartbeat_timeout=timedelta(seconds=1),
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
        except BaseException:
            await asyncio.shield(workflow.execute_activity(refund, start_to_close_timeout=timedelta(seconds=10)))
            raise
        return "never"


@scenario()
async def sdk_refund_on_cancel(world: World) -> None:
    """A cancelled SDK workflow waits for its heartbeating activity to stop, cleans up, and ends as cancelled."""
    async with world.worker([RefundOnCancel], [beat_until_cancelled, refund]):
        handle = await world.client.start_workflow(
            RefundOnCancel.run, id=world.workflow_id(), task_queue=world.task_queue
        )

        async def is_beating() -> bool:
            pending = (await world.describe()).pending_activities
            return bool(pending) and pending[0].HasField("heartbeat_details")

        await world.eventually(is_beating)
        await handle.cancel()
        await world.wait_closed()
    await world.record_history()


@scenario()
async def request_and_accept(world: World) -> None:
    """A cancel request wakes the workflow; its CancelWorkflowExecution command closes the run."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.cancel(reason="no longer wanted", request_id="cancel-1")
    task = await worker.poll_workflow_task()
    world.record_reply("workflow task", task)
    await worker.complete_workflow_task(task, command("CANCEL_WORKFLOW_EXECUTION", details=payloads("cleaned up")))
    await world.record_description("cancelled")
    await world.record_history()


@scenario()
async def requested_twice(world: World) -> None:
    """The second request with the same id is deduplicated, one with another id is not refused."""
    run_id = await world.start()
    fields = {"namespace": world.namespace, "workflow_execution": world.execution(), "identity": "canceller"}
    for name, request_id in {"first": "c-1", "same id": "c-1", "other id": "c-2"}.items():
        await world.record_call(name, RequestCancelWorkflowExecutionRequest(request_id=request_id, **fields))
    await world.record_call(
        "other first run",
        RequestCancelWorkflowExecutionRequest(first_execution_run_id="11111111-2222-3333-4444-555555555555", **fields),
    )
    await world.record_call(
        "right first run",
        RequestCancelWorkflowExecutionRequest(first_execution_run_id=run_id, request_id="c-1", **fields),
    )
    await world.record_history()


@scenario()
async def activity_before_start(world: World) -> None:
    """Cancelling an activity that no worker has taken closes it at once."""
    await world.start()
    worker = world.raw_worker()
    events = (await worker.next_workflow_task(schedule_activity("a", world.task_queue))).history.events
    await world.signal()
    await worker.next_workflow_task(
        command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=events[-1].event_id + 2),
    )
    await world.record_description("after the cancel")
    await world.record_history()


@scenario()
async def activity_through_heartbeat(world: World) -> None:
    """A running activity hears of its cancellation in the reply to a heartbeat, and reports it."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue, heartbeat_timeout=seconds(10)))
    task = await worker.poll_activity_task()
    world.record_reply("heartbeat before", await worker.heartbeat(task, 1))
    await world.record_outcome("cancelled without a request", worker.cancel_activity(task))
    await world.signal()
    await worker.next_workflow_task(command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=5))
    await world.record_description("cancel requested")
    world.record_reply("heartbeat after", await worker.heartbeat(task, 2))
    await worker.cancel_activity(task, "stopped")
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def activity_that_completes_anyway(world: World) -> None:
    """A cancelled activity may complete or fail; after a cancel request a failure is not retried."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("completes", world.task_queue))
    completes = await worker.poll_activity_task()
    await world.signal()
    await worker.next_workflow_task(
        command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=5), schedule_activity("fails", world.task_queue)
    )
    fails = await worker.poll_activity_task()
    await worker.complete_activity(completes, "done")
    await worker.next_workflow_task(command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=11))
    await worker.fail_activity(fails, application_failure("failed"))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def activity_in_backoff(world: World) -> None:
    """Cancelling an activity between two attempts closes it at once."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue, retry_policy=retry_policy(initial=60)))
    await worker.fail_activity(await worker.poll_activity_task(), application_failure("first"))
    await world.signal()
    await worker.next_workflow_task(command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=5))
    await world.record_history()


@scenario()
async def scheduled_and_cancelled_at_once(world: World) -> None:
    """An activity and a timer that are started and cancelled by the same workflow task."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue),
        command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=5),
        start_timer("t", 60),
        command("CANCEL_TIMER", timer_id="t"),
        complete_workflow(),
    )
    await world.record_history()


@scenario()
async def terminated(world: World) -> None:
    """Termination with a reason and details, with activities and a timer pending."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue), start_timer("t", 60))
    await world.record_call(
        "of another chain",
        TerminateWorkflowExecutionRequest(
            namespace=world.namespace,
            workflow_execution=world.execution(),
            first_execution_run_id="11111111-2222-3333-4444-555555555555",
        ),
    )
    await world.terminate(reason="enough", details=payloads("why", 7), first_execution_run_id=run_id)
    await world.record_description("terminated")
    await world.record_history()


@scenario()
async def terminated_during_a_workflow_task(world: World) -> None:
    """Termination while a worker has the workflow task, with a signal buffered."""
    await world.start()
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await world.signal()
    await world.terminate()
    await world.record_outcome("complete", worker.complete_workflow_task(task, complete_workflow()))
    await world.record_history()


@scenario()
async def cancelled_during_a_workflow_task(world: World) -> None:
    """A cancel request is buffered while a worker has the workflow task."""
    await world.start()
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await world.cancel(reason="now")
    await worker.complete_workflow_task(task, start_timer("t", 60))
    await worker.next_workflow_task(command("CANCEL_TIMER", timer_id="t"), command("CANCEL_WORKFLOW_EXECUTION"))
    await world.record_history()
