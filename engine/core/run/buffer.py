"""Buffered events: what arrives while a worker holds the workflow task gets its ids only at the flush.

Rules (temporal server historybuilder/event_store.go):
- Events made from commands, workflow-task events and close events are never buffered.
- A buffered event is folded into the state at once; only its id and place in the history wait.
- At the flush, closes of activities, children and nexus operations come last, the rest keeps its order.
- A start of an activity or child flushed together with its close gives that close its `started_event_id`.
"""

from __future__ import annotations

from temporalio.api.enums.v1 import event_type_pb2 as et
from temporalio.api.history.v1 import HistoryEvent

from engine.core.run.state import RunState

__all__ = ["NEVER_BUFFERED", "has_activity_close", "order_for_flush", "take_timer_fired", "wire_started_event_ids"]

NEVER_BUFFERED = frozenset(
    {
        et.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
        et.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        et.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        et.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        et.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        et.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
        et.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        et.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
        et.EVENT_TYPE_WORKFLOW_TASK_STARTED,
        et.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
        et.EVENT_TYPE_WORKFLOW_TASK_FAILED,
        et.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
        et.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        et.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
        et.EVENT_TYPE_TIMER_STARTED,
        et.EVENT_TYPE_TIMER_CANCELED,
        et.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
        et.EVENT_TYPE_MARKER_RECORDED,
        et.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
        et.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
        et.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        et.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
        et.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED,
        et.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED,
        et.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
        et.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
    }
)

_FLUSHED_LAST = frozenset(
    {
        et.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
        et.EVENT_TYPE_ACTIVITY_TASK_FAILED,
        et.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
        et.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
        et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
        et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
        et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
        et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
        et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED,
        et.EVENT_TYPE_NEXUS_OPERATION_COMPLETED,
        et.EVENT_TYPE_NEXUS_OPERATION_FAILED,
        et.EVENT_TYPE_NEXUS_OPERATION_CANCELED,
        et.EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT,
    }
)

# The attributes field of each close, to wire `started_event_id`.
_ACTIVITY_CLOSES = {
    et.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: "activity_task_completed_event_attributes",
    et.EVENT_TYPE_ACTIVITY_TASK_FAILED: "activity_task_failed_event_attributes",
    et.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: "activity_task_timed_out_event_attributes",
    et.EVENT_TYPE_ACTIVITY_TASK_CANCELED: "activity_task_canceled_event_attributes",
}

_CHILD_CLOSES = {
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: "child_workflow_execution_completed_event_attributes",
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: "child_workflow_execution_failed_event_attributes",
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT: "child_workflow_execution_timed_out_event_attributes",
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED: "child_workflow_execution_canceled_event_attributes",
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED: "child_workflow_execution_terminated_event_attributes",
}


def order_for_flush(buffered: list[HistoryEvent]) -> list[HistoryEvent]:
    """Return the buffered events in the order in which they enter the history."""
    first = [event for event in buffered if event.event_type not in _FLUSHED_LAST]
    if len(first) == len(buffered):
        return buffered
    return first + [event for event in buffered if event.event_type in _FLUSHED_LAST]


def wire_started_event_ids(events: list[HistoryEvent]) -> None:
    """Give each close of an activity or child among `events` the id of the start that precedes it there."""
    started: dict[int, int] = {}
    for event in events:
        if event.event_type == et.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            started[event.activity_task_started_event_attributes.scheduled_event_id] = event.event_id
        elif event.event_type == et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
            started[event.child_workflow_execution_started_event_attributes.initiated_event_id] = event.event_id
        elif started and event.event_type in _ACTIVITY_CLOSES:
            attributes = getattr(event, _ACTIVITY_CLOSES[event.event_type])
            if attributes.scheduled_event_id in started:
                attributes.started_event_id = started[attributes.scheduled_event_id]
        elif started and event.event_type in _CHILD_CLOSES:
            attributes = getattr(event, _CHILD_CLOSES[event.event_type])
            if attributes.initiated_event_id in started:
                attributes.started_event_id = started[attributes.initiated_event_id]


def has_activity_close(buffered: list[HistoryEvent], scheduled_event_id: int) -> bool:
    """Say whether the activity's close waits in the buffer."""
    return any(
        getattr(event, _ACTIVITY_CLOSES[event.event_type]).scheduled_event_id == scheduled_event_id
        for event in buffered
        if event.event_type in _ACTIVITY_CLOSES
    )


def take_timer_fired(state: RunState, timer_id: str) -> HistoryEvent | None:
    """Remove and return the buffered TimerFired of `timer_id`: cancelling a timer wins over its unseen firing."""
    for event in state.buffered:
        if event.event_type == et.EVENT_TYPE_TIMER_FIRED and event.timer_fired_event_attributes.timer_id == timer_id:
            state.buffered = [other for other in state.take_buffered() if other is not event]
            return event
    return None
