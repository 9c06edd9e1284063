"""Durations: conversion, the cap, and Go's way to write them."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from engine.core.policy.durations import (
    cap_duration,
    duration_to_ns,
    ns_to_duration,
    ns_to_timestamp,
    parse_duration_text,
    timestamp_to_ns,
)


@pytest.mark.parametrize(
    ("length_ns", "duration"),
    [
        (0, Duration()),
        (1_500_000_000, Duration(seconds=1, nanos=500_000_000)),
        (-1_500_000_000, Duration(seconds=-1, nanos=-500_000_000)),
    ],
)
def test_nanoseconds_and_durations(length_ns: int, duration: Duration) -> None:
    assert ns_to_duration(length_ns) == duration
    assert duration_to_ns(duration) == length_ns


def test_nanoseconds_and_timestamps() -> None:
    time = Timestamp(seconds=1_700_000_000, nanos=7)
    assert ns_to_timestamp(1_700_000_000_000_000_007) == time
    assert timestamp_to_ns(time) == 1_700_000_000_000_000_007


@pytest.mark.parametrize(
    ("duration", "problem"),
    [
        (Duration(), None),
        (Duration(seconds=5, nanos=1), None),
        (Duration(seconds=-5), "negative duration"),
        (Duration(nanos=-5), "negative duration"),
        (Duration(seconds=5, nanos=-5), "duration has seconds and nanos with different signs"),
        (Duration(seconds=-5, nanos=5), "duration has seconds and nanos with different signs"),
    ],
)
def test_cap_duration_finds_what_is_wrong(duration: Duration, problem: str | None) -> None:
    before = Duration(seconds=duration.seconds, nanos=duration.nanos)
    assert cap_duration(duration) == problem
    assert duration == before


def test_cap_duration_caps_at_100_years() -> None:
    duration = Duration(seconds=100 * 365 * 86400, nanos=1)
    assert cap_duration(duration) is None
    assert duration == Duration(seconds=100 * 365 * 86400)


@pytest.mark.parametrize(
    ("text", "length_ns"),
    [
        ("0", 0),
        ("1h30m", 5400 * 10**9),
        ("-1.5s", -1_500_000_000),
        ("+.5ms", 500_000),
        ("1.000000001s", 1_000_000_001),
        ("3µs", 3000),
        ("1m0.5s", 60_500_000_000),
    ],
)
def test_parse_duration_text(text: str, length_ns: int) -> None:
    assert parse_duration_text(text) == length_ns


@pytest.mark.parametrize("text", ["", "5", "1d", "h", "1 h", "1h-30m", ".s", "1e3s", "-", "9999999h", "1" * 100_000])
def test_parse_duration_text_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration_text(text)
