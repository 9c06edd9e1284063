"""Activity tasks: the poll, the worker's answers by token and by id, heartbeats."""

from __future__ import annotations

from google.protobuf.message import Message
from temporalio.api.common.v1 import WorkerVersionStamp, WorkflowExecution
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollActivityTaskQueueResponse,
    RecordActivityTaskHeartbeatByIdRequest,
    RecordActivityTaskHeartbeatByIdResponse,
    RecordActivityTaskHeartbeatRequest,
    RecordActivityTaskHeartbeatResponse,
    RespondActivityTaskCanceledByIdRequest,
    RespondActivityTaskCanceledByIdResponse,
    RespondActivityTaskCanceledRequest,
    RespondActivityTaskCanceledResponse,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskCompletedByIdResponse,
    RespondActivityTaskCompletedRequest,
    RespondActivityTaskCompletedResponse,
    RespondActivityTaskFailedByIdRequest,
    RespondActivityTaskFailedByIdResponse,
    RespondActivityTaskFailedRequest,
    RespondActivityTaskFailedResponse,
)

from engine.core.inputs import (
    ActivityRef,
    RecordActivityTaskHeartbeat,
    RespondActivityTaskCanceled,
    RespondActivityTaskCompleted,
    RespondActivityTaskFailed,
    RunRef,
)
from engine.core.matching.task_queue import PollerRecord
from engine.core.policy.durations import ns_to_timestamp
from engine.core.policy.worker_requests import (
    validate_poll_activity_task_queue,
    validate_record_activity_task_heartbeat,
    validate_respond_activity_task_canceled,
    validate_respond_activity_task_completed,
    validate_respond_activity_task_failed,
)
from engine.core.run.activity_task import HeartbeatReply, StartedActivityTask
from engine.service.service import Call, Service, get_namespace, long_poll_seconds, remaining_ns
from engine.service.task_tokens import activity_task
from engine.service.worker_registry import WorkerShutDown

__all__ = [
    "activity_task_message",
    "poll_activity_task_queue",
    "record_activity_task_heartbeat",
    "record_activity_task_heartbeat_by_id",
    "respond_activity_task_canceled",
    "respond_activity_task_canceled_by_id",
    "respond_activity_task_completed",
    "respond_activity_task_completed_by_id",
    "respond_activity_task_failed",
    "respond_activity_task_failed_by_id",
]

_Completed = RespondActivityTaskCompletedRequest | RespondActivityTaskCompletedByIdRequest
_Failed = RespondActivityTaskFailedRequest | RespondActivityTaskFailedByIdRequest
_Canceled = RespondActivityTaskCanceledRequest | RespondActivityTaskCanceledByIdRequest
_Heartbeat = RecordActivityTaskHeartbeatRequest | RecordActivityTaskHeartbeatByIdRequest
_ById = (
    RespondActivityTaskCompletedByIdRequest
    | RespondActivityTaskFailedByIdRequest
    | RespondActivityTaskCanceledByIdRequest
    | RecordActivityTaskHeartbeatByIdRequest
)

_Target = tuple[RunRef, ActivityRef]


async def poll_activity_task_queue(
    service: Service, request: PollActivityTaskQueueRequest, call: Call
) -> Message | bytes:
    """Wait for an activity task; an empty reply means that none came."""
    engine = service.engine
    namespace = get_namespace(service, request.namespace)
    validate_poll_activity_task_queue(request, engine.limits, remaining_ns=remaining_ns(call))
    record = PollerRecord(request.identity, engine.clock.system_ns(), request=request)
    seconds = long_poll_seconds(call, engine.limits.task_long_poll_interval_ns)
    try:
        with service.workers.polling(request.worker_instance_key, request.identity):
            await service.workers.wait_at_rest(request.identity, seconds)
            task = await engine.poll_activity_task(
                namespace, request.task_queue.name, record=record, timeout_seconds=seconds
            )
    except WorkerShutDown:
        return b""
    return b"" if task is None else activity_task_message(task)


def activity_task_message(task: StartedActivityTask) -> PollActivityTaskQueueResponse:
    """Build a worker's view of a started attempt."""
    run, activity = task.run, task.activity
    attributes = activity.attributes
    message = PollActivityTaskQueueResponse(
        task_token=task.token,
        workflow_namespace=run.namespace,
        workflow_type=run.started.workflow_type,
        workflow_execution=WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id),
        activity_type=attributes.activity_type,
        activity_id=attributes.activity_id,
        heartbeat_details=task.heartbeat_details,
        scheduled_time=ns_to_timestamp(activity.scheduled_time_ns),
        current_attempt_scheduled_time=ns_to_timestamp(task.attempt_scheduled_time_ns),
        started_time=ns_to_timestamp(task.started_time_ns),
        attempt=task.attempt,
        schedule_to_close_timeout=attributes.schedule_to_close_timeout,
        start_to_close_timeout=attributes.start_to_close_timeout,
        heartbeat_timeout=attributes.heartbeat_timeout,
        retry_policy=attributes.retry_policy,
    )
    if attributes.HasField("header"):
        message.header.CopyFrom(attributes.header)
    if attributes.HasField("input"):
        message.input.CopyFrom(attributes.input)
    priority = run.priority_of(activity)
    if priority is not None:
        message.priority.CopyFrom(priority)
    return message


async def respond_activity_task_completed(
    service: Service, request: RespondActivityTaskCompletedRequest, call: Call
) -> RespondActivityTaskCompletedResponse:
    """Complete an activity by its task token."""
    await _complete(service, request, _by_token(service, request.namespace, request.task_token))
    return RespondActivityTaskCompletedResponse()


async def respond_activity_task_completed_by_id(
    service: Service, request: RespondActivityTaskCompletedByIdRequest, call: Call
) -> RespondActivityTaskCompletedByIdResponse:
    """Complete an activity by its id."""
    await _complete(service, request, _by_id(service, request))
    return RespondActivityTaskCompletedByIdResponse()


async def respond_activity_task_failed(
    service: Service, request: RespondActivityTaskFailedRequest, call: Call
) -> RespondActivityTaskFailedResponse:
    """Fail an activity's attempt by its task token."""
    target = _by_token(service, request.namespace, request.task_token)
    return RespondActivityTaskFailedResponse(failures=await _fail(service, request, target))


async def respond_activity_task_failed_by_id(
    service: Service, request: RespondActivityTaskFailedByIdRequest, call: Call
) -> RespondActivityTaskFailedByIdResponse:
    """Fail an activity's attempt by its id."""
    return RespondActivityTaskFailedByIdResponse(failures=await _fail(service, request, _by_id(service, request)))


async def respond_activity_task_canceled(
    service: Service, request: RespondActivityTaskCanceledRequest, call: Call
) -> RespondActivityTaskCanceledResponse:
    """Close an activity as cancelled by its task token."""
    await _cancel(service, request, _by_token(service, request.namespace, request.task_token))
    return RespondActivityTaskCanceledResponse()


async def respond_activity_task_canceled_by_id(
    service: Service, request: RespondActivityTaskCanceledByIdRequest, call: Call
) -> RespondActivityTaskCanceledByIdResponse:
    """Close an activity as cancelled by its id."""
    await _cancel(service, request, _by_id(service, request))
    return RespondActivityTaskCanceledByIdResponse()


async def record_activity_task_heartbeat(
    service: Service, request: RecordActivityTaskHeartbeatRequest, call: Call
) -> RecordActivityTaskHeartbeatResponse:
    """Keep an attempt's progress by its task token; tell whether to stop."""
    target = _by_token(service, request.namespace, request.task_token)
    return RecordActivityTaskHeartbeatResponse(cancel_requested=await _heartbeat(service, request, target))


async def record_activity_task_heartbeat_by_id(
    service: Service, request: RecordActivityTaskHeartbeatByIdRequest, call: Call
) -> RecordActivityTaskHeartbeatByIdResponse:
    """Keep an attempt's progress by the activity's id; tell whether to stop."""
    target = _by_id(service, request)
    return RecordActivityTaskHeartbeatByIdResponse(cancel_requested=await _heartbeat(service, request, target))


def _by_token(service: Service, namespace: str, token: bytes) -> _Target:
    _, run, decoded = activity_task(service, namespace, token)
    return run, ActivityRef(token=decoded)


def _by_id(service: Service, request: _ById) -> _Target:
    namespace = get_namespace(service, request.namespace)
    run = RunRef(namespace.namespace_id, request.workflow_id, request.run_id)
    return run, ActivityRef(activity_id=request.activity_id)


async def _complete(service: Service, request: _Completed, target: _Target) -> None:
    too_large = validate_respond_activity_task_completed(request, service.engine.limits)
    if too_large is not None:
        await _fail_as_too_large(service, target, too_large, request.identity)
        return
    result = request.result if request.HasField("result") else None
    completed = RespondActivityTaskCompleted(*target, result, request.identity, _worker_version(request))
    await service.engine.submit(completed)


async def _fail(service: Service, request: _Failed, target: _Target) -> list[Failure]:
    failures = validate_respond_activity_task_failed(request, service.engine.limits)
    details = request.last_heartbeat_details if request.HasField("last_heartbeat_details") else None
    failed = RespondActivityTaskFailed(*target, request.failure, request.identity, details, _worker_version(request))
    await service.engine.submit(failed)
    return failures


def _worker_version(request: _Completed | _Failed) -> WorkerVersionStamp | None:
    """Return the build that answers; requests by activity id don't say it."""
    if isinstance(request, RespondActivityTaskCompletedRequest | RespondActivityTaskFailedRequest):
        return request.worker_version if request.HasField("worker_version") else None
    return None


async def _cancel(service: Service, request: _Canceled, target: _Target) -> None:
    too_large = validate_respond_activity_task_canceled(request, service.engine.limits)
    if too_large is not None:
        await _fail_as_too_large(service, target, too_large, request.identity)
        return
    details = request.details if request.HasField("details") else None
    await service.engine.submit(RespondActivityTaskCanceled(*target, details, request.identity))


async def _heartbeat(service: Service, request: _Heartbeat, target: _Target) -> bool:
    too_large = validate_record_activity_task_heartbeat(request, service.engine.limits)
    if too_large is not None:
        await _fail_as_too_large(service, target, too_large, request.identity)
        return True
    details = request.details if request.HasField("details") else None
    reply: HeartbeatReply = await service.engine.submit(RecordActivityTaskHeartbeat(*target, details, request.identity))
    return reply.cancel_requested


async def _fail_as_too_large(service: Service, target: _Target, failure: Failure, identity: str) -> None:
    await service.engine.submit(RespondActivityTaskFailed(*target, failure, identity, None))
