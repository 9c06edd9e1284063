"""Timeouts of workflows and activities: which are valid, and what an unset or too long one becomes."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1.message_pb2 import ScheduleActivityTaskCommandAttributes

from engine.core.errors import InvalidArgument
from engine.core.policy.durations import cap_duration, duration_to_ns, ns_to_duration
from engine.core.policy.limits import MAX_WORKFLOW_TASK_TIMEOUT_NS, Limits
from engine.core.policy.priority import validate_priority
from engine.core.policy.retry import ensure_retry_policy_defaults, validate_retry_policy
from engine.core.policy.task_queues import normalize_user_task_queue


def effective_workflow_run_timeout_ns(run_timeout_ns: int, execution_timeout_ns: int) -> int:
    """Return the run timeout to use: never above the execution timeout, which also stands in for none (0)."""
    if execution_timeout_ns == 0:
        return run_timeout_ns
    if run_timeout_ns == 0:
        return execution_timeout_ns
    return min(run_timeout_ns, execution_timeout_ns)


def effective_workflow_task_timeout_ns(task_timeout_ns: int, run_timeout_ns: int, limits: Limits) -> int:
    """Return the workflow task timeout to use: the default for none (0), never above 120 s or the run timeout."""
    timeout_ns = min(task_timeout_ns or limits.default_workflow_task_timeout_ns, MAX_WORKFLOW_TASK_TIMEOUT_NS)
    return min(timeout_ns, run_timeout_ns) if run_timeout_ns else timeout_ns


def normalize_activity(
    attributes: ScheduleActivityTaskCommandAttributes,
    *,
    run_timeout_ns: int,
    workflow_task_queue: str,
    limits: Limits,
) -> None:
    """Check what a workflow says about an activity and fill in, in place, what it leaves unset.

    Afterwards the retry policy is complete, and all timeouts but the heartbeat's are set unless the run has no
    timeout and the schedule-to-close timeout is unset: that one and schedule-to-start are then zero, for "none".

    Args:
        run_timeout_ns: the run timeout of the workflow, 0 for none.
        workflow_task_queue: the task queue of the workflow.

    Raises:
        InvalidArgument: what the command says can't be done; the caller makes it BAD_SCHEDULE_ACTIVITY_ATTRIBUTES.
    """
    task_queue = attributes.task_queue if attributes.HasField("task_queue") else None
    normalize_user_task_queue(task_queue, limits, parent_name=workflow_task_queue)
    activity_id, activity_type = attributes.activity_id, attributes.activity_type.name
    if not activity_id:
        raise InvalidArgument("activityId is not set")
    if not activity_type:
        raise InvalidArgument("activityType is not set")
    ensure_retry_policy_defaults(attributes.retry_policy)
    validate_retry_policy(attributes.retry_policy)
    for field, value in (("activityId", activity_id), ("activityType", activity_type)):
        length = len(value.encode())
        if length > limits.max_id_length:
            raise InvalidArgument(f"{field} exceeds length limit. Length={length} Limit={limits.max_id_length}")
    try:
        validate_priority(attributes.priority)
    except InvalidArgument as error:
        raise InvalidArgument(f"invalid priorities: {error.message}") from None
    _normalize_activity_timeouts(attributes, run_timeout_ns)


def _normalize_activity_timeouts(attributes: ScheduleActivityTaskCommandAttributes, run_timeout_ns: int) -> None:
    """Deduce what is unset from schedule-to-close or start-to-close, and cut everything to the run timeout."""
    schedule_to_close_ns = _checked_ns("ScheduleToCloseTimeout", attributes.schedule_to_close_timeout)
    schedule_to_start_ns = _checked_ns("ScheduleToStartTimeout", attributes.schedule_to_start_timeout)
    start_to_close_ns = _checked_ns("StartToCloseTimeout", attributes.start_to_close_timeout)
    heartbeat_ns = _checked_ns("HeartbeatTimeout", attributes.heartbeat_timeout)
    if schedule_to_close_ns:
        schedule_to_start_ns = min(schedule_to_start_ns or schedule_to_close_ns, schedule_to_close_ns)
        start_to_close_ns = min(start_to_close_ns or schedule_to_close_ns, schedule_to_close_ns)
    elif start_to_close_ns:
        schedule_to_close_ns = run_timeout_ns
        schedule_to_start_ns = schedule_to_start_ns or run_timeout_ns
    else:
        raise InvalidArgument(
            "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. "
            f"ActivityId={attributes.activity_id} ActivityType={attributes.activity_type.name}"
        )
    if run_timeout_ns:
        schedule_to_close_ns = min(schedule_to_close_ns, run_timeout_ns)
        schedule_to_start_ns = min(schedule_to_start_ns, run_timeout_ns)
        start_to_close_ns = min(start_to_close_ns, run_timeout_ns)
        heartbeat_ns = min(heartbeat_ns, run_timeout_ns)
    attributes.schedule_to_close_timeout.CopyFrom(ns_to_duration(schedule_to_close_ns))
    attributes.schedule_to_start_timeout.CopyFrom(ns_to_duration(schedule_to_start_ns))
    attributes.start_to_close_timeout.CopyFrom(ns_to_duration(start_to_close_ns))
    attributes.heartbeat_timeout.CopyFrom(ns_to_duration(min(heartbeat_ns, start_to_close_ns)))


def _checked_ns(name: str, timeout: Duration) -> int:
    if problem := cap_duration(timeout):
        raise InvalidArgument(f"invalid {name}: {problem}")
    return duration_to_ns(timeout)
