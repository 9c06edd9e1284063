"""COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK."""

from __future__ import annotations

from temporalio.api.command.v1 import ScheduleActivityTaskCommandAttributes
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES as BAD_ATTRIBUTES,
)
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED,
    WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID,
)
from temporalio.api.enums.v1.task_queue_pb2 import TASK_QUEUE_KIND_NORMAL, TASK_QUEUE_KIND_UNSPECIFIED
from temporalio.api.history.v1 import HistoryEvent

from engine.core.commands.work import CommandWork
from engine.core.errors import FailWorkflowTask, InvalidArgument
from engine.core.events.activity_task import activity_task_scheduled
from engine.core.policy.durations import duration_to_ns
from engine.core.policy.timeouts import normalize_activity
from engine.core.run import activity_task
from engine.core.run.deadlines import add_activity_deadlines

__all__ = ["apply", "validate"]


def validate(work: CommandWork, attributes: ScheduleActivityTaskCommandAttributes) -> None:
    """Check and normalise (in place) what the activity is to be.

    Raises: FailWorkflowTask(BAD_SCHEDULE_ACTIVITY_ATTRIBUTES | PENDING_ACTIVITIES_LIMIT_EXCEEDED |
        SCHEDULE_ACTIVITY_DUPLICATE_ID).
    Source: command_attr_validator.go ValidateActivityScheduleAttributes.
    """
    state, limits = work.t.state, work.t.context.limits
    try:
        normalize_activity(
            attributes,
            run_timeout_ns=duration_to_ns(state.started.workflow_run_timeout),
            workflow_task_queue=state.task_queue,
            limits=limits,
        )
    except InvalidArgument as error:
        raise FailWorkflowTask(BAD_ATTRIBUTES, error.message) from None
    if attributes.task_queue.kind == TASK_QUEUE_KIND_UNSPECIFIED:
        attributes.task_queue.kind = TASK_QUEUE_KIND_NORMAL
    work.check_blob_size(
        attributes.input.ByteSize(), BAD_ATTRIBUTES, "ScheduleActivityTaskCommandAttributes.Input exceeds size limit."
    )
    work.check_pending(
        len(state.activities),
        limits.pending_activities_error,
        "pending activities",
        WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED,
    )
    if attributes.activity_id in state.activity_ids:
        work.refuse_in_this_state(
            WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID,
            "add-activitytask-scheduled-event",
            f"ActivityID: {attributes.activity_id}",
        )


def apply(work: CommandWork, attributes: ScheduleActivityTaskCommandAttributes) -> HistoryEvent:
    """Schedule the activity; on the completing worker itself if it asked for that.

    Emits: event ActivityTaskScheduled; effect EnqueueActivityTask unless it is eager.
    """
    t = work.t
    event = t.add(activity_task_scheduled(work.workflow_task_completed_event_id, attributes))
    activity = t.state.activities[event.event_id]
    t.activities[activity.scheduled_event_id] = True
    add_activity_deadlines(t.state, activity)
    if attributes.request_eager_execution and t.context.limits.eager_activities:
        work.eager_activities.append(activity.scheduled_event_id)
    else:
        activity_task.enqueue(t, activity)
    return event
