"""Histories for tests: events by the name of their attributes, with an id and a time each."""

from __future__ import annotations

import json
from typing import Any

from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.history.v1 import HistoryEvent

from durable_cli.tui.feed.events import EventReader
from durable_cli.tui.history.groups import History
from durable_cli.tui.history.run_book import RunBook

START_NS = 1_700_000_000 * 1_000_000_000
SECOND_NS = 1_000_000_000

BOOM = Failure(message="no money", application_failure_info=ApplicationFailureInfo(type="Declined"))


def values(*items: Any) -> Payloads:
    return Payloads(payloads=[value(item) for item in items])


def value(item: Any) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(item).encode())


class Story:
    """Builds a history; each call adds an event, so many seconds after the start.

    `after`: the last event of what was told before.
    """

    def __init__(self, after: int = 0) -> None:
        self.events: list[HistoryEvent] = []
        self._after = after

    def add(self, name: str, at: float | None = None, *, label: str = "", **attributes: Any) -> int:
        """Add an event by the name of its attributes, such as `timer_started`, and return its id."""
        event = HistoryEvent(event_id=self._after + len(self.events) + 1)
        after_ns = round((len(self.events) if at is None else at) * SECOND_NS)
        event.event_time.FromNanoseconds(START_NS + after_ns)
        field = getattr(event, f"{name}_event_attributes")
        field.SetInParent()
        field.MergeFrom(type(field)(**attributes))
        if label:
            event.user_metadata.summary.CopyFrom(value(label))
        self.events.append(event)
        return event.event_id

    def start(self, **attributes: Any) -> Story:
        self.add("workflow_execution_started", workflow_type={"name": "Order"}, **attributes)
        return self

    def task(self) -> int:
        """Add a workflow task that is completed."""
        scheduled = self.add("workflow_task_scheduled")
        started = self.add("workflow_task_started", scheduled_event_id=scheduled)
        return self.add("workflow_task_completed", scheduled_event_id=scheduled, started_event_id=started)

    def schedule(self, name: str, *arguments: Any, activity_id: str = "1", at: float | None = None) -> int:
        return self.add(
            "activity_task_scheduled",
            at,
            activity_type={"name": name},
            activity_id=activity_id,
            input=values(*arguments),
        )

    def complete(self, scheduled: int, result: Any = None, *, attempt: int = 1, at: float | None = None) -> int:
        started = self.add("activity_task_started", at, scheduled_event_id=scheduled, attempt=attempt)
        return self.add(
            "activity_task_completed",
            at,
            scheduled_event_id=scheduled,
            started_event_id=started,
            result=values(result),
        )

    def history(self) -> History:
        history = History()
        history.take(*EventReader().read(self.events))
        return history

    def book(self) -> RunBook:
        book = RunBook()
        book.take_events(*EventReader().read(self.events), START_NS)
        return book
