"""Activity-task events."""

from __future__ import annotations

from temporalio.api.command.v1 import ScheduleActivityTaskCommandAttributes
from temporalio.api.common.v1 import Payloads, WorkerVersionStamp
from temporalio.api.enums.v1 import event_type_pb2 as et
from temporalio.api.enums.v1.workflow_pb2 import RetryState
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import (
    ActivityTaskCanceledEventAttributes,
    ActivityTaskCancelRequestedEventAttributes,
    ActivityTaskCompletedEventAttributes,
    ActivityTaskFailedEventAttributes,
    ActivityTaskStartedEventAttributes,
    ActivityTaskTimedOutEventAttributes,
    HistoryEvent,
)

_COPIED_FROM_COMMAND = (
    "activity_type",
    "task_queue",
    "header",
    "input",
    "schedule_to_close_timeout",
    "schedule_to_start_timeout",
    "start_to_close_timeout",
    "heartbeat_timeout",
    "retry_policy",
    "priority",
)


def activity_task_scheduled(
    workflow_task_completed_event_id: int, command: ScheduleActivityTaskCommandAttributes
) -> HistoryEvent:
    event = HistoryEvent(event_type=et.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    # Filled in place: a message given to another's constructor is copied, with the whole input.
    attributes = event.activity_task_scheduled_event_attributes
    attributes.activity_id = command.activity_id
    attributes.workflow_task_completed_event_id = workflow_task_completed_event_id
    attributes.use_workflow_build_id = command.use_workflow_build_id
    for name in _COPIED_FROM_COMMAND:
        if command.HasField(name):  # type: ignore[arg-type]
            getattr(attributes, name).CopyFrom(getattr(command, name))
    return event


def activity_task_started(
    scheduled_event_id: int,
    attempt: int,
    request_id: str,
    identity: str,
    last_failure: Failure | None,
    worker_version: WorkerVersionStamp | None,
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_ACTIVITY_TASK_STARTED,
        activity_task_started_event_attributes=ActivityTaskStartedEventAttributes(
            scheduled_event_id=scheduled_event_id,
            attempt=attempt,
            request_id=request_id,
            identity=identity,
            last_failure=last_failure,
            worker_version=worker_version,
        ),
    )


def activity_task_completed(
    scheduled_event_id: int, started_event_id: int, result: Payloads | None, identity: str
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
        activity_task_completed_event_attributes=ActivityTaskCompletedEventAttributes(
            scheduled_event_id=scheduled_event_id, started_event_id=started_event_id, result=result, identity=identity
        ),
    )


def activity_task_failed(
    scheduled_event_id: int,
    started_event_id: int,
    failure: Failure,
    retry_state: RetryState.ValueType,
    identity: str,
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_ACTIVITY_TASK_FAILED,
        activity_task_failed_event_attributes=ActivityTaskFailedEventAttributes(
            scheduled_event_id=scheduled_event_id,
            started_event_id=started_event_id,
            failure=failure,
            retry_state=retry_state,
            identity=identity,
        ),
    )


def activity_task_timed_out(
    scheduled_event_id: int, started_event_id: int, failure: Failure, retry_state: RetryState.ValueType
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
        activity_task_timed_out_event_attributes=ActivityTaskTimedOutEventAttributes(
            scheduled_event_id=scheduled_event_id,
            started_event_id=started_event_id,
            failure=failure,
            retry_state=retry_state,
        ),
    )


def activity_task_cancel_requested(workflow_task_completed_event_id: int, scheduled_event_id: int) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
        activity_task_cancel_requested_event_attributes=ActivityTaskCancelRequestedEventAttributes(
            scheduled_event_id=scheduled_event_id, workflow_task_completed_event_id=workflow_task_completed_event_id
        ),
    )


def activity_task_canceled(
    scheduled_event_id: int,
    started_event_id: int,
    latest_cancel_requested_event_id: int,
    details: Payloads | None,
    identity: str,
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
        activity_task_canceled_event_attributes=ActivityTaskCanceledEventAttributes(
            scheduled_event_id=scheduled_event_id,
            started_event_id=started_event_id,
            latest_cancel_requested_event_id=latest_cancel_requested_event_id,
            details=details,
            identity=identity,
        ),
    )
