"""Read stored events as the bytes that they are on the wire."""

from __future__ import annotations

import sqlite3

__all__ = ["load_event_blobs", "load_event_blobs_reverse"]


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
