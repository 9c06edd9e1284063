"""Times and spans as a browser shows them: short, aligned, and in local time."""

from __future__ import annotations

import time
from datetime import datetime

__all__ = ["ahead", "clock", "now_ns", "rough_span", "short_span", "since"]

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60))


def now_ns() -> int:
    """Return the time of this machine, in nanoseconds since the epoch."""
    return time.time_ns()


def short_span(nanoseconds: int) -> str:
    """Write a span with its two largest units: 3d04h, 2m05s, 1.24s, 12ms."""
    seconds = nanoseconds / 1e9
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f}ms"
    if seconds < 60:
        return f"{seconds:.2f}s"
    rest = round(seconds)
    for index, (unit, size) in enumerate(_UNITS):
        if rest >= size:
            smaller, smaller_size = (*_UNITS, ("s", 1))[index + 1]
            return f"{rest // size}{unit}{rest % size // smaller_size:02}{smaller}"
    return f"{rest}s"


def rough_span(nanoseconds: int) -> str:
    """Write a span that goes on: as `short_span`, in whole seconds."""
    return short_span(nanoseconds) if nanoseconds >= 60 * 1_000_000_000 else f"{max(nanoseconds, 0) // 1_000_000_000}s"


def since(time_ns: int, reference_ns: int) -> str:
    """Say how long ago a time was: `now`, `12s`, `3m`, `5h`, `2d`."""
    seconds = (reference_ns - time_ns) // 1_000_000_000
    if seconds < 1:
        return "now"
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{seconds // size}{unit} ago"
    return f"{seconds}s ago"


def ahead(time_ns: int, reference_ns: int) -> str:
    """Say in how long a time is: `now`, `in 12s`, `in 3m`, `in 5h`, `in 2d`."""
    seconds = -((reference_ns - time_ns) // 1_000_000_000)
    if seconds < 1:
        return "now"
    for unit, size in _UNITS:
        if seconds >= size:
            return f"in {seconds // size}{unit}"
    return f"in {seconds}s"


def clock(time_ns: int, *, with_date: bool = False) -> str:
    """Write a time of the day in local time, to the millisecond."""
    moment = datetime.fromtimestamp(time_ns / 1e9)
    text = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}"
    return f"{moment:%Y-%m-%d} {text}" if with_date else text
