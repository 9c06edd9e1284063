"""Task tokens: which task a worker's answer is for, with the stamp that tells a stale answer.

A token is opaque to workers. It carries the run's key for the look-up and its run id as proof, since another database
file may use the same key for another run.
"""

from __future__ import annotations

import struct
from struct import Struct
from typing import NamedTuple

from engine.core.errors import InvalidArgument

__all__ = ["ActivityTaskToken", "QueryTaskToken", "WorkflowTaskToken"]

_WORKFLOW = Struct(">cQ16sQQIQ")
_ACTIVITY = Struct(">cQ16sQI")
_QUERY = Struct(">cQ16s")


def _run_id_bytes(run_id: str) -> bytes:
    return bytes.fromhex(run_id.replace("-", ""))


def _run_id_text(raw: bytes) -> str:
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _unpack(layout: Struct, kind: bytes, token: bytes) -> tuple[int, ...]:
    try:
        fields = layout.unpack(token)
    except struct.error:
        fields = (b"",)
    # SQLite knows no key above 63 bits; no token of ours has one.
    if fields[0] != kind or fields[1] >= 1 << 63:
        raise InvalidArgument("Error deserializing task token.")
    return fields[1:]


class WorkflowTaskToken(NamedTuple):
    """Token of a started workflow task; `started_time_ns` tells it from one before a crash with the same event ids."""

    run_key: int
    run_id: str
    scheduled_event_id: int
    started_event_id: int
    attempt: int
    started_time_ns: int

    def encode(self) -> bytes:
        return _WORKFLOW.pack(
            b"w",
            self.run_key,
            _run_id_bytes(self.run_id),
            self.scheduled_event_id,
            self.started_event_id,
            self.attempt,
            self.started_time_ns,
        )

    @classmethod
    def decode(cls, token: bytes) -> WorkflowTaskToken:
        """Read a token back.

        Raises:
            InvalidArgument: not a workflow-task token of this server.
        """
        key, run_id, scheduled, started, attempt, time_ns = _unpack(_WORKFLOW, b"w", token)
        return cls(key, _run_id_text(run_id), scheduled, started, attempt, time_ns)  # type: ignore[arg-type]


class ActivityTaskToken(NamedTuple):
    """Token of a started activity attempt."""

    run_key: int
    run_id: str
    scheduled_event_id: int
    attempt: int

    def encode(self) -> bytes:
        return _ACTIVITY.pack(b"a", self.run_key, _run_id_bytes(self.run_id), self.scheduled_event_id, self.attempt)

    @classmethod
    def decode(cls, token: bytes) -> ActivityTaskToken:
        """Read a token back.

        Raises:
            InvalidArgument: not an activity-task token of this server.
        """
        key, run_id, scheduled, attempt = _unpack(_ACTIVITY, b"a", token)
        return cls(key, _run_id_text(run_id), scheduled, attempt)  # type: ignore[arg-type]


class QueryTaskToken(NamedTuple):
    """Token of a query that was sent to a worker by itself; `query_id` names the waiter."""

    run_key: int
    query_id: str

    def encode(self) -> bytes:
        return _QUERY.pack(b"q", self.run_key, _run_id_bytes(self.query_id))

    @classmethod
    def decode(cls, token: bytes) -> QueryTaskToken:
        """Read a token back.

        Raises:
            InvalidArgument: not a query-task token of this server.
        """
        key, query_id = _unpack(_QUERY, b"q", token)
        return cls(key, _run_id_text(query_id))  # type: ignore[arg-type]
