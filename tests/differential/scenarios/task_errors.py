"""What the server refuses about tasks: tokens, results, activities that are gone."""

from __future__ import annotations

from typing import Any

from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import (
    RecordActivityTaskHeartbeatByIdRequest,
    RecordActivityTaskHeartbeatRequest,
    RespondActivityTaskCanceledByIdRequest,
    RespondActivityTaskCanceledRequest,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskCompletedRequest,
    RespondActivityTaskFailedByIdRequest,
    RespondActivityTaskFailedRequest,
    RespondQueryTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
    TerminateWorkflowExecutionRequest,
)

from tests.differential.raw_worker import (
    application_failure,
    complete_workflow,
    retry_policy,
    schedule_activity,
)
from tests.differential.scenario import scenario
from tests.differential.world import World


@scenario(live_sample=True)
async def malformed_tokens(world: World) -> None:
    """Every RPC that takes a task token, with none and with nonsense."""
    for name, token in {"no token": b"", "nonsense": b"this is no token"}.items():
        fields: dict[str, Any] = {"namespace": "default", "task_token": token}
        requests = {
            "complete workflow task": RespondWorkflowTaskCompletedRequest(**fields),
            "fail workflow task": RespondWorkflowTaskFailedRequest(**fields),
            "answer query": RespondQueryTaskCompletedRequest(completed_type="QUERY_RESULT_TYPE_ANSWERED", **fields),
            "complete activity": RespondActivityTaskCompletedRequest(**fields),
            "fail activity": RespondActivityTaskFailedRequest(failure=application_failure("no"), **fields),
            "cancel activity": RespondActivityTaskCanceledRequest(**fields),
            "heartbeat": RecordActivityTaskHeartbeatRequest(**fields),
        }
        for call_name, request in requests.items():
            await world.record_call(f"{call_name}, {name}", request)


@scenario()
async def stale_activity_tokens(world: World) -> None:
    """Answering an activity that is already completed, and one of a closed run."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue), schedule_activity("b", world.task_queue))
    first = await worker.poll_activity_task()
    second = await worker.poll_activity_task()
    await worker.complete_activity(first, "done")
    await world.record_outcome("complete again", worker.complete_activity(first, "done"))
    await world.record_outcome("fail after completion", worker.fail_activity(first, application_failure("late")))
    await world.record_outcome("cancel after completion", worker.cancel_activity(first))
    await world.record_outcome("heartbeat after completion", worker.heartbeat(first))
    await worker.next_workflow_task(complete_workflow())
    await world.record_outcome("complete after the run closed", worker.complete_activity(second, "done"))
    await world.record_outcome("heartbeat after the run closed", worker.heartbeat(second))
    world.record_value("ids", sorted([first.activity_id, second.activity_id]))


@scenario()
async def stale_workflow_task_tokens(world: World) -> None:
    """Answering a workflow task twice, and one of a terminated run."""
    await world.start()
    worker = world.raw_worker()
    first = await worker.poll_workflow_task()
    await worker.complete_workflow_task(first)
    await world.record_outcome("complete again", worker.complete_workflow_task(first))
    await world.record_outcome("fail after completion", worker.fail_workflow_task(first))
    await world.signal()
    second = await worker.poll_workflow_task()
    await world.call(
        TerminateWorkflowExecutionRequest(namespace="default", workflow_execution=world.execution(), identity="boss")
    )
    await world.record_outcome("complete after termination", worker.complete_workflow_task(second))
    await world.record_outcome("fail after termination", worker.fail_workflow_task(second))
    await world.record_history()


@scenario()
async def activity_by_id_before_start(world: World) -> None:
    """Answering by id an activity that is unknown, and one that no worker has taken yet."""
    await world.start()
    await world.raw_worker().next_workflow_task(schedule_activity("waiting", world.task_queue))
    for activity_id in ("unknown", "waiting", ""):
        fields = {
            "namespace": "default",
            "workflow_id": world.workflow_id(),
            "activity_id": activity_id,
            "identity": "outsider",
        }
        requests = {
            "heartbeat": RecordActivityTaskHeartbeatByIdRequest(**fields),
            "cancel": RespondActivityTaskCanceledByIdRequest(**fields),
            "fail": RespondActivityTaskFailedByIdRequest(failure=application_failure("no"), **fields),
            "complete": RespondActivityTaskCompletedByIdRequest(**fields),
        }
        for name, request in requests.items():
            await world.record_call(f"{name} {activity_id or 'nothing'}", request)
    await world.record_history()


@scenario()
async def failure_of_no_kind(world: World) -> None:
    """Failing an activity with a failure that is not an application failure."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue, retry_policy=retry_policy(attempts=1)),
    )
    task = await worker.poll_activity_task()
    await world.record_outcome("a failure of no kind", worker.fail_activity(task, Failure(message="no kind")))
    await world.record_history()


@scenario()
async def oversize_activity_result(world: World) -> None:
    """An activity result over the limit fails the activity."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue))
    task = await worker.poll_activity_task()
    await world.record_outcome("complete", worker.complete_activity(task, "x" * (2 * 1024 * 1024)))
    await world.wait_for_events(8)
    await world.record_history()


@scenario()
async def oversize_activity_failure(world: World) -> None:
    """A failure over the limit is cut down."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue, retry_policy=retry_policy(attempts=1)),
    )
    task = await worker.poll_activity_task()
    failure = application_failure("x" * (2 * 1024 * 1024))
    await world.record_outcome("fail", worker.fail_activity(task, failure))
    await world.wait_for_events(8)
    await world.record_history()


@scenario()
async def oversize_heartbeat(world: World) -> None:
    """Heartbeat details over the limit fail the activity."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue))
    task = await worker.poll_activity_task()
    await world.record_outcome("heartbeat", worker.heartbeat(task, "x" * (2 * 1024 * 1024)))
    await world.wait_for_events(8)
    await world.record_history()


@scenario()
async def oversize_workflow_result(world: World) -> None:
    """A workflow result over the limit."""
    await world.start()
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    too_big = complete_workflow("x" * (2 * 1024 * 1024))
    await world.record_outcome("complete", worker.complete_workflow_task(task, too_big))
    await world.record_history()
