"""`cron_schedule`: which texts are valid, and how long until the next run.

Five fields (minute hour day-of-month month day-of-week), the descriptors @hourly … @yearly, and `@every 1h30m`;
`CRON_TZ=` or `TZ=` before them names the time zone, UTC without one. Where both day fields are restricted, either
may match; `*/2` restricts, `*/1` does not. A local time that a clock change skips does not occur, one that it
repeats occurs twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from engine.core.errors import InvalidArgument
from engine.core.policy.durations import NANOS_PER_SECOND, parse_duration_text

_MAX_YEARS_AHEAD = 5
_LONGEST_CLOCK_CHANGE = timedelta(hours=3)

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_DAYS_OF_WEEK = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, _MONTHS),
    (0, 6, _DAYS_OF_WEEK),
)
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = "@every "


class _BadSpecError(Exception):
    """The text is no cron schedule."""


@dataclass(frozen=True, slots=True)
class _Every:
    """Run at a constant distance, on whole seconds."""

    delay_ns: int


@dataclass(frozen=True, slots=True)
class _Calendar:
    """Run at the times that any of the (plain, five-field) expressions matches in the time zone."""

    expressions: tuple[str, ...]
    zone: tzinfo


def validate_cron_spec(spec: str, now_ns: int) -> None:
    """Check a `cron_schedule`; the empty one is valid and means none.

    Raises:
        InvalidArgument: not a cron schedule, or one that never comes (30 February).
    """
    if not spec:
        return
    try:
        schedule = _parse(spec)
    except _BadSpecError:
        raise InvalidArgument("invalid CronSchedule.") from None
    if _next_time_ns(schedule, now_ns) is None:
        raise InvalidArgument("invalid CronSchedule, no time can be found to satisfy the schedule")


def next_cron_backoff(spec: str, scheduled_time_ns: int, now_ns: int) -> int | None:
    """Return how long to wait for the next run: nanoseconds, in whole seconds rounded up.

    Args:
        scheduled_time_ns: when the present run was to start (nanoseconds since 1970); the next comes after it, and
            not before `now_ns`.

    Returns:
        None without a valid spec, or when nothing matches within five years.
    """
    if not spec:
        return None
    try:
        schedule = _parse(spec)
    except _BadSpecError:
        return None
    if now_ns < scheduled_time_ns:
        next_ns: int | None = scheduled_time_ns
    elif isinstance(schedule, _Every):
        first_ns = _next_time_ns(schedule, scheduled_time_ns)
        assert first_ns is not None
        missed = max(0, -(-(now_ns - first_ns) // schedule.delay_ns))
        next_ns = first_ns + missed * schedule.delay_ns
    else:
        next_ns = _next_time_ns(schedule, max(scheduled_time_ns, now_ns - 1))
    if next_ns is None:
        return None
    return -(-(next_ns - now_ns) // NANOS_PER_SECOND) * NANOS_PER_SECOND


@lru_cache(maxsize=256)
def _parse(spec: str) -> _Every | _Calendar:
    zone: tzinfo = UTC
    if spec.startswith(("TZ=", "CRON_TZ=")):
        zone_text, separator, spec = spec.partition(" ")
        if not separator:
            raise _BadSpecError
        zone = _load_zone(zone_text.partition("=")[2])
        spec = spec.strip()
    if spec.startswith(_EVERY):
        try:
            delay_ns = parse_duration_text(spec.removeprefix(_EVERY))
        except ValueError:
            raise _BadSpecError from None
        return _Every(max(delay_ns, NANOS_PER_SECOND) // NANOS_PER_SECOND * NANOS_PER_SECOND)
    if spec.startswith("@"):
        if spec not in _DESCRIPTORS:
            raise _BadSpecError
        spec = _DESCRIPTORS[spec]
    texts = spec.split()
    if len(texts) != len(_FIELDS):
        raise _BadSpecError
    parsed = [_parse_field(text, *bounds) for text, bounds in zip(texts, _FIELDS, strict=True)]
    if not all(values for values, _ in parsed):
        return _Calendar((), zone)
    plain = [
        "*" if len(values) == high - low + 1 else ",".join(map(str, sorted(values)))
        for (values, _), (low, high, _) in zip(parsed, _FIELDS, strict=True)
    ]
    minute, hour, day, month, day_of_week = plain
    if parsed[2][1] or parsed[4][1]:
        return _Calendar((f"{minute} {hour} {day} {month} {day_of_week}",), zone)
    either = (f"{minute} {hour} {day} {month} *", f"{minute} {hour} * {month} {day_of_week}")
    return _Calendar(either, zone)


def _load_zone(name: str) -> tzinfo:
    if name in ("", "UTC"):
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # not a name, a folder's name, unknown
        raise _BadSpecError from None


def _parse_field(text: str, low: int, high: int, names: dict[str, int]) -> tuple[set[int], bool]:
    """Return the numbers that the field matches, and whether it is a star, which restricts nothing."""
    values: set[int] = set()
    star = False
    for part in filter(None, text.split(",")):
        part_values, part_star = _parse_range(part, low, high, names)
        values |= part_values
        star = star or part_star
    return values, star


def _parse_range(text: str, low: int, high: int, names: dict[str, int]) -> tuple[set[int], bool]:
    range_text, slash, step_text = text.partition("/")
    first, *rest = range_text.split("-")
    star = first in ("*", "?")
    if star:
        start, end = low, high
    elif len(rest) > 1:
        raise _BadSpecError
    else:
        start = end = _parse_number(first, names)
        if rest:
            end = _parse_number(rest[0], names)
    step = 1
    if slash:
        step = _parse_number(step_text, {})
        if not rest:
            end = high
    if start < low or end > high or start > end or step == 0:
        raise _BadSpecError
    return set(range(start, end + 1, step)), star and step == 1


def _parse_number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not re.fullmatch(r"\+?[0-9]{1,9}", text):
        raise _BadSpecError
    return int(text)


def _next_time_ns(schedule: _Every | _Calendar, after_ns: int) -> int | None:
    """Return the first time after `after_ns`, on a whole second, or None within five years."""
    after_seconds = after_ns // NANOS_PER_SECOND
    if isinstance(schedule, _Every):
        return after_seconds * NANOS_PER_SECOND + schedule.delay_ns
    after = datetime.fromtimestamp(after_seconds, UTC)
    times = [time for each in schedule.expressions if (time := _next_match(each, schedule.zone, after)) is not None]
    return round(min(times).timestamp()) * NANOS_PER_SECOND if times else None


def _next_match(expression: str, zone: tzinfo, after: datetime) -> datetime | None:
    """Return the first instant after `after` whose local time the expression matches."""
    local = after.astimezone(zone)
    repeated = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
    start = local.replace(tzinfo=None, fold=0) - (_LONGEST_CLOCK_CHANGE if repeated else timedelta())
    best: datetime | None = None
    for match in _local_matches(expression, start):
        instants = _instants(match, zone)
        for instant in instants:
            if instant > after and (best is None or instant < best):
                best = instant
        if instants and instants[0] > after:
            return best
    return best


def _local_matches(expression: str, start: datetime) -> Iterator[datetime]:
    """Yield the local times after `start` that the expression matches, as far as the fifth year after."""
    from croniter import CroniterError, croniter

    try:
        matches = croniter(expression, start, ret_type=datetime, max_years_between_matches=_MAX_YEARS_AHEAD + 1)
        while (match := matches.get_next()).year <= start.year + _MAX_YEARS_AHEAD:
            yield match
    except CroniterError:
        return


def _instants(local: datetime, zone: tzinfo) -> list[datetime]:
    """Return when a clock in the zone shows this local time: once, never or twice, in order."""
    instants = []
    for fold in (0, 1):
        instant = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None, fold=0) == local and instant not in instants:
            instants.append(instant)
    return instants
