"""A history as rows."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from temporalio.api.history.v1 import HistoryEvent

from durable_cli.output.event_text import Names, name_event, summarize_event
from durable_cli.tui.feed.from_protos import timestamp_ns
from durable_cli.tui.feed.steps import make_step
from durable_cli.tui.history.steps import Step
from durable_cli.tui.lines import show_controls
from durable_cli.tui.rows import EventRow

__all__ = ["EventReader"]


class EventReader:
    """Makes a row and a step of each event that it has not seen; events come in their order."""

    def __init__(self) -> None:
        self._names = Names()
        self._admitted: dict[str, int] = {}
        self._last_event_id = 0

    def read(self, events: Iterable[HistoryEvent]) -> tuple[list[EventRow], list[Step]]:
        """Return the rows and the steps of the new ones among `events`."""
        rows, steps = [], []
        for event in events:
            if event.event_id <= self._last_event_id:
                continue
            self._last_event_id = event.event_id
            self._names.note(event)
            name = sys.intern(name_event(event))
            steps.append(make_step(event, name, self._admitted))
            rows.append(
                EventRow(
                    event.event_id,
                    timestamp_ns(event.event_time),
                    name,
                    show_controls(" ".join(summarize_event(event, self._names).split())),
                    event.SerializeToString(),
                )
            )
        return rows, steps
