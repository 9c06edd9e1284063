"""Read stored events as the bytes that they are on the wire."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from temporalio.api.history.v1 import HistoryEvent

__all__ = ["load_event_blobs", "load_event_blobs_reverse", "load_events_of"]


def load_event_blobs(
    connection: sqlite3.Connection, run_key: int, first_event_id: int, next_event_id: int
) -> list[bytes]:
    """Return the serialized events [first_event_id, next_event_id) of a run, in order."""
    rows = connection.execute(
        "SELECT data FROM events WHERE run_key = ? AND event_id >= ? AND event_id < ? ORDER BY event_id",
        (run_key, first_event_id, next_event_id),
    )
    return [row[0] for row in rows]


def load_event_blobs_reverse(
    connection: sqlite3.Connection, run_key: int, last_event_id: int, limit: int
) -> list[bytes]:
    """Return up to `limit` serialized events from `last_event_id` downwards."""
    rows = connection.execute(
        "SELECT data FROM events WHERE run_key = ? AND event_id <= ? ORDER BY event_id DESC LIMIT ?",
        (run_key, last_event_id, limit),
    )
    return [row[0] for row in rows]


def load_events_of(
    connection: sqlite3.Connection, run_key: int, first_event_id: int, event_types: Iterable[int]
) -> Iterator[HistoryEvent]:
    """Yield the events of some types from `first_event_id` on, in order."""
    types = ", ".join(str(int(event_type)) for event_type in event_types)
    rows = connection.execute(
        f"SELECT data FROM events WHERE run_key = ? AND event_id >= ? AND event_type IN ({types}) ORDER BY event_id",
        (run_key, first_event_id),
    )
    for (data,) in rows:
        yield HistoryEvent.FromString(data)
