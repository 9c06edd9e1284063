"""Fold one history event into the state of its run: the only writer of derived fields.

Rules:
- `evolve` is total: an event type without an entry changes nothing but the counters (markers, for one).
- It never fails and never looks at anything but the event and the state.
- It is called when an event is created, buffered ones too; ids and history size are counted by `Transition`, since a
  buffered event gets its id later.
"""

from __future__ import annotations

from collections.abc import Callable

from temporalio.api.enums.v1 import event_type_pb2 as et
from temporalio.api.enums.v1 import workflow_pb2 as wf
from temporalio.api.enums.v1.failed_cause_pb2 import WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
from temporalio.api.enums.v1.task_queue_pb2 import TASK_QUEUE_KIND_STICKY
from temporalio.api.enums.v1.workflow_pb2 import TIMEOUT_TYPE_SCHEDULE_TO_START
from temporalio.api.history.v1 import HistoryEvent

from engine.core.policy.durations import duration_to_ns, timestamp_to_ns
from engine.core.policy.payloads import merge_payloads
from engine.core.run import time_skipping
from engine.core.run.build_ids import add_build_ids, add_reset_point
from engine.core.run.state import ActivityInfo, ChildInfo, RunState, TimerInfo, UpdateInfo, WorkflowTask

__all__ = ["EVOLVE", "begin_again", "evolve", "fail_workflow_task"]


def evolve(state: RunState, event: HistoryEvent) -> None:
    """Apply `event` to the derived state."""
    fold = EVOLVE.get(event.event_type)
    if fold is not None:
        fold(state, event)


def _workflow_execution_started(state: RunState, event: HistoryEvent) -> None:
    attributes = event.workflow_execution_started_event_attributes
    state.started = attributes
    state.input_size_bytes += attributes.ByteSize()
    state.start_links = list(event.links)
    state.user_metadata = event.user_metadata if event.HasField("user_metadata") else None
    state.priority = attributes.priority if attributes.HasField("priority") else None
    state.status = wf.WORKFLOW_EXECUTION_STATUS_RUNNING
    state.original_start_time_ns = state.start_time_ns = timestamp_to_ns(event.event_time)
    backoff_ns = duration_to_ns(attributes.first_workflow_task_backoff)
    state.execution_time_ns = state.start_time_ns + backoff_ns
    state.execution_expiration_time_ns = timestamp_to_ns(attributes.workflow_execution_expiration_time)
    run_timeout_ns = duration_to_ns(attributes.workflow_run_timeout)
    if run_timeout_ns:
        state.run_expiration_time_ns = state.start_time_ns + run_timeout_ns + backoff_ns
        if state.execution_expiration_time_ns:
            state.run_expiration_time_ns = min(state.run_expiration_time_ns, state.execution_expiration_time_ns)
    state.auto_reset_points = list(attributes.prev_auto_reset_points.points)
    state.memo = dict(attributes.memo.fields)
    state.search_attributes = dict(attributes.search_attributes.indexed_fields)
    time_skipping.begin(state, event)


def _workflow_task_scheduled(state: RunState, event: HistoryEvent) -> None:
    attributes = event.workflow_task_scheduled_event_attributes
    time_ns = timestamp_to_ns(event.event_time)
    state.workflow_task = WorkflowTask(
        scheduled_event_id=event.event_id,
        # An event with a higher attempt belongs to a transient task that has just become real.
        attempt=attributes.attempt,
        scheduled_time_ns=time_ns,
        original_scheduled_time_ns=time_ns,
        start_to_close_timeout_ns=duration_to_ns(attributes.start_to_close_timeout),
        task_queue=attributes.task_queue.name,
        sticky=attributes.task_queue.kind == TASK_QUEUE_KIND_STICKY,
    )


def _workflow_task_started(state: RunState, event: HistoryEvent) -> None:
    attributes = event.workflow_task_started_event_attributes
    task = state.workflow_task
    if task is None:
        return
    task.started_event_id = event.event_id
    task.started_time_ns = timestamp_to_ns(event.event_time)
    task.request_id = attributes.request_id
    task.identity = attributes.identity
    task.worker_version = attributes.worker_version if attributes.HasField("worker_version") else None
    task.history_size_bytes = attributes.history_size_bytes
    task.suggest_continue_as_new_reasons = tuple(attributes.suggest_continue_as_new_reasons)


def _workflow_task_completed(state: RunState, event: HistoryEvent) -> None:
    state.workflow_task = None
    state.workflow_task_attempt = 1
    state.completed_any_workflow_task = True
    attributes = event.workflow_task_completed_event_attributes
    state.previous_started_event_id = attributes.started_event_id
    state.worker_version = attributes.worker_version if attributes.HasField("worker_version") else None
    add_reset_point(state, event)
    add_build_ids(state, attributes.worker_version)


def _workflow_task_failed(state: RunState, event: HistoryEvent) -> None:
    # With stickiness given up, the next task is a normal one; else it is a transient one with the next attempt.
    fail_workflow_task(state, increment_attempt=True)
    attributes = event.workflow_task_failed_event_attributes
    if attributes.cause == WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW:
        state.workflow_task_attempt = 1
        time_ns = timestamp_to_ns(event.event_time)
        for activity in state.activities.values():
            activity.scheduled_time_ns = activity.attempt_scheduled_time_ns = time_ns
        if attributes.new_run_id == state.run_id:
            state.reset_event_id = event.event_id
            begin_again(state, time_ns)


def begin_again(state: RunState, time_ns: int) -> None:
    """Let a run that a reset made count its time from the reset on, with its whole timeouts before it."""
    started = state.started
    state.start_time_ns = time_ns
    state.execution_time_ns = time_ns + duration_to_ns(started.first_workflow_task_backoff)
    execution_timeout_ns = duration_to_ns(started.workflow_execution_timeout)
    if execution_timeout_ns:
        state.execution_expiration_time_ns = time_ns + execution_timeout_ns
    run_timeout_ns = duration_to_ns(started.workflow_run_timeout)
    if run_timeout_ns:
        state.run_expiration_time_ns = time_ns + run_timeout_ns
        if execution_timeout_ns:
            state.run_expiration_time_ns = min(state.run_expiration_time_ns, state.execution_expiration_time_ns)


def _workflow_task_timed_out(state: RunState, event: HistoryEvent) -> None:
    timeout_type = event.workflow_task_timed_out_event_attributes.timeout_type
    fail_workflow_task(state, increment_attempt=timeout_type != TIMEOUT_TYPE_SCHEDULE_TO_START)


def fail_workflow_task(state: RunState, *, increment_attempt: bool) -> None:
    """Drop the pending workflow task; its next attempt starts from the normal queue.

    A failure on the sticky queue does not count as an attempt. Called by the fold, and without an event for a
    transient task.
    """
    if state.sticky_task_queue:
        increment_attempt = False
        state.sticky_task_queue = ""
    state.workflow_task = None
    state.workflow_task_attempt = state.workflow_task_attempt + 1 if increment_attempt else 1


def _activity_task_scheduled(state: RunState, event: HistoryEvent) -> None:
    attributes = event.activity_task_scheduled_event_attributes
    time_ns = timestamp_to_ns(event.event_time)
    size_bytes = attributes.ByteSize()
    state.input_size_bytes += size_bytes
    state.activities[event.event_id] = ActivityInfo(
        scheduled_event_id=event.event_id,
        attributes=attributes,
        scheduled_time_ns=time_ns,
        size_bytes=size_bytes,
        attempt_scheduled_time_ns=time_ns,
    )
    state.activity_ids[attributes.activity_id] = event.event_id


def _activity_task_cancel_requested(state: RunState, event: HistoryEvent) -> None:
    scheduled_event_id = event.activity_task_cancel_requested_event_attributes.scheduled_event_id
    activity = state.activities.get(scheduled_event_id)
    if activity is not None:
        activity.cancel_requested_event_id = event.event_id


def _activity_task_completed(state: RunState, event: HistoryEvent) -> None:
    _drop_activity(state, event.activity_task_completed_event_attributes.scheduled_event_id)


def _activity_task_failed(state: RunState, event: HistoryEvent) -> None:
    _drop_activity(state, event.activity_task_failed_event_attributes.scheduled_event_id)


def _activity_task_timed_out(state: RunState, event: HistoryEvent) -> None:
    _drop_activity(state, event.activity_task_timed_out_event_attributes.scheduled_event_id)


def _activity_task_canceled(state: RunState, event: HistoryEvent) -> None:
    _drop_activity(state, event.activity_task_canceled_event_attributes.scheduled_event_id)


def _drop_activity(state: RunState, scheduled_event_id: int) -> None:
    activity = state.activities.pop(scheduled_event_id, None)
    if activity is None:
        return
    state.input_size_bytes -= activity.size_bytes
    state.progress_size_bytes -= activity.progress_size_bytes
    # The id may belong to another activity by now: a buffered close enters the history after a command that reused it.
    if state.activity_ids.get(activity.activity_id) == scheduled_event_id:
        del state.activity_ids[activity.activity_id]


def _timer_started(state: RunState, event: HistoryEvent) -> None:
    attributes = event.timer_started_event_attributes
    state.timers[attributes.timer_id] = TimerInfo(
        timer_id=attributes.timer_id,
        started_event_id=event.event_id,
        expiry_time_ns=timestamp_to_ns(event.event_time) + duration_to_ns(attributes.start_to_fire_timeout),
    )


def _timer_fired(state: RunState, event: HistoryEvent) -> None:
    attributes = event.timer_fired_event_attributes
    timer = state.timers.get(attributes.timer_id)
    # As with activities, the id may belong to a later timer by now.
    if timer is not None and timer.started_event_id == attributes.started_event_id:
        del state.timers[attributes.timer_id]


def _timer_canceled(state: RunState, event: HistoryEvent) -> None:
    state.timers.pop(event.timer_canceled_event_attributes.timer_id, None)


def _start_child_workflow_execution_initiated(state: RunState, event: HistoryEvent) -> None:
    attributes = event.start_child_workflow_execution_initiated_event_attributes
    size_bytes = attributes.ByteSize()
    state.input_size_bytes += size_bytes
    state.children[event.event_id] = ChildInfo(
        initiated_event_id=event.event_id,
        namespace_id=attributes.namespace_id,
        workflow_id=attributes.workflow_id,
        workflow_type=attributes.workflow_type.name,
        parent_close_policy=attributes.parent_close_policy,
        size_bytes=size_bytes,
        initiated=event,
    )


def _child_workflow_execution_started(state: RunState, event: HistoryEvent) -> None:
    attributes = event.child_workflow_execution_started_event_attributes
    child = state.children.get(attributes.initiated_event_id)
    if child is not None:
        child.started, child.initiated = event, None
        state.input_size_bytes -= child.size_bytes
        child.size_bytes = 0


def _drop_child(event_name: str) -> Callable[[RunState, HistoryEvent], None]:
    def fold(state: RunState, event: HistoryEvent) -> None:
        child = state.children.pop(getattr(event, f"{event_name}_event_attributes").initiated_event_id, None)
        if child is not None:
            state.input_size_bytes -= child.size_bytes

    return fold


def _signal_external_workflow_execution_initiated(state: RunState, event: HistoryEvent) -> None:
    attributes = event.signal_external_workflow_execution_initiated_event_attributes
    state.external_signals[event.event_id] = attributes


def _request_cancel_external_workflow_execution_initiated(state: RunState, event: HistoryEvent) -> None:
    attributes = event.request_cancel_external_workflow_execution_initiated_event_attributes
    state.external_cancels[event.event_id] = attributes


def _drop_external_signal(attributes_field: str) -> Callable[[RunState, HistoryEvent], None]:
    def fold(state: RunState, event: HistoryEvent) -> None:
        state.external_signals.pop(getattr(event, attributes_field).initiated_event_id, None)

    return fold


def _drop_external_cancel(attributes_field: str) -> Callable[[RunState, HistoryEvent], None]:
    def fold(state: RunState, event: HistoryEvent) -> None:
        state.external_cancels.pop(getattr(event, attributes_field).initiated_event_id, None)

    return fold


def _workflow_execution_signaled(state: RunState, event: HistoryEvent) -> None:
    state.signal_count += 1


def _workflow_execution_cancel_requested(state: RunState, event: HistoryEvent) -> None:
    state.cancel_requested = True


def _workflow_execution_options_updated(state: RunState, event: HistoryEvent) -> None:
    attributes = event.workflow_execution_options_updated_event_attributes
    if attributes.HasField("priority"):
        state.priority = attributes.priority
    time_skipping.options_updated(state, event)


def _upsert_workflow_search_attributes(state: RunState, event: HistoryEvent) -> None:
    fields = event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
    state.search_attributes = merge_payloads(state.search_attributes, fields)


def _workflow_properties_modified(state: RunState, event: HistoryEvent) -> None:
    attributes = event.workflow_properties_modified_event_attributes
    if attributes.HasField("upserted_memo"):
        state.memo = merge_payloads(state.memo, attributes.upserted_memo.fields)


def _workflow_execution_update_admitted(state: RunState, event: HistoryEvent) -> None:
    update_id = event.workflow_execution_update_admitted_event_attributes.request.meta.update_id
    state.updates[update_id] = UpdateInfo(update_id, admitted_by_event=True)


def _workflow_execution_update_accepted(state: RunState, event: HistoryEvent) -> None:
    # Admitted by an event, the update has its request there, and its acceptance does not name it by its request.
    update_id = event.workflow_execution_update_accepted_event_attributes.protocol_instance_id
    state.updates[update_id] = UpdateInfo(update_id, accepted_event_id=event.event_id)


def _workflow_execution_update_completed(state: RunState, event: HistoryEvent) -> None:
    update_id = event.workflow_execution_update_completed_event_attributes.meta.update_id
    state.updates.pop(update_id, None)
    state.completed_updates[update_id] = event.event_id


def _close(status: int, attributes_field: str) -> Callable[[RunState, HistoryEvent], None]:
    def fold(state: RunState, event: HistoryEvent) -> None:
        state.status = status
        state.close_time_ns = timestamp_to_ns(event.event_time)
        state.sticky_task_queue = ""
        state.workflow_task = None
        state.new_execution_run_id = getattr(getattr(event, attributes_field), "new_execution_run_id", "")

    return fold


EVOLVE: dict[int, Callable[[RunState, HistoryEvent], None]] = {
    et.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: _workflow_execution_started,
    et.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: _close(
        wf.WORKFLOW_EXECUTION_STATUS_COMPLETED, "workflow_execution_completed_event_attributes"
    ),
    et.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: _close(
        wf.WORKFLOW_EXECUTION_STATUS_FAILED, "workflow_execution_failed_event_attributes"
    ),
    et.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: _close(
        wf.WORKFLOW_EXECUTION_STATUS_TIMED_OUT, "workflow_execution_timed_out_event_attributes"
    ),
    et.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: _close(
        wf.WORKFLOW_EXECUTION_STATUS_TERMINATED, "workflow_execution_terminated_event_attributes"
    ),
    et.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: _close(
        wf.WORKFLOW_EXECUTION_STATUS_CANCELED, "workflow_execution_canceled_event_attributes"
    ),
    et.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: _close(
        wf.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW, "workflow_execution_continued_as_new_event_attributes"
    ),
    et.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: _workflow_task_scheduled,
    et.EVENT_TYPE_WORKFLOW_TASK_STARTED: _workflow_task_started,
    et.EVENT_TYPE_WORKFLOW_TASK_COMPLETED: _workflow_task_completed,
    et.EVENT_TYPE_WORKFLOW_TASK_FAILED: _workflow_task_failed,
    et.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: _workflow_task_timed_out,
    et.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: _activity_task_scheduled,
    et.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED: _activity_task_cancel_requested,
    et.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: _activity_task_completed,
    et.EVENT_TYPE_ACTIVITY_TASK_FAILED: _activity_task_failed,
    et.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: _activity_task_timed_out,
    et.EVENT_TYPE_ACTIVITY_TASK_CANCELED: _activity_task_canceled,
    et.EVENT_TYPE_TIMER_STARTED: _timer_started,
    et.EVENT_TYPE_TIMER_FIRED: _timer_fired,
    et.EVENT_TYPE_TIMER_CANCELED: _timer_canceled,
    et.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: _start_child_workflow_execution_initiated,
    et.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED: _drop_child("start_child_workflow_execution_failed"),
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: _child_workflow_execution_started,
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: _drop_child("child_workflow_execution_completed"),
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: _drop_child("child_workflow_execution_failed"),
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED: _drop_child("child_workflow_execution_canceled"),
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT: _drop_child("child_workflow_execution_timed_out"),
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED: _drop_child("child_workflow_execution_terminated"),
    et.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: _signal_external_workflow_execution_initiated,
    et.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: _drop_external_signal(
        "signal_external_workflow_execution_failed_event_attributes"
    ),
    et.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED: _drop_external_signal(
        "external_workflow_execution_signaled_event_attributes"
    ),
    et.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: (
        _request_cancel_external_workflow_execution_initiated
    ),
    et.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: _drop_external_cancel(
        "request_cancel_external_workflow_execution_failed_event_attributes"
    ),
    et.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED: _drop_external_cancel(
        "external_workflow_execution_cancel_requested_event_attributes"
    ),
    et.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: _workflow_execution_signaled,
    et.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: _workflow_execution_cancel_requested,
    et.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: _workflow_execution_options_updated,
    et.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED: time_skipping.transitioned,
    et.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: _upsert_workflow_search_attributes,
    et.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED: _workflow_properties_modified,
    et.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: _workflow_execution_update_admitted,
    et.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: _workflow_execution_update_accepted,
    et.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: _workflow_execution_update_completed,
}
