"""How DescribeWorkflowExecution shows an activity that is not closed."""

from __future__ import annotations

from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.common.v1 import RetryPolicy
from temporalio.api.enums.v1.workflow_pb2 import (
    PENDING_ACTIVITY_STATE_CANCEL_REQUESTED,
    PENDING_ACTIVITY_STATE_SCHEDULED,
    PENDING_ACTIVITY_STATE_STARTED,
)
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import PendingActivityInfo

from engine.core.policy.durations import duration_to_ns, ns_to_duration, ns_to_timestamp
from engine.core.run.state import ActivityInfo

__all__ = ["pending_activity_info"]


def pending_activity_info(activity: ActivityInfo, now_ns: int) -> PendingActivityInfo:
    """Describe a pending activity and its current attempt."""
    attributes = activity.attributes
    info = PendingActivityInfo(
        activity_id=attributes.activity_id,
        activity_type=attributes.activity_type,
        attempt=activity.attempt,
        maximum_attempts=attributes.retry_policy.maximum_attempts,
        scheduled_time=ns_to_timestamp(activity.attempt_scheduled_time_ns or activity.scheduled_time_ns),
        last_worker_identity=activity.identity,
        last_failure=activity.last_failure,
        activity_options=_options(activity),
    )
    info.state = PENDING_ACTIVITY_STATE_SCHEDULED
    if activity.cancel_requested_event_id:
        info.state = PENDING_ACTIVITY_STATE_CANCEL_REQUESTED
    elif activity.started:
        info.state = PENDING_ACTIVITY_STATE_STARTED
    if attributes.HasField("priority"):
        info.priority.CopyFrom(attributes.priority)
    _set_times(info, activity, now_ns)
    return info


def _set_times(info: PendingActivityInfo, activity: ActivityInfo, now_ns: int) -> None:
    if activity.last_heartbeat_time_ns:
        info.last_heartbeat_time.CopyFrom(ns_to_timestamp(activity.last_heartbeat_time_ns))
        if activity.heartbeat_details is not None:
            info.heartbeat_details.CopyFrom(activity.heartbeat_details)
    if activity.started:
        info.last_started_time.CopyFrom(ns_to_timestamp(activity.started_time_ns))
    if activity.last_attempt_complete_time_ns:
        info.last_attempt_complete_time.CopyFrom(ns_to_timestamp(activity.last_attempt_complete_time_ns))
    schedule_to_close_ns = duration_to_ns(activity.attributes.schedule_to_close_timeout)
    if schedule_to_close_ns and activity.last_started_time_ns:
        info.expiration_time.CopyFrom(ns_to_timestamp(activity.scheduled_time_ns + schedule_to_close_ns))
    next_attempt_ns = activity.attempt_scheduled_time_ns
    if info.state == PENDING_ACTIVITY_STATE_SCHEDULED and now_ns < next_attempt_ns:
        info.next_attempt_schedule_time.CopyFrom(ns_to_timestamp(next_attempt_ns))
        info.current_retry_interval.CopyFrom(ns_to_duration(next_attempt_ns - activity.last_attempt_complete_time_ns))


def _options(activity: ActivityInfo) -> ActivityOptions:
    attributes = activity.attributes
    task_queue = attributes.task_queue.name
    retry_policy = RetryPolicy()
    retry_policy.CopyFrom(attributes.retry_policy)
    retry_policy.ClearField("non_retryable_error_types")  # as the reference server shows it
    return ActivityOptions(
        task_queue=TaskQueue(name=task_queue, normal_name=task_queue),
        schedule_to_close_timeout=attributes.schedule_to_close_timeout,
        schedule_to_start_timeout=attributes.schedule_to_start_timeout,
        start_to_close_timeout=attributes.start_to_close_timeout,
        heartbeat_timeout=attributes.heartbeat_timeout,
        retry_policy=retry_policy,
        priority=attributes.priority if attributes.HasField("priority") else None,
    )
