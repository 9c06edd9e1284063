"""How often a schedule acts in each hour of the coming week.

It is counted from the spec, since a server lists no more than a thousand times. A quarter of an hour is the unit,
because no time zone is off by less; each quarter's seconds are the bits of a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from durable_cli.tui.schedules.rows import Calendar, Spec

__all__ = ["DAYS", "HOURS", "count_week", "find_zone"]

DAYS, HOURS = 7, 24
QUARTER_SECONDS = 900


def find_zone(name: str) -> tzinfo | None:
    """Return a time zone by its name; None when this machine does not know it."""
    from zoneinfo import ZoneInfo

    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None


def count_week(spec: Spec, first_day: date, zone: tzinfo | None = None) -> list[list[int]] | None:
    """Count the times of each hour of seven days.

    Args:
        first_day: where the week begins.
        zone: the time zone of the hours; None is this machine's.

    Returns:
        By day, by hour; None when the spec's time zone is not known here.
    """
    spec_zone = find_zone(spec.time_zone)
    if spec_zone is None:
        return None
    counts = []
    for day in range(DAYS):
        starts = [_stamp(first_day + timedelta(days=day), hour, zone) for hour in range(HOURS)]
        starts.append(_stamp(first_day + timedelta(days=day + 1), 0, zone))
        counts.append([_count(spec, spec_zone, starts[hour], starts[hour + 1]) for hour in range(HOURS)])
    return counts


def _stamp(day: date, hour: int, zone: tzinfo | None) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=zone).timestamp())


def _count(spec: Spec, zone: tzinfo, start: int, end: int) -> int:
    return sum(_seconds(spec, zone, quarter).bit_count() for quarter in range(start, end, QUARTER_SECONDS))


def _seconds(spec: Spec, zone: tzinfo, quarter: int) -> int:
    """Return the seconds of a quarter of an hour that match, as bits."""
    moment = datetime.fromtimestamp(quarter, zone)
    found = 0
    for calendar in spec.calendars:
        found |= _calendar_bits(calendar, moment)
    for interval in spec.intervals:
        if interval.every_seconds > 0:
            offset = (interval.phase_seconds - quarter) % interval.every_seconds
            found |= _repeated_bits(offset, interval.every_seconds)
    for calendar in spec.excluded if found else ():
        found &= ~_calendar_bits(calendar, moment)
    if spec.start_time_ns:
        found &= ~0 << min(max(0, -(-spec.start_time_ns // 1_000_000_000) - quarter), QUARTER_SECONDS)
    if spec.end_time_ns:
        found &= (1 << min(max(0, spec.end_time_ns // 1_000_000_000 + 1 - quarter), QUARTER_SECONDS)) - 1
    return found


def _calendar_bits(calendar: Calendar, moment: datetime) -> int:
    if (
        moment.hour not in calendar.hour
        or moment.isoweekday() % 7 not in calendar.day_of_week
        or moment.day not in calendar.day_of_month
        or moment.month not in calendar.month
        or (calendar.year and moment.year not in calendar.year)
    ):
        return 0
    return _minute_bits(calendar.minute, calendar.second, moment.minute)


@lru_cache(maxsize=256)
def _minute_bits(minutes: Sequence[int], seconds: Sequence[int], first_minute: int) -> int:
    within = (minute - first_minute for minute in minutes if first_minute <= minute < first_minute + 15)
    return sum(1 << (minute * 60 + second) for minute in within for second in seconds)


@lru_cache(maxsize=1024)
def _repeated_bits(offset: int, every: int) -> int:
    return sum(1 << second for second in range(offset, QUARTER_SECONDS, every))
