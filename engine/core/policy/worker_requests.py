"""What workers may say: polls, answers to tasks, heartbeats.

Each function checks one request in the reference server's order. An answer that is too large for an event is not
refused, since the worker would send it again: the activity fails with it instead.
"""

from __future__ import annotations

from temporalio.api.enums.v1.query_pb2 import QueryResultType
from temporalio.api.failure.v1.message_pb2 import Failure
from temporalio.api.workflowservice.v1.request_response_pb2 import (
    PollActivityTaskQueueRequest,
    PollNexusTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
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
)

from engine.core.errors import InvalidArgument, NotFound
from engine.core.policy.durations import NANOS_PER_SECOND
from engine.core.policy.failures import (
    CANCEL_DETAILS_EXCEED_LIMIT,
    COMPLETE_RESULT_EXCEEDS_LIMIT,
    FAILURE_EXCEEDS_LIMIT,
    HEARTBEAT_EXCEEDS_LIMIT,
    server_failure,
    truncate_failure,
)
from engine.core.policy.fields import (
    exceeds_blob_size,
    is_uuid,
    validate_identity,
    validate_long_poll_timeout,
    validate_versioning,
)
from engine.core.policy.limits import Limits
from engine.core.policy.task_queues import normalize_task_queue

_ByIdRequest = (
    RecordActivityTaskHeartbeatByIdRequest
    | RespondActivityTaskCanceledByIdRequest
    | RespondActivityTaskCompletedByIdRequest
    | RespondActivityTaskFailedByIdRequest
)
_BY_ID_TYPES = (
    RecordActivityTaskHeartbeatByIdRequest,
    RespondActivityTaskCanceledByIdRequest,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskFailedByIdRequest,
)
_MAX_DURATION_SECONDS = 315_576_000_000
"""What a protobuf Duration may hold: about 10,000 years."""


def validate_poll_workflow_task_queue(
    request: PollWorkflowTaskQueueRequest, limits: Limits, *, remaining_ns: int | None
) -> None:
    """Check a poll and set its task queue's kind.

    Args:
        remaining_ns: the time until the caller's deadline; None without one.
    """
    validate_long_poll_timeout(remaining_ns)
    validate_identity(request.identity, limits)
    _validate_poller_version(request, limits)
    normalize_task_queue(request.task_queue if request.HasField("task_queue") else None, limits)


def validate_poll_activity_task_queue(
    request: PollActivityTaskQueueRequest, limits: Limits, *, remaining_ns: int | None
) -> None:
    """Check a poll and set its task queue's kind; see `validate_poll_workflow_task_queue`."""
    validate_long_poll_timeout(remaining_ns)
    normalize_task_queue(request.task_queue if request.HasField("task_queue") else None, limits)
    validate_identity(request.identity, limits)
    _validate_poller_version(request, limits)


def validate_poll_nexus_task_queue(
    request: PollNexusTaskQueueRequest, limits: Limits, *, remaining_ns: int | None
) -> None:
    """Check a poll and set its task queue's kind; see `validate_poll_workflow_task_queue`."""
    validate_long_poll_timeout(remaining_ns)
    normalize_task_queue(request.task_queue if request.HasField("task_queue") else None, limits)
    validate_identity(request.identity, limits)
    _validate_poller_version(request, limits)


def _validate_poller_version(
    request: PollWorkflowTaskQueueRequest | PollActivityTaskQueueRequest | PollNexusTaskQueueRequest, limits: Limits
) -> None:
    validate_versioning(
        use_versioning=request.worker_version_capabilities.use_versioning,
        build_id=request.worker_version_capabilities.build_id,
        deployment=request.deployment_options if request.HasField("deployment_options") else None,
        task_queue=request.task_queue if request.HasField("task_queue") else None,
        limits=limits,
    )


def validate_respond_workflow_task_completed(request: RespondWorkflowTaskCompletedRequest, limits: Limits) -> None:
    """Check the completion of a workflow task, its commands aside."""
    validate_identity(request.identity, limits)
    sticky = request.sticky_attributes
    validate_versioning(
        use_versioning=request.worker_version_stamp.use_versioning,
        build_id=request.worker_version_stamp.build_id,
        deployment=request.deployment_options if request.HasField("deployment_options") else None,
        task_queue=sticky.worker_task_queue if sticky.HasField("worker_task_queue") else None,
        limits=limits,
    )


def validate_respond_workflow_task_failed(request: RespondWorkflowTaskFailedRequest, limits: Limits) -> None:
    """Check the failure of a workflow task; cut, in place, a failure that is too large."""
    validate_identity(request.identity, limits)
    _cut_failure(request, limits)


def validate_respond_query_task_completed(request: RespondQueryTaskCompletedRequest, limits: Limits) -> None:
    """Make an answer that is too large, in place, a failed query."""
    if exceeds_blob_size(request.query_result, limits):
        request.completed_type = QueryResultType.QUERY_RESULT_TYPE_FAILED
        request.ClearField("query_result")
        request.error_message = "Blob data size exceeds limit."


def validate_respond_activity_task_completed(
    request: RespondActivityTaskCompletedRequest | RespondActivityTaskCompletedByIdRequest, limits: Limits
) -> Failure | None:
    """Check the completion of an activity.

    Returns:
        The failure to fail the activity with, where its result is too large.
    """
    _validate_activity_answer(request, limits)
    if exceeds_blob_size(request.result, limits):
        return server_failure(COMPLETE_RESULT_EXCEEDS_LIMIT, non_retryable=True)
    return None


def validate_respond_activity_task_canceled(
    request: RespondActivityTaskCanceledRequest | RespondActivityTaskCanceledByIdRequest, limits: Limits
) -> Failure | None:
    """Check the cancellation of an activity.

    Returns:
        The failure to fail the activity with, where its details are too large.
    """
    _validate_activity_answer(request, limits)
    if exceeds_blob_size(request.details, limits):
        return server_failure(CANCEL_DETAILS_EXCEED_LIMIT, non_retryable=True)
    return None


def validate_respond_activity_task_failed(
    request: RespondActivityTaskFailedRequest | RespondActivityTaskFailedByIdRequest, limits: Limits
) -> list[Failure]:
    """Check the failure of an activity; drop heartbeat details and cut a failure, in place, that are too large.

    Returns:
        What was too large: the reply's `failures`.
    """
    by_token = isinstance(request, RespondActivityTaskFailedRequest)
    if by_token and request.HasField("failure") and not request.failure.HasField("application_failure_info"):
        raise InvalidArgument("Failure must have ApplicationFailureInfo.")
    if by_token:
        _validate_next_retry_delays(request.failure)
    _validate_activity_answer(request, limits)
    if not by_token:
        _validate_next_retry_delays(request.failure)
    failures = []
    if exceeds_blob_size(request.last_heartbeat_details, limits):
        request.ClearField("last_heartbeat_details")
        failures.append(server_failure(HEARTBEAT_EXCEEDS_LIMIT, non_retryable=True))
    if _cut_failure(request, limits):
        failures.append(request.failure)
    return failures


def validate_record_activity_task_heartbeat(
    request: RecordActivityTaskHeartbeatRequest | RecordActivityTaskHeartbeatByIdRequest, limits: Limits
) -> Failure | None:
    """Check a heartbeat.

    Returns:
        The failure to fail the activity with, where the details are too large; the reply then asks to cancel.
    """
    if isinstance(request, RecordActivityTaskHeartbeatByIdRequest):
        _validate_activity_id(request)
        _validate_execution_by_id(request)
    if exceeds_blob_size(request.details, limits):
        return server_failure(HEARTBEAT_EXCEEDS_LIMIT, non_retryable=True)
    return None


def _validate_activity_answer(
    request: RespondActivityTaskCompletedRequest
    | RespondActivityTaskCanceledRequest
    | RespondActivityTaskFailedRequest
    | RespondActivityTaskCompletedByIdRequest
    | RespondActivityTaskCanceledByIdRequest
    | RespondActivityTaskFailedByIdRequest,
    limits: Limits,
) -> None:
    if isinstance(request, _BY_ID_TYPES):
        _validate_activity_id(request)
    validate_identity(request.identity, limits)
    if isinstance(request, _BY_ID_TYPES):
        _validate_execution_by_id(request)


def _validate_activity_id(request: _ByIdRequest) -> None:
    if not request.activity_id:
        raise InvalidArgument("ActivityId is not set on request.")


def _validate_execution_by_id(request: _ByIdRequest) -> None:
    """Check which run an answer by id is for; without a workflow it is for an activity on its own: there is none."""
    if not request.workflow_id:
        raise NotFound(f"activity not found for ID: {request.activity_id}")
    if request.run_id and not is_uuid(request.run_id):
        raise InvalidArgument("RunId is not valid UUID.")


def _validate_next_retry_delays(failure: Failure) -> None:
    """Check the delays of a failure and its causes; the server would have to count with them."""
    current: Failure | None = failure
    while current is not None:
        delay = current.application_failure_info.next_retry_delay
        mixed = (delay.seconds > 0 and delay.nanos < 0) or (delay.seconds < 0 and delay.nanos > 0)
        if mixed or abs(delay.seconds) > _MAX_DURATION_SECONDS or abs(delay.nanos) >= NANOS_PER_SECOND:
            raise InvalidArgument("NextRetryDelay is not a valid duration")
        current = current.cause if current.HasField("cause") else None


def _cut_failure(
    request: RespondWorkflowTaskFailedRequest | RespondActivityTaskFailedRequest | RespondActivityTaskFailedByIdRequest,
    limits: Limits,
) -> bool:
    if not exceeds_blob_size(request.failure, limits):
        return False
    cause = truncate_failure(request.failure, limits.blob_size_warn_bytes)
    request.failure.CopyFrom(server_failure(FAILURE_EXCEEDS_LIMIT, non_retryable=True, cause=cause))
    return True
