"""Read what the examples have left on the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle

Answer = TypeVar("Answer")


async def load_events(handle: WorkflowHandle[Any, Any]) -> list[HistoryEvent]:
    """Return a workflow's history."""
    return list((await handle.fetch_history()).events)


def types_of(events: Sequence[HistoryEvent]) -> list[str]:
    """Return the events' types: `WorkflowExecutionStarted`, and so on."""
    return ["".join(word.capitalize() for word in EventType.Name(event.event_type).split("_")[2:]) for event in events]


def events_of(events: Sequence[HistoryEvent], event_type: str) -> list[HistoryEvent]:
    """Return the events of one type."""
    return [event for event, each in zip(events, types_of(events), strict=True) if each == event_type]


def scheduled_activities(events: Sequence[HistoryEvent]) -> list[str]:
    """Return the types of the activities, in the order in which they were scheduled."""
    return [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in events_of(events, "ActivityTaskScheduled")
    ]


def closed_activities(events: Sequence[HistoryEvent]) -> list[tuple[str, str, int]]:
    """Return each activity's type, how it closed and at which attempt, in the order in which they closed."""
    closed = []
    for event, event_type in zip(events, types_of(events), strict=True):
        if event_type in ("ActivityTaskCompleted", "ActivityTaskFailed"):
            attributes = getattr(event, str(event.WhichOneof("attributes")))
            scheduled = events[attributes.scheduled_event_id - 1].activity_task_scheduled_event_attributes
            started = events[attributes.started_event_id - 1].activity_task_started_event_attributes
            closed.append((scheduled.activity_type.name, event_type.removeprefix("ActivityTask"), started.attempt))
    return closed


async def poll(ask: Callable[[], Awaitable[Answer]], is_wanted: Callable[[Answer], bool]) -> Answer:
    """Ask until the answer is the wanted one, and return it."""
    while True:
        answer = await ask()
        if is_wanted(answer):
            return answer
        await asyncio.sleep(0.05)
