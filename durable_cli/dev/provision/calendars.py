"""Cron expressions and the server's calendars, as the sets of values that both stand for."""

from __future__ import annotations

from collections.abc import Iterable

from croniter import croniter
from temporalio.api.schedule.v1 import Range, StructuredCalendarSpec

__all__ = ["Times", "expand_calendar", "expand_cron"]

Times = tuple[tuple[int, ...], ...]
"""The values, ascending, of second, minute, hour, day of month, month, year (none is any) and day of week."""

_ANY = (range(60), range(24), range(1, 32), range(1, 13), range(7))


def expand_cron(expression: str) -> Times:
    """Return the values of a cron expression."""
    fields, _ = croniter.expand(expression)
    minute, hour, day, month, weekday = (
        _ascending(every if field == ["*"] else (value for value in field if isinstance(value, int)))
        for field, every in zip(fields, _ANY, strict=True)
    )
    return ((0,), minute, hour, day, month, (), weekday)


def expand_calendar(calendar: StructuredCalendarSpec) -> Times:
    """Return the values of a calendar as the server describes it."""
    return (
        _expand(calendar.second),
        _expand(calendar.minute),
        _expand(calendar.hour),
        _expand(calendar.day_of_month),
        _expand(calendar.month),
        _expand(calendar.year),
        _ascending(day % 7 for day in _expand(calendar.day_of_week)),
    )


def _expand(ranges: Iterable[Range]) -> tuple[int, ...]:
    """An end that is not given is the start, and so is a step of one."""
    return _ascending(
        value for part in ranges for value in range(part.start, max(part.start, part.end) + 1, part.step or 1)
    )


def _ascending(values: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(values)))
