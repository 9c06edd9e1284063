"""Which events were written together: a reset can only go on after the last one of a batch.

Rules (temporal server historybuilder/event_store.go):
- What one transition writes is one batch. All of it has one time, the events that were held back an earlier one, and no
  later batch has either; only an `ActivityTaskStarted` has the time of the start, and is written with the close.
- The Scheduled and Started of a workflow task's further attempt are a batch of their own, written at its end.
- An eager start writes its first workflow task with it.
- A WorkflowTaskStarted ends its batch, except for one that a reset writes, only to fail it.
"""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.api.enums.v1 import event_type_pb2 as et
from temporalio.api.history.v1 import HistoryEvent

from engine.core.policy.durations import timestamp_to_ns

__all__ = ["INLINE_REQUEST_ID", "RESET_REQUEST_ID", "ends_batch"]

INLINE_REQUEST_ID = "request-from-RespondWorkflowTaskCompleted"
"""The request id of a workflow task that starts in the completion of the one before it."""

RESET_REQUEST_ID = "emptyUuid"
"""The request id of a workflow task that starts in a reset, which fails it."""


def ends_batch(events: Sequence[HistoryEvent], following: Sequence[HistoryEvent]) -> bool:
    """Say whether the last of `events`, the first ones of a history, is the last of its batch.

    Args:
        following: the one or two events after it, as many as there are.
    """
    last, following_event = events[-1], following[0]
    if last.event_type == et.EVENT_TYPE_ACTIVITY_TASK_STARTED:
        return False
    if last.event_type == et.EVENT_TYPE_WORKFLOW_TASK_STARTED:
        return last.workflow_task_started_event_attributes.request_id != RESET_REQUEST_ID
    if following_event.event_type == et.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
        if following_event.workflow_task_scheduled_event_attributes.attempt > 1:
            return True
    elif following_event.event_type == et.EVENT_TYPE_WORKFLOW_TASK_STARTED:
        if events[0].workflow_execution_started_event_attributes.eager_execution_accepted and len(events) == 2:
            return False
        attempt = last.workflow_task_scheduled_event_attributes.attempt
        inline = following_event.workflow_task_started_event_attributes.request_id == INLINE_REQUEST_ID
        return attempt <= 1 and not inline
    elif following_event.event_type == et.EVENT_TYPE_ACTIVITY_TASK_STARTED:
        following_event = following[-1]
    latest_ns = max(timestamp_to_ns(event.event_time) for event in events)
    return timestamp_to_ns(following_event.event_time) > latest_ns
