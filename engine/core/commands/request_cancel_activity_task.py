"""COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK."""

from __future__ import annotations

from temporalio.api.command.v1 import RequestCancelActivityTaskCommandAttributes
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES as BAD_ATTRIBUTES,
)
from temporalio.api.history.v1 import HistoryEvent

from engine.core.commands.work import CommandWork
from engine.core.errors import FailWorkflowTask
from engine.core.events.activity_task import activity_task_cancel_requested
from engine.core.run import activity_task
from engine.core.run.buffer import has_activity_close

__all__ = ["apply", "validate"]


def validate(work: CommandWork, attributes: RequestCancelActivityTaskCommandAttributes) -> None:
    """Check that the activity is pending (or its close still buffered) and was not cancelled before.

    Raises: FailWorkflowTask(BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES).
    """
    state, scheduled_event_id = work.t.state, attributes.scheduled_event_id
    if scheduled_event_id <= 0:
        raise FailWorkflowTask(BAD_ATTRIBUTES, "ScheduledEventId is not set on RequestCancelActivityTaskCommand.")
    activity = state.activities.get(scheduled_event_id)
    gone = activity is None and not has_activity_close(state.buffered, scheduled_event_id)
    if gone or (activity is not None and activity.cancel_requested_event_id):
        work.refuse_in_this_state(
            BAD_ATTRIBUTES, "add-activitytask-cancel-requested-event", f"ScheduledEventID: {scheduled_event_id}"
        )


def apply(work: CommandWork, attributes: RequestCancelActivityTaskCommandAttributes) -> HistoryEvent:
    """Ask a started activity to stop (its next heartbeat says so); close an unstarted one at once.

    Emits: event ActivityTaskCancelRequested, and ActivityTaskCanceled for an attempt that no worker has.
    """
    t, scheduled_event_id = work.t, attributes.scheduled_event_id
    event = t.add(activity_task_cancel_requested(work.workflow_task_completed_event_id, scheduled_event_id))
    activity = t.state.activities.get(scheduled_event_id)
    if activity is not None:
        if activity.started:
            t.activities[scheduled_event_id] = True
        else:
            activity_task.cancel_unstarted(t, activity, work.identity)
            work.unstarted_activity_canceled = True
    return event
