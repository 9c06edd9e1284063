"""A history as rows."""

from __future__ import annotations

from collections.abc import Iterable

from temporalio.api.history.v1 import HistoryEvent

from durable_cli.output.event_text import Names, name_event, summarize_event
from durable_cli.tui.feed.from_protos import timestamp_ns
from durable_cli.tui.rows import EventRow

__all__ = ["EventReader"]


class EventReader:
    """Makes a row of each event that it has not seen; events come in their order."""

    def __init__(self) -> None:
        self._names = Names()
        self._last_event_id = 0

    def read(self, events: Iterable[HistoryEvent]) -> list[EventRow]:
        """Return the rows of the new ones among `events`."""
        rows = []
        for event in events:
            if event.event_id <= self._last_event_id:
                continue
            self._last_event_id = event.event_id
            self._names.note(event)
            rows.append(
                EventRow(
                    event.event_id,
                    timestamp_ns(event.event_time),
                    name_event(event),
                    " ".join(summarize_event(event, self._names).split()),
                    event.SerializeToString(),
                )
            )
        return rows
