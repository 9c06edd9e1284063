"""When a schedule acts, in a few words: `daily at 02:30`, `Mon-Fri at 09:00, 13:00`, `every 1h, 5m past`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from durable_cli.tui.schedules.rows import Calendar, Interval, Spec

__all__ = ["exact_span", "spec_words"]

WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ANY = Calendar()
ALL_SIXTY, ALL_HOURS = tuple(range(60)), tuple(range(24))
LISTED_TIMES = 6
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def exact_span(seconds: float) -> str:
    """Write a span with all of its units: 1h30m, 10s."""
    rest = round(seconds)
    text = ""
    for size, unit in _UNITS:
        if rest >= size:
            text += f"{rest // size}{unit}"
            rest %= size
    return text or f"{seconds:g}s"


def spec_words(spec: Spec) -> str:
    """Say when a schedule acts."""
    parts = [*map(_interval_words, spec.intervals), *map(_calendar_words, spec.calendars)]
    words = " and ".join(dict.fromkeys(parts)) or "never by itself"
    if spec.time_zone and spec.calendars:
        words += f", time of {spec.time_zone}"
    if spec.excluded:
        words += ", not " + " or ".join(_calendar_words(each) for each in spec.excluded)
    if spec.start_time_ns:
        words += f", from {_moment(spec.start_time_ns)}"
    if spec.end_time_ns:
        words += f", until {_moment(spec.end_time_ns)}"
    return words


def _moment(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns / 1e9, UTC).astimezone():%Y-%m-%d %H:%M}"


def _interval_words(interval: Interval) -> str:
    words = f"every {exact_span(interval.every_seconds)}"
    return f"{words}, {exact_span(interval.phase_seconds)} past" if interval.phase_seconds else words


def _calendar_words(calendar: Calendar) -> str:
    days, times = _day_words(calendar), _time_words(calendar)
    if times.startswith("at "):
        return f"{days or 'daily'} {times}"
    return f"{days}, {times}" if days else times


def _day_words(calendar: Calendar) -> str:
    parts = []
    if calendar.year:
        parts.append(_list(calendar.year, str))
    if calendar.month != ANY.month:
        parts.append(_list(calendar.month, MONTHS.__getitem__))
    if calendar.day_of_month != ANY.day_of_month:
        plural = "days" if len(calendar.day_of_month) > 1 else "day"
        parts.append(f"on {plural} {_list(calendar.day_of_month, str)}")
    if calendar.day_of_week != ANY.day_of_week:
        # A week begins on Monday for whoever reads Sat, Sun.
        days = sorted(calendar.day_of_week, key=lambda day: (day - 1) % 7)
        positions = [(day - 1) % 7 for day in days]
        parts.append(_list(positions, lambda position: WEEKDAYS[(position + 1) % 7]))
    return " ".join(parts)


def _time_words(calendar: Calendar) -> str:
    seconds, minutes, hours = calendar.second, calendar.minute, calendar.hour
    if len(seconds) * len(minutes) * len(hours) <= LISTED_TIMES:
        times = [(hour, minute, second) for hour in hours for minute in minutes for second in seconds]
        return "at " + ", ".join(_clock(*time, with_seconds=seconds != (0,)) for time in times)
    if len(minutes) == 1 and seconds == (0,):
        return _hourly_words(minutes[0], hours)
    if seconds == (0,):
        often = _often(minutes, "m") or f"{_list(minutes, lambda minute: f':{minute:02}')} of every hour"
    elif minutes == ALL_SIXTY:
        often = _often(seconds, "s") or f"seconds {_list(seconds, str)} of every minute"
    else:
        often = f"seconds {_list(seconds, str)} of minutes {_list(minutes, str)}"
    return often if hours == ALL_HOURS else f"{often}, {_hour_words(hours)}"


def _hourly_words(minute: int, hours: Sequence[int]) -> str:
    past = f" at :{minute:02}" if minute else ""
    if hours == ALL_HOURS:
        return f"every 1h{past}"
    step = _step(hours, 24)
    if step and hours[0] == 0:
        return f"every {step}h{past}"
    return f"every 1h{past}, {_hour_words(hours)}"


def _hour_words(hours: Sequence[int]) -> str:
    return f"hours {_list(hours, str)}" if len(hours) > 1 else f"hour {hours[0]}"


def _often(values: Sequence[int], unit: str) -> str:
    """Say `every 15m` of values that come round and round with the same step; else nothing."""
    if len(values) == 60:
        return f"every 1{unit}"
    step = _step(values, 60)
    if not step:
        return ""
    return f"every {step}{unit}" + (f", {values[0]}{unit} past" if values[0] else "")


def _step(values: Sequence[int], turn: int) -> int:
    if len(values) < 2 or turn % len(values):
        return 0
    step = turn // len(values)
    return step if list(values) == list(range(values[0], turn, step)) else 0


def _list(values: Sequence[int], name: Callable[[int], str]) -> str:
    """List values; three and more in a row are a range."""
    parts = []
    start = 0
    for index in range(1, len(values) + 1):
        if index < len(values) and values[index] == values[index - 1] + 1:
            continue
        run = values[start:index]
        parts += [f"{name(run[0])}-{name(run[-1])}"] if len(run) > 2 else [name(value) for value in run]
        start = index
    return ", ".join(parts)


def _clock(hour: int, minute: int, second: int, *, with_seconds: bool) -> str:
    return f"{hour:02}:{minute:02}:{second:02}" if with_seconds else f"{hour:02}:{minute:02}"
