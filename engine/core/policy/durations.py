"""Convert and check the protocol's durations and times; the engine counts both in whole nanoseconds.

An unset Duration is zero everywhere. Above 100 years a duration is capped, not refused.
"""

from __future__ import annotations

import re

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

NANOS_PER_SECOND = 1_000_000_000
MAX_DURATION_SECONDS = 100 * 365 * 24 * 3600
MAX_DURATION_NS = MAX_DURATION_SECONDS * NANOS_PER_SECOND

_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": NANOS_PER_SECOND,
    "m": 60 * NANOS_PER_SECOND,
    "h": 3600 * NANOS_PER_SECOND,
}
_LONGEST_NS = 2**63 - 1
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_TEXT = re.compile(rf"([+-]?)(0|(?:{_PART.pattern})+)")


def duration_to_ns(duration: Duration) -> int:
    """Return a duration's length in nanoseconds."""
    return duration.seconds * NANOS_PER_SECOND + duration.nanos


def ns_to_duration(length_ns: int) -> Duration:
    """Build the Duration of so many nanoseconds; a negative one has both parts negative, as the protocol wants."""
    seconds, nanos = divmod(abs(length_ns), NANOS_PER_SECOND)
    return Duration(seconds=seconds, nanos=nanos) if length_ns >= 0 else Duration(seconds=-seconds, nanos=-nanos)


def timestamp_to_ns(time: Timestamp) -> int:
    """Return a time as nanoseconds since 1970 (UTC)."""
    return time.seconds * NANOS_PER_SECOND + time.nanos


def ns_to_timestamp(time_ns: int) -> Timestamp:
    """Build the Timestamp of so many nanoseconds since 1970 (UTC)."""
    seconds, nanos = divmod(time_ns, NANOS_PER_SECOND)
    return Timestamp(seconds=seconds, nanos=nanos)


def cap_duration(duration: Duration) -> str | None:
    """Cap `duration` in place and return what is wrong with it, or None.

    Source: every duration of a request or a command is checked this way; the caller names the field.
    """
    if (duration.seconds > 0 and duration.nanos < 0) or (duration.seconds < 0 and duration.nanos > 0):
        return "duration has seconds and nanos with different signs"
    length_ns = duration_to_ns(duration)
    if length_ns < 0:
        return "negative duration"
    if length_ns > MAX_DURATION_NS:
        duration.seconds = MAX_DURATION_SECONDS
        duration.nanos = 0
    return None


def parse_duration_text(text: str) -> int:
    """Return the nanoseconds of a duration as Go writes it: 1h30m, -1.5s, 250ms, or 0.

    Raises:
        ValueError: anything else, also a number without its unit, or above 292 years.
    """
    whole = _TEXT.fullmatch(text)
    if whole is None:
        raise ValueError(f"not a duration: {text!r}")
    length_ns = sum(_part_ns(number, _UNIT_NS[unit]) for number, unit in _PART.findall(whole[2]))
    if length_ns > _LONGEST_NS:
        raise ValueError(f"not a duration: {text!r} is too long")
    return -length_ns if whole[1] == "-" else length_ns


def _part_ns(number: str, unit_ns: int) -> int:
    whole, _, fraction = number.partition(".")
    return int(whole or 0) * unit_ns + (int(fraction) * unit_ns // 10 ** len(fraction) if fraction else 0)
