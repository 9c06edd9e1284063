"""Schedules as plain rows."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ActionRow", "Calendar", "Interval", "ScheduleDetail", "ScheduleRow", "Spec"]


class Calendar(NamedTuple):
    """Times by their fields: of each the values that match, ascending; no year is any year."""

    second: tuple[int, ...] = (0,)
    minute: tuple[int, ...] = (0,)
    hour: tuple[int, ...] = (0,)
    day_of_month: tuple[int, ...] = tuple(range(1, 32))
    month: tuple[int, ...] = tuple(range(1, 13))
    year: tuple[int, ...] = ()
    day_of_week: tuple[int, ...] = tuple(range(7))
    """From Sunday."""


class Interval(NamedTuple):
    """Times that are `phase_seconds` behind a whole number of intervals since the epoch."""

    every_seconds: int
    phase_seconds: int = 0


class Spec(NamedTuple):
    """When a schedule acts; 0 is no bound."""

    calendars: tuple[Calendar, ...] = ()
    intervals: tuple[Interval, ...] = ()
    excluded: tuple[Calendar, ...] = ()
    start_time_ns: int = 0
    end_time_ns: int = 0
    jitter_seconds: float = 0
    time_zone: str = ""
    """Empty is UTC."""


class ActionRow(NamedTuple):
    """What a schedule has done: it started a run."""

    schedule_time_ns: int
    actual_time_ns: int
    workflow_id: str
    run_id: str
    status: int


class ScheduleRow(NamedTuple):
    """One schedule in the list; the newest action is the last one."""

    schedule_id: str
    spec: Spec
    workflow_type: str
    is_paused: bool
    notes: str
    next_times_ns: tuple[int, ...]
    actions: tuple[ActionRow, ...]


class ScheduleDetail(NamedTuple):
    """One schedule, with all that the server says of it."""

    row: ScheduleRow
    workflow_id: str
    task_queue: str
    arguments: str
    argument_json: str | None
    """The only argument, or the empty text when there is none; None when there are several or it is not JSON."""
    overlap: str
    fields: tuple[tuple[str, str], ...]
    """Further labels and values."""
