"""What the screens show, as small plain rows: no protos, so that tens of thousands of them stay small."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["EventRow", "PendingWork", "RunRow", "RunSummary"]


class RunRow(NamedTuple):
    """One run in the list. Times are nanoseconds since the epoch, 0 when there is none."""

    workflow_id: str
    run_id: str
    workflow_type: str
    status: int
    start_time_ns: int
    close_time_ns: int
    task_queue: str
    history_length: int


class EventRow(NamedTuple):
    """One event: what the history's line shows, and the event itself as bytes for whoever opens it."""

    event_id: int
    event_time_ns: int
    name: str
    summary: str
    serialized: bytes


class PendingWork(NamedTuple):
    """Something that a run waits for, in words; `is_trouble` when it fails again and again."""

    what: str
    state: str
    is_trouble: bool = False


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run is, and what it waits for."""

    row: RunRow
    fields: tuple[tuple[str, str], ...] = ()
    pending: tuple[PendingWork, ...] = field(default_factory=tuple)
