"""Cron schedules: what is valid, and the wait until the next run."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from engine.core.errors import InvalidArgument
from engine.core.policy.cron import next_cron_backoff, validate_cron_spec
from engine.core.policy.durations import NANOS_PER_SECOND

SECOND = NANOS_PER_SECOND


def ns(text: str) -> int:
    """Nanoseconds since 1970 of a UTC time."""
    time = datetime.fromisoformat(text + "+00:00")
    return int(time.timestamp()) * SECOND + time.microsecond * 1000


def runs(spec: str, start: str, count: int) -> list[str]:
    """The next times after `start` (UTC) that the schedule names."""
    times = []
    time_ns = ns(start)
    for _ in range(count):
        backoff_ns = next_cron_backoff(spec, time_ns, time_ns)
        assert backoff_ns is not None
        time_ns = (time_ns + backoff_ns) // SECOND * SECOND
        times.append((datetime(1970, 1, 1) + timedelta(seconds=time_ns // SECOND)).isoformat())
    return times


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "* * * * *",
        "? ? ? ? ?",
        "*/15 0-6,20 1,15 jan-JUN/2 Mon-fri",
        "5/20 * * * *",
        "+5 * * * *",
        "@hourly",
        "@yearly",
        "@every 1h30m",
        "@every 1ms",
        "CRON_TZ=America/New_York 0 9 * * *",
        "TZ=UTC @daily",
        "TZ= 0 0 * * *",
        "  0 0  * * *  ",
    ],
)
def test_valid(spec: str) -> None:
    validate_cron_spec(spec, ns("2024-01-01T00:00:00"))


@pytest.mark.parametrize(
    "spec",
    [
        "bad",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 7",
        "jan * * * *",
        "5-1 * * * *",
        "1-2-3 * * * *",
        "*/0 * * * *",
        "1/2/3 * * * *",
        "-1 * * * *",
        "@never",
        "@every",
        "@every 5",
        "@every -",
        "CRON_TZ=Nowhere/Land 0 0 * * *",
        "CRON_TZ=../etc/passwd 0 0 * * *",
        "CRON_TZ=UTC",
        f"{'9' * 5000} * * * *",
    ],
)
def test_invalid(spec: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        validate_cron_spec(spec, ns("2024-01-01T00:00:00"))
    assert raised.value.message == "invalid CronSchedule."
    assert next_cron_backoff(spec, 0, 0) is None


@pytest.mark.parametrize("spec", ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", ", * * * *"])
def test_a_schedule_that_never_comes(spec: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        validate_cron_spec(spec, ns("2024-01-01T00:00:00"))
    assert raised.value.message == "invalid CronSchedule, no time can be found to satisfy the schedule"
    assert next_cron_backoff(spec, 0, 0) is None


@pytest.mark.parametrize(
    ("spec", "start", "expected"),
    [
        ("*/20 * * * *", "2024-01-01T00:00:00", ["2024-01-01T00:20:00", "2024-01-01T00:40:00", "2024-01-01T01:00:00"]),
        ("5/20 * * * *", "2024-01-01T00:00:00", ["2024-01-01T00:05:00", "2024-01-01T00:25:00", "2024-01-01T00:45:00"]),
        ("0 9 * * mon-fri", "2024-01-05T10:00:00", ["2024-01-08T09:00:00", "2024-01-09T09:00:00"]),
        ("0 0 29 2 *", "2024-03-01T00:00:00", ["2028-02-29T00:00:00"]),
        ("@monthly", "2024-01-31T00:00:00", ["2024-02-01T00:00:00", "2024-03-01T00:00:00"]),
        ("@weekly", "2024-01-01T00:00:00", ["2024-01-07T00:00:00", "2024-01-14T00:00:00"]),
        ("@every 90s", "2024-01-01T00:00:00", ["2024-01-01T00:01:30", "2024-01-01T00:03:00"]),
        ("@every 1.7s", "2024-01-01T00:00:00", ["2024-01-01T00:00:01", "2024-01-01T00:00:02"]),
        # both day fields restricted: either; a step of 1 is no restriction
        ("0 12 13 * fri", "2024-01-11T00:00:00", ["2024-01-12T12:00:00", "2024-01-13T12:00:00", "2024-01-19T12:00:00"]),
        ("0 12 */2 * fri", "2024-01-11T00:00:00", ["2024-01-11T12:00:00", "2024-01-12T12:00:00"]),
        ("0 12 1-31 * fri", "2024-01-13T00:00:00", ["2024-01-13T12:00:00"]),
        ("0 12 */1 * fri", "2024-01-13T00:00:00", ["2024-01-19T12:00:00"]),
        ("0 12 *,5 * fri", "2024-01-13T00:00:00", ["2024-01-19T12:00:00"]),
        # the clock change skips 02:30 on 10 March, and shows 01:30 twice on 3 November
        (
            "CRON_TZ=America/New_York 30 2 * * *",
            "2024-03-09T00:00:00",
            ["2024-03-09T07:30:00", "2024-03-11T06:30:00"],
        ),
        (
            "CRON_TZ=America/New_York */30 1 * * *",
            "2024-11-02T12:00:00",
            [
                "2024-11-03T05:00:00",
                "2024-11-03T05:30:00",
                "2024-11-03T06:00:00",
                "2024-11-03T06:30:00",
                "2024-11-04T06:00:00",
            ],
        ),
        ("TZ=Asia/Kolkata 0 0 * * *", "2024-01-01T00:00:00", ["2024-01-01T18:30:00"]),
    ],
)
def test_times(spec: str, start: str, expected: list[str]) -> None:
    assert runs(spec, start, len(expected)) == expected


@pytest.mark.parametrize(
    ("spec", "scheduled", "now", "expected_seconds"),
    [
        ("* * * * *", "2024-01-01T00:00:00", "2024-01-01T00:00:00", 60),
        ("* * * * *", "2024-01-01T00:00:00", "2024-01-01T00:00:00.4", 60),  # rounded up
        ("* * * * *", "2024-01-01T00:00:00", "2024-01-01T00:00:59.999", 1),
        ("* * * * *", "2024-01-01T00:00:00", "2024-01-01T00:01:00", 0),
        ("* * * * *", "2024-01-01T00:00:00", "2024-01-01T05:17:10", 50),  # missed runs are not made up for
        ("* * * * *", "2024-01-01T00:10:00", "2024-01-01T00:00:00", 600),  # not before its own start
        ("@every 1m", "2024-01-01T00:00:20", "2024-01-01T00:00:50", 30),
        ("@every 1m", "2024-01-01T00:00:20.7", "2024-01-01T00:00:50", 30),
        ("@every 1m", "2024-01-01T00:00:20", "2024-01-03T00:00:25", 55),
        ("@every 1m", "2024-01-01T00:00:20", "2024-01-03T00:00:20", 0),
    ],
)
def test_backoff(spec: str, scheduled: str, now: str, expected_seconds: int) -> None:
    assert next_cron_backoff(spec, ns(scheduled), ns(now)) == expected_seconds * SECOND


def test_no_schedule_has_no_backoff() -> None:
    assert next_cron_backoff("", 0, 0) is None
