"""Times and durations as a person reads them."""

from __future__ import annotations

from datetime import datetime, timedelta

from google.protobuf.duration_pb2 import Duration

__all__ = ["format_duration", "format_relative"]

_UNITS = [
    ("year", 365 * 86400),
    ("month", 30 * 86400),
    ("week", 7 * 86400),
    ("day", 86400),
    ("hour", 3600),
    ("minute", 60),
    ("second", 1),
]


def format_relative(moment: datetime, now: datetime) -> str:
    """Say how long ago, or in how long, a moment is."""
    seconds = (now - moment).total_seconds()
    for unit, unit_seconds in _UNITS:
        count = int(abs(seconds) // unit_seconds)
        if count:
            amount = f"{count} {unit}{'s' if count > 1 else ''}"
            return f"{amount} ago" if seconds > 0 else f"in {amount}"
    return "now"


def format_duration(duration: Duration | timedelta) -> str:
    """Format a duration as a person writes it: 90 s is 1m30s."""
    span = duration.ToTimedelta() if isinstance(duration, Duration) else duration
    seconds = span.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 60:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + "s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return "".join(f"{count}{unit}" for count, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if count)
