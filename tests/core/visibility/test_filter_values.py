"""Times and durations in list filters."""

from __future__ import annotations

import pytest

from engine.core.visibility.filter_values import parse_duration_ns, parse_time_ns

SECOND = 10**9
DAY = 86_400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1e-9),
        ("1970-01-01T00:00:00,25Z", 0.25),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T19:30:00-04:30", 0),
        ("2024-02-29T12:00:00Z", 1_709_208_000),
        ("0001-01-01T00:00:00Z", -719_162 * DAY),
        ("0000-12-31T00:00:00Z", -719_163 * DAY),
        ("0000-03-01T00:00:00Z", -719_468 * DAY),
        ("0000-01-01T00:00:00Z", -719_528 * DAY),
        ("9999-12-31T23:59:59Z", 253_402_300_799),
    ],
)
def test_times(text: str, seconds: float) -> None:
    assert parse_time_ns(text) == round(seconds * SECOND)


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01t00:00:00z"),
        *("2024-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-1-01T00:00:00Z"),
        *("2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z", "2024-01-01T00:00:00+25:00"),
    ],
)
def test_no_times(text: str) -> None:
    assert parse_time_ns(text) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("90", 90e-9), ("-5", -5e-9), ("0", 0), ("+0", 0), ("1h30m", 5400), ("-1.5h", -5400), ("+5s", 5)),
        *(("1d", DAY), ("1.5d12h", 2 * DAY), ("300ms", 0.3), (".5s", 0.5), ("5.s", 5), ("7us", 7e-6), ("7µs", 7e-6)),
        *(("7ns", 7e-9), ("01:02:03", 3723), ("1:2:3", 3723), ("100:00:00", 360_000)),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration_ns(text) == round(seconds * SECOND)


@pytest.mark.parametrize(
    "text", ["", "x", "1w", "h", "1h-5m", " 1h", "1:2", "01:60:00", "00:00:60", "-01:00:00", "9999999999h", "9" * 30]
)
def test_no_durations(text: str) -> None:
    assert parse_duration_ns(text) is None
