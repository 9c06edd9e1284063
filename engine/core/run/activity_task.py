"""An activity's life: scheduled by a command, started by a poller, closed or tried again.

Rules (temporal server mutable_state_impl.go, retry_activity):
- Attempts, heartbeats and the last failure are transient. `ActivityTaskStarted` is written when the activity closes,
  with the time and attempt of the last start.
- A request that carries a token must match the current attempt; one by activity id needs only a started attempt.
- Which timeout ends an activity: schedule-to-start and schedule-to-close end it, the other two may be retried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from temporalio.api.common.v1 import Payload, Payloads, WorkerVersionStamp
from temporalio.api.enums.v1.workflow_pb2 import (
    RETRY_STATE_CANCEL_REQUESTED,
    RETRY_STATE_TIMEOUT,
    TIMEOUT_TYPE_HEARTBEAT,
    TIMEOUT_TYPE_SCHEDULE_TO_CLOSE,
    TIMEOUT_TYPE_SCHEDULE_TO_START,
    TIMEOUT_TYPE_START_TO_CLOSE,
    RetryState,
    TimeoutType,
)
from temporalio.api.failure.v1 import Failure, TimeoutFailureInfo

from engine.core.effects import EnqueueActivityTask
from engine.core.errors import InvalidArgument, NotFound
from engine.core.events import activity_task as events
from engine.core.inputs import (
    ActivityRef,
    ActivityTaskUndelivered,
    RecordActivityTaskHeartbeat,
    RespondActivityTaskCanceled,
    RespondActivityTaskCompleted,
    RespondActivityTaskFailed,
)
from engine.core.matching.task_token import ActivityTaskToken
from engine.core.policy.durations import duration_to_ns
from engine.core.policy.failures import FAILURE_EXCEEDS_LIMIT, server_failure, truncate_failure
from engine.core.policy.retry import RetryDecision, next_activity_retry
from engine.core.run import workflow_task
from engine.core.run.deadlines import DeadlineKind, add_activity_deadlines
from engine.core.run.state import ActivityInfo, RunState
from engine.core.transition import Transition

__all__ = [
    "HeartbeatReply",
    "StartedActivityTask",
    "cancel_unstarted",
    "enqueue",
    "on_canceled",
    "on_completed",
    "on_failed",
    "on_heartbeat",
    "on_undelivered",
    "record_started",
    "retry_due",
    "timed_out",
]

_NOT_FOUND = "invalid activityID or activity already timed out or invoking workflow is completed"
_TIMEOUTS: dict[DeadlineKind, TimeoutType.ValueType] = {
    DeadlineKind.ACTIVITY_SCHEDULE_TO_START: TIMEOUT_TYPE_SCHEDULE_TO_START,
    DeadlineKind.ACTIVITY_SCHEDULE_TO_CLOSE: TIMEOUT_TYPE_SCHEDULE_TO_CLOSE,
    DeadlineKind.ACTIVITY_START_TO_CLOSE: TIMEOUT_TYPE_START_TO_CLOSE,
    DeadlineKind.ACTIVITY_HEARTBEAT: TIMEOUT_TYPE_HEARTBEAT,
}
_TIMEOUT_NAMES = {
    TIMEOUT_TYPE_SCHEDULE_TO_START: "ScheduleToStart",
    TIMEOUT_TYPE_SCHEDULE_TO_CLOSE: "ScheduleToClose",
    TIMEOUT_TYPE_START_TO_CLOSE: "StartToClose",
    TIMEOUT_TYPE_HEARTBEAT: "Heartbeat",
}
_NO_TIME_FOR_ANOTHER_ATTEMPT = (
    "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying"
)


class StartedActivityTask(NamedTuple):
    """What a worker needs to run the attempt; `activity` is the state at its start."""

    run: RunState
    activity: ActivityInfo
    token: bytes
    attempt: int
    started_time_ns: int
    attempt_scheduled_time_ns: int
    heartbeat_details: Payloads | None


@dataclass(frozen=True, slots=True)
class HeartbeatReply:
    """What a heartbeat tells the worker."""

    cancel_requested: bool


def enqueue(t: Transition, activity: ActivityInfo) -> None:
    """Offer the current attempt to the activity's task queue."""
    t.effects.append(
        EnqueueActivityTask(
            run_key=t.state.run_key,
            namespace_id=t.state.namespace_id,
            task_queue=activity.attributes.task_queue.name,
            scheduled_event_id=activity.scheduled_event_id,
            attempt=activity.attempt,
            priority=t.state.priority_of(activity),
        )
    )


def record_started(t: Transition, activity: ActivityInfo, identity: str) -> StartedActivityTask:
    """Start the current attempt; no event until the activity closes."""
    activity.started_time_ns = activity.last_started_time_ns = t.now_ns
    activity.request_id = t.context.env.new_id()
    activity.identity = identity
    _changed(t, activity)
    add_activity_deadlines(t.state, activity)
    token = ActivityTaskToken(t.state.run_key, t.state.run_id, activity.scheduled_event_id, activity.attempt)
    return StartedActivityTask(
        run=t.state,
        activity=activity,
        token=token.encode(),
        attempt=activity.attempt,
        started_time_ns=activity.started_time_ns,
        attempt_scheduled_time_ns=activity.attempt_scheduled_time_ns,
        heartbeat_details=activity.heartbeat_details,
    )


def on_undelivered(t: Transition, undelivered: ActivityTaskUndelivered) -> None:
    """Offer an attempt again that its poller never got; it counts as not started."""
    activity = t.state.activities.get(undelivered.scheduled_event_id)
    if (
        activity is not None
        and activity.attempt == undelivered.attempt
        and activity.started_time_ns == undelivered.started_time_ns
    ):
        activity.started_time_ns = 0
        activity.request_id = ""
        _changed(t, activity)
        add_activity_deadlines(t.state, activity)
        enqueue(t, activity)


def on_completed(t: Transition, done: RespondActivityTaskCompleted) -> None:
    """Close the activity as completed.

    Emits: events ActivityTaskStarted, ActivityTaskCompleted, WorkflowTaskScheduled.
    Raises: NotFound for a stale token, a closed run, an unknown activity.
    """
    activity = _find_started(t.state, done.activity, also_unstarted_by_id=True)
    if not activity.started:
        # Completed from outside before a worker took it: whoever completes it counts as having started it.
        activity.started_time_ns = t.now_ns
        activity.identity = done.identity
    started_event_id = _write_started(t, activity, done.worker_version)
    t.add(events.activity_task_completed(activity.scheduled_event_id, started_event_id, done.result, done.identity))
    _closed(t, activity)


def on_failed(t: Transition, failed: RespondActivityTaskFailed) -> None:
    """Retry the activity by its policy, or close it as failed.

    Emits: nothing for a retry; else events ActivityTaskStarted, ActivityTaskFailed, WorkflowTaskScheduled.
    """
    activity = _find_started(t.state, failed.activity)
    if failed.last_heartbeat_details is not None:
        activity.heartbeat_details = failed.last_heartbeat_details
        activity.last_heartbeat_time_ns = t.now_ns
    activity.last_attempt_complete_time_ns = t.now_ns
    failure = _truncated(t, failed.failure)
    decision = _decide_retry(t, activity, failed.failure)
    if decision.retries:
        _back_off(t, activity, failure, decision.interval_ns)
        return
    started_event_id = _write_started(t, activity, failed.worker_version)
    t.add(
        events.activity_task_failed(
            activity.scheduled_event_id, started_event_id, failed.failure, decision.retry_state, failed.identity
        )
    )
    _closed(t, activity)


def on_canceled(t: Transition, canceled: RespondActivityTaskCanceled) -> None:
    """Close the activity as cancelled.

    Emits: events ActivityTaskStarted, ActivityTaskCanceled, WorkflowTaskScheduled.
    Raises: InvalidArgument when nobody asked for the cancellation.
    """
    activity = _find_started(t.state, canceled.activity)
    if not activity.cancel_requested_event_id:
        raise InvalidArgument("unable to mark activity as canceled without activity being request canceled first")
    started_event_id = _write_started(t, activity)
    t.add(
        events.activity_task_canceled(
            activity.scheduled_event_id,
            started_event_id,
            activity.cancel_requested_event_id,
            canceled.details,
            canceled.identity,
        )
    )
    _closed(t, activity)


def on_heartbeat(t: Transition, heartbeat: RecordActivityTaskHeartbeat) -> HeartbeatReply:
    """Keep the attempt's progress and tell whether it should stop."""
    activity = _find_started(t.state, heartbeat.activity)
    # Never earlier, also when the clock was set back: a deadline only ever moves away.
    activity.last_heartbeat_time_ns = max(activity.last_heartbeat_time_ns, t.now_ns)
    if heartbeat.details is not None:
        activity.heartbeat_details = heartbeat.details
    _changed(t, activity)
    return HeartbeatReply(cancel_requested=activity.cancel_requested_event_id != 0)


def cancel_unstarted(t: Transition, activity: ActivityInfo, identity: str) -> None:
    """Close an activity whose attempt no worker has.

    Emits: event ActivityTaskCanceled.
    """
    details = Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=b'"ACTIVITY_ID_NOT_STARTED"')])
    t.add(
        events.activity_task_canceled(
            activity.scheduled_event_id, 0, activity.cancel_requested_event_id, details, identity
        )
    )
    t.activities[activity.scheduled_event_id] = False


def retry_due(t: Transition, event_id: int, key: str) -> None:
    """Offer the next attempt now that its backoff is over."""
    activity = t.state.activities[event_id]
    activity.backing_off = False
    _changed(t, activity)
    enqueue(t, activity)


def timed_out(kind: DeadlineKind) -> Callable[[Transition, int, str], None]:
    """Return the handler of one of the four timeouts: retry by the policy, or close as timed out."""
    timeout_type = _TIMEOUTS[kind]

    def handle(t: Transition, event_id: int, key: str) -> None:
        activity = t.state.activities[event_id]
        failure = _timeout_failure(f"activity {_TIMEOUT_NAMES[timeout_type]} timeout", timeout_type)
        decision = _decide_retry(t, activity, failure)
        if decision.retries:
            _back_off(t, activity, failure, decision.interval_ns)
            return
        _close_as_timed_out(t, activity, failure, timeout_type, decision.retry_state)

    return handle


def _close_as_timed_out(
    t: Transition,
    activity: ActivityInfo,
    failure: Failure,
    timeout_type: TimeoutType.ValueType,
    retry_state: RetryState.ValueType,
) -> None:
    if retry_state == RETRY_STATE_TIMEOUT and timeout_type != TIMEOUT_TYPE_SCHEDULE_TO_START:
        # The next attempt would come too late, so it is the schedule-to-close timeout that ends the activity.
        failure = _timeout_failure(_NO_TIME_FOR_ANOTHER_ATTEMPT, TIMEOUT_TYPE_SCHEDULE_TO_CLOSE)
    if activity.heartbeat_details is not None:
        failure.timeout_failure_info.last_heartbeat_details.CopyFrom(activity.heartbeat_details)
    if activity.last_failure is not None:
        failure.cause.CopyFrom(activity.last_failure)
    started_event_id = _write_started(t, activity)
    t.add(events.activity_task_timed_out(activity.scheduled_event_id, started_event_id, failure, retry_state))
    _closed(t, activity)


def _find_started(state: RunState, ref: ActivityRef, *, also_unstarted_by_id: bool = False) -> ActivityInfo:
    """Return the activity that the request is about.

    Raises:
        NotFound: closed run, unknown or closed activity, another attempt, or an attempt that nobody has.
    """
    if not state.running:
        raise NotFound("workflow execution already completed")
    if ref.token is not None:
        activity = state.activities.get(ref.token.scheduled_event_id)
        if activity is None or not activity.started or activity.attempt != ref.token.attempt:
            raise NotFound(_NOT_FOUND)
        if state.run_id != ref.token.run_id:
            raise NotFound(_NOT_FOUND)
        return activity
    if not ref.activity_id:
        raise InvalidArgument("activityID cannot be empty")
    scheduled_event_id = state.activity_ids.get(ref.activity_id)
    if scheduled_event_id is None:
        raise NotFound(
            f"cannot find pending activity with ActivityID {ref.activity_id}, "
            "check workflow execution history for more details"
        )
    activity = state.activities[scheduled_event_id]
    if not activity.started and not also_unstarted_by_id:
        raise NotFound(_NOT_FOUND)
    return activity


def _write_started(t: Transition, activity: ActivityInfo, worker_version: WorkerVersionStamp | None = None) -> int:
    """Write ActivityTaskStarted for an attempt that a worker has; return its id (0: none, or still buffered)."""
    if not activity.started:
        return 0
    started = events.activity_task_started(
        activity.scheduled_event_id,
        activity.attempt,
        activity.request_id,
        activity.identity,
        activity.last_failure,
        worker_version,
    )
    # A clock that was set back must not make the close older than the start.
    return t.add(started, min(activity.started_time_ns, t.now_ns)).event_id


def _decide_retry(t: Transition, activity: ActivityInfo, failure: Failure) -> RetryDecision:
    if activity.cancel_requested_event_id:
        return RetryDecision(RETRY_STATE_CANCEL_REQUESTED)
    timeout_ns = duration_to_ns(activity.attributes.schedule_to_close_timeout)
    expiration_ns = activity.scheduled_time_ns + timeout_ns if timeout_ns else None
    return next_activity_retry(t.now_ns, expiration_ns, activity.attempt, activity.attributes.retry_policy, failure)


def _back_off(t: Transition, activity: ActivityInfo, failure: Failure, interval_ns: int) -> None:
    """Make the activity wait for its next attempt."""
    activity.attempt += 1
    activity.started_time_ns = 0
    activity.request_id = ""
    activity.last_failure = failure
    activity.attempt_scheduled_time_ns = t.now_ns + interval_ns
    activity.backing_off = True
    _changed(t, activity)
    add_activity_deadlines(t.state, activity)


def _closed(t: Transition, activity: ActivityInfo) -> None:
    t.activities[activity.scheduled_event_id] = False
    workflow_task.ensure_scheduled(t)


def _changed(t: Transition, activity: ActivityInfo) -> None:
    t.touched = True
    t.activities[activity.scheduled_event_id] = True
    t.state.measure_progress(activity)


def _timeout_failure(message: str, timeout_type: TimeoutType.ValueType) -> Failure:
    return Failure(message=message, source="Server", timeout_failure_info=TimeoutFailureInfo(timeout_type=timeout_type))


def _truncated(t: Transition, failure: Failure) -> Failure:
    """Return the failure to keep between attempts: an oversize one is cut, so that the run's state stays small."""
    limit = t.context.limits.activity_failure_size_error_bytes
    if failure.ByteSize() <= limit:
        return failure
    return server_failure(FAILURE_EXCEEDS_LIMIT, non_retryable=False, cause=truncate_failure(failure, limit))
