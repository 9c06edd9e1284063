"""User-timer events."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import event_type_pb2 as et
from temporalio.api.history.v1 import (
    HistoryEvent,
    TimerCanceledEventAttributes,
    TimerFiredEventAttributes,
    TimerStartedEventAttributes,
)


def timer_started(
    timer_id: str, start_to_fire_timeout: Duration | None, workflow_task_completed_event_id: int
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_TIMER_STARTED,
        timer_started_event_attributes=TimerStartedEventAttributes(
            timer_id=timer_id,
            start_to_fire_timeout=start_to_fire_timeout,
            workflow_task_completed_event_id=workflow_task_completed_event_id,
        ),
    )


def timer_fired(timer_id: str, started_event_id: int) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_TIMER_FIRED,
        timer_fired_event_attributes=TimerFiredEventAttributes(timer_id=timer_id, started_event_id=started_event_id),
    )


def timer_canceled(
    timer_id: str, started_event_id: int, workflow_task_completed_event_id: int, identity: str
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_TIMER_CANCELED,
        timer_canceled_event_attributes=TimerCanceledEventAttributes(
            timer_id=timer_id,
            started_event_id=started_event_id,
            workflow_task_completed_event_id=workflow_task_completed_event_id,
            identity=identity,
        ),
    )
