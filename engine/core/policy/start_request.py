"""What a request to start a workflow may say, and what it says once its defaults are set.

The checks run in the reference server's order, so that a request with two faults gets the same answer.
"""

from __future__ import annotations

from temporalio.api.enums.v1.workflow_pb2 import (
    WORKFLOW_ID_CONFLICT_POLICY_FAIL,
    WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
    WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED,
    WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
    WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
    WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
    WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING,
    WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED,
    WorkflowIdConflictPolicy,
)
from temporalio.api.workflowservice.v1.request_response_pb2 import (
    SignalWithStartWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)

from engine.core.errors import InvalidArgument, Unimplemented
from engine.core.policy.cron import validate_cron_spec
from engine.core.policy.durations import cap_duration, duration_to_ns, ns_to_duration
from engine.core.policy.fields import exceeds, validate_blob_size, validate_links, validate_request_id
from engine.core.policy.limits import Limits
from engine.core.policy.priority import validate_priority
from engine.core.policy.retry import ensure_retry_policy_defaults, validate_retry_policy
from engine.core.policy.task_queues import normalize_user_task_queue
from engine.core.policy.time_skipping import validate_time_skipping_config
from engine.core.policy.timeouts import (
    effective_workflow_run_timeout_ns,
    effective_workflow_task_timeout_ns,
)
from engine.core.visibility.search_attributes import (
    SearchAttributeTypes,
    validate_search_attributes,
    validate_total_size,
)

_StartLike = StartWorkflowExecutionRequest | SignalWithStartWorkflowExecutionRequest


def validate_start_workflow_execution(
    request: StartWorkflowExecutionRequest, limits: Limits, *, registered: SearchAttributeTypes, now_ns: int
) -> None:
    """Check a start and set its defaults in place: id policies, retry policy, task queue kind, timeouts.

    The caller sets a missing `request_id`.

    Args:
        registered: the namespace's own search attributes.

    Raises:
        InvalidArgument: the first fault.
        Unimplemented: a feature that this server does not have.
    """
    set_workflow_id_policy_defaults(request, WORKFLOW_ID_CONFLICT_POLICY_FAIL)
    _validate_workflow_id(request.workflow_id, limits)
    _normalize_retry_policy(request)
    _validate_start_delay(request)
    validate_cron_spec(request.cron_schedule, now_ns)
    if not request.workflow_type.name:
        raise InvalidArgument("WorkflowType is not set on request.")
    if exceeds(request.workflow_type.name, limits):
        raise InvalidArgument("WorkflowType length exceeds limit.")
    normalize_user_task_queue(request.task_queue if request.HasField("task_queue") else None, limits)
    _validate_workflow_timeouts(request)
    validate_request_id(request.request_id, limits)
    _validate_workflow_id_policies(request)
    if request.on_conflict_options.attach_completion_callbacks and not request.on_conflict_options.attach_request_id:
        raise InvalidArgument("attaching request ID is required for attaching completion callbacks")
    _validate_search_attributes(request, limits, registered)
    validate_priority(request.priority)
    if request.completion_callbacks:
        raise Unimplemented("Completion callbacks are not supported.")
    validate_links(request.links, limits)
    validate_time_skipping_config(
        request.time_skipping_config if request.HasField("time_skipping_config") else None, limits
    )
    _normalize_workflow_timeouts(request, limits)
    _validate_sizes(request, limits)


def validate_signal_with_start_workflow_execution(
    request: SignalWithStartWorkflowExecutionRequest, limits: Limits, *, registered: SearchAttributeTypes, now_ns: int
) -> None:
    """Check a signal-with-start and set its defaults in place, as for a start.

    The caller sets a missing `request_id`. Whether the signal's input is too large is left to the run that gets it.

    Raises:
        InvalidArgument: the first fault.
        Unimplemented: a feature that this server does not have.
    """
    validate_cron_spec(request.cron_schedule, now_ns)
    _validate_workflow_id(request.workflow_id, limits)
    if not request.signal_name:
        raise InvalidArgument("signal not set")
    _check_length("signal name", request.signal_name, limits)
    if not request.workflow_type.name:
        raise InvalidArgument("workflow type not set")
    _check_length("workflow type name", request.workflow_type.name, limits)
    normalize_user_task_queue(request.task_queue if request.HasField("task_queue") else None, limits)
    _check_length("Request ID", request.request_id, limits)
    _validate_workflow_timeouts(request)
    _normalize_retry_policy(request)
    _validate_start_delay(request)
    _validate_workflow_id_policies(request)
    if request.workflow_id_conflict_policy == WORKFLOW_ID_CONFLICT_POLICY_FAIL:
        raise InvalidArgument(
            "Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation."
        )
    set_workflow_id_policy_defaults(request, WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING)
    _validate_search_attributes(request, limits, registered)
    validate_priority(request.priority)
    validate_links(request.links, limits)
    validate_time_skipping_config(
        request.time_skipping_config if request.HasField("time_skipping_config") else None, limits
    )
    _normalize_workflow_timeouts(request, limits)
    _validate_sizes(request, limits)


def set_workflow_id_policy_defaults(request: _StartLike, conflict_policy: WorkflowIdConflictPolicy.ValueType) -> None:
    """Set unset id policies in place; TERMINATE_IF_RUNNING alone becomes TERMINATE_EXISTING.

    Args:
        conflict_policy: what an unset one means for the RPC.
    """
    if request.workflow_id_conflict_policy == WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED:
        if request.workflow_id_reuse_policy == WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING:
            request.workflow_id_conflict_policy = WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
            request.workflow_id_reuse_policy = WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
        else:
            request.workflow_id_conflict_policy = conflict_policy
    if request.workflow_id_reuse_policy == WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED:
        request.workflow_id_reuse_policy = WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE


def _validate_workflow_id(workflow_id: str, limits: Limits) -> None:
    if not workflow_id:
        raise InvalidArgument("WorkflowId is not set on request.")
    _check_length("WorkflowId", workflow_id, limits)


def _check_length(field: str, text: str, limits: Limits) -> None:
    length = len(text.encode())
    if length > limits.max_id_length:
        raise InvalidArgument(f"{field} exceeds maximum allowed length ({length}/{limits.max_id_length})")


def _normalize_retry_policy(request: _StartLike) -> None:
    if request.HasField("retry_policy"):
        ensure_retry_policy_defaults(request.retry_policy)
        validate_retry_policy(request.retry_policy)


def _validate_start_delay(request: _StartLike) -> None:
    if request.cron_schedule and request.HasField("workflow_start_delay"):
        raise InvalidArgument("CronSchedule and WorkflowStartDelay may not be used together.")
    if problem := cap_duration(request.workflow_start_delay):
        raise InvalidArgument(f"An invalid WorkflowStartDelaySeconds is set on request. cause: {problem}")


def _validate_workflow_timeouts(request: _StartLike) -> None:
    for name, timeout in (
        ("WorkflowExecutionTimeoutSeconds", request.workflow_execution_timeout),
        ("WorkflowRunTimeoutSeconds", request.workflow_run_timeout),
        ("WorkflowTaskTimeoutSeconds", request.workflow_task_timeout),
    ):
        if problem := cap_duration(timeout):
            raise InvalidArgument(f"An invalid {name} is set on request. cause: {problem}")


def _validate_workflow_id_policies(request: _StartLike) -> None:
    reuse, conflict = request.workflow_id_reuse_policy, request.workflow_id_conflict_policy
    if conflict != WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED and reuse == WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING:
        raise InvalidArgument(
            "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING"
            " cannot be used together with a WorkflowIDConflictPolicy"
        )
    if (
        conflict == WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
        and reuse == WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
    ):
        raise InvalidArgument(
            "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE"
            " cannot be used together with WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING"
        )


def _validate_search_attributes(request: _StartLike, limits: Limits, registered: SearchAttributeTypes) -> None:
    validate_search_attributes(request.search_attributes, registered, limits, namespace=request.namespace)
    validate_total_size(request.search_attributes.indexed_fields, limits)


def _normalize_workflow_timeouts(request: _StartLike, limits: Limits) -> None:
    """Set the timeouts that the run will have; a run without a timeout keeps the field as it came."""
    given_ns = duration_to_ns(request.workflow_run_timeout)
    run_ns = effective_workflow_run_timeout_ns(given_ns, duration_to_ns(request.workflow_execution_timeout))
    if run_ns != given_ns:
        request.workflow_run_timeout.CopyFrom(ns_to_duration(run_ns))
    task_ns = effective_workflow_task_timeout_ns(duration_to_ns(request.workflow_task_timeout), run_ns, limits)
    request.workflow_task_timeout.CopyFrom(ns_to_duration(task_ns))


def _validate_sizes(request: _StartLike, limits: Limits) -> None:
    validate_blob_size(request.input, limits)
    if request.memo.ByteSize() > limits.memo_size_error_bytes:
        raise InvalidArgument("Memo size exceeds limit.")
