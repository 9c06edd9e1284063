"""What the screens show, as small plain rows: no protos, so that tens of thousands of them stay small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from durable_cli.tui.lines import Line

__all__ = [
    "Ending",
    "EventRow",
    "PendingActivity",
    "PendingCallback",
    "PendingNexusOperation",
    "PendingTask",
    "RunRow",
    "RunSummary",
]


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


class PendingActivity(NamedTuple):
    """What the server knows of an activity that is not over, beyond its history."""

    activity_id: str
    activity_type: str
    state: int
    attempt: int
    maximum_attempts: int = 0
    last_failure: str = ""
    started_time_ns: int = 0
    next_time_ns: int = 0
    expiration_time_ns: int = 0
    heartbeat: str = ""
    heartbeat_time_ns: int = 0
    worker_identity: str = ""
    is_paused: bool = False
    pause: str = ""
    """Who paused it and why."""
    pause_reason: str = ""


class PendingTask(NamedTuple):
    """A workflow task that is not over."""

    attempt: int
    scheduled_time_ns: int
    started_time_ns: int = 0


class PendingNexusOperation(NamedTuple):
    """What the server knows of a Nexus operation that is not over, beyond its history."""

    scheduled_event_id: int
    endpoint: str
    operation: str
    attempt: int
    last_failure: str = ""
    next_time_ns: int = 0
    blocked_reason: str = ""


class PendingCallback(NamedTuple):
    """Someone who is told when the run ends, and has not been told."""

    target: str
    state: str
    attempt: int
    last_failure: str = ""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run is, and what the server is waiting for."""

    row: RunRow
    fields: tuple[tuple[str, str], ...] = ()
    """Labels and values, the most important first."""
    summary: str = ""
    details: str = ""
    """What the starter said that it is, for people."""
    activities: tuple[PendingActivity, ...] = ()
    workflow_task: PendingTask | None = None
    nexus_operations: tuple[PendingNexusOperation, ...] = ()
    callbacks: tuple[PendingCallback, ...] = ()
    is_cancel_requested: bool = False
    pause: str = ""
    """Who paused it and why."""
    expiration_time_ns: int = 0
    parent: tuple[str, str] = ("", "")
    root: tuple[str, str] = ("", "")
    first_run_id: str = ""
    reset_run_id: str = ""
    """The run that goes on from a reset of this one."""


class Ending(NamedTuple):
    """What came of something that took its time: in a few words, as lines to read, and as the same lines uncut."""

    words: str
    lines: Sequence[Line] = ()
    whole_lines: Sequence[Line] = ()
    is_trouble: bool = False
    refusal: str = ""
    """Why nothing has happened at all."""
