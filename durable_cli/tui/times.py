"""Times and spans as a browser shows them: short, aligned, and in local time.

What time it is, is the server's to say: a local server's clock may have been moved, or stand.
"""

from __future__ import annotations

import time
from datetime import datetime

__all__ = [
    "ahead",
    "clock",
    "clock_stands",
    "coarse_span",
    "here_ns",
    "moved_ns",
    "now_ns",
    "rough_span",
    "set_server_clock",
    "short_span",
    "since",
]

NANOSECONDS = 1_000_000_000
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60))


class _ServerClock:
    """How the clock of the server that is browsed differs from this machine's."""

    ahead_ns = 0
    stands_at_ns = 0


def set_server_clock(ahead_ns: int = 0, *, stands_at_ns: int = 0) -> None:
    """Go by a clock that is ahead of this machine's, or that stands at a time."""
    _ServerClock.ahead_ns, _ServerClock.stands_at_ns = ahead_ns, stands_at_ns


def now_ns() -> int:
    """Return the time of the server, in nanoseconds since the epoch."""
    return _ServerClock.stands_at_ns or time.time_ns() + _ServerClock.ahead_ns


def here_ns() -> int:
    """Return the time of this machine: of people, and of workers and their polls, which no skip makes older."""
    return time.time_ns()


def clock_stands() -> bool:
    """Return whether no time passes for the server."""
    return bool(_ServerClock.stands_at_ns)


def moved_ns() -> int:
    """Return how far the server's clock is ahead of this machine's."""
    stands_at_ns = _ServerClock.stands_at_ns
    return stands_at_ns - time.time_ns() if stands_at_ns else _ServerClock.ahead_ns


def short_span(nanoseconds: int) -> str:
    """Write a span with its two largest units: 3d04h, 2m05s, 1.24s, 12ms."""
    seconds = nanoseconds / 1e9
    if seconds < 0.9995:  # else it would be rounded to 1000ms, and below to 60.00s
        return f"{max(seconds, 0) * 1000:.0f}ms"
    if seconds < 59.995:
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


def coarse_span(nanoseconds: int) -> str:
    """Write a span that goes on with its largest unit alone: 41s, 2m, 5h, 3d."""
    seconds = max(0, nanoseconds) // NANOSECONDS
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= size), ("s", 1))
    return f"{seconds // size}{unit}"


def since(time_ns: int, reference_ns: int) -> str:
    """Say how long ago a time was: `now`, `12s`, `3m`, `5h`, `2d`."""
    return "now" if reference_ns - time_ns < NANOSECONDS else f"{coarse_span(reference_ns - time_ns)} ago"


def ahead(time_ns: int, reference_ns: int) -> str:
    """Say in how long a time is: `now`, `in 12s`, `in 3m`, `in 5h`, `in 2d`."""
    seconds = -((reference_ns - time_ns) // NANOSECONDS)
    return "now" if seconds < 1 else f"in {coarse_span(seconds * NANOSECONDS)}"


def clock(time_ns: int, *, with_date: bool = False) -> str:
    """Write a time of the day in local time, to the millisecond."""
    moment = datetime.fromtimestamp(time_ns / 1e9)
    text = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}"
    return f"{moment:%Y-%m-%d} {text}" if with_date else text
