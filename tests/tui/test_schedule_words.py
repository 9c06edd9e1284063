"""When a schedule acts: in words, and counted by the hours of a week."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from durable_cli.tui.place_messages import ScheduleDescribed
from durable_cli.tui.schedules.rows import Calendar, Interval, Spec
from durable_cli.tui.schedules.spec_words import spec_words
from durable_cli.tui.schedules.week import count_week
from tests.tui.conftest import screen_text
from tests.tui.scenes import Scene, playing
from tests.tui.scenes.places import DETAIL, schedule

ALL = tuple(range(60))
HOURS = tuple(range(24))
WORKDAYS = tuple(range(1, 6))
MONDAY = date(2026, 6, 1)


def calendars(*each: Calendar, **fields: object) -> Spec:
    return Spec(calendars=each, **fields)  # type: ignore[arg-type]


def stamp(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1e9)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (Spec(), "never by itself"),
        (Spec(intervals=(Interval(10),)), "every 10s"),
        (Spec(intervals=(Interval(5400, 300),)), "every 1h30m, 5m past"),
        (calendars(Calendar(minute=(30,), hour=(2,))), "daily at 02:30"),
        (calendars(Calendar(hour=(9, 13, 17), day_of_week=WORKDAYS)), "Mon-Fri at 09:00, 13:00, 17:00"),
        (calendars(Calendar(hour=(9,), day_of_week=(0, 6))), "Sat, Sun at 09:00"),
        (calendars(Calendar(hour=(6,), second=(0, 30))), "daily at 06:00:00, 06:00:30"),
        (calendars(Calendar(day_of_month=(1, 15))), "on days 1, 15 at 00:00"),
        (calendars(Calendar(day_of_month=(1,), month=(1, 4, 7, 10))), "Jan, Apr, Jul, Oct on day 1 at 00:00"),
        (
            calendars(Calendar(day_of_month=(24,), month=(12,), year=(2026, 2027, 2028))),
            "2026-2028 Dec on day 24 at 00:00",
        ),
        (calendars(Calendar(hour=HOURS)), "every 1h"),
        (calendars(Calendar(hour=HOURS, minute=(5,))), "every 1h at :05"),
        (calendars(Calendar(hour=tuple(range(0, 24, 2)), minute=(30,))), "every 2h at :30"),
        (calendars(Calendar(hour=tuple(range(8, 18)))), "every 1h, hours 8-17"),
        (calendars(Calendar(hour=HOURS, minute=ALL)), "every 1m"),
        (calendars(Calendar(hour=HOURS, minute=(0, 15, 30, 45))), "every 15m"),
        (calendars(Calendar(hour=HOURS, minute=(7, 22, 37, 52))), "every 15m, 7m past"),
        (calendars(Calendar(hour=HOURS, minute=(0, 10))), ":00, :10 of every hour"),
        (
            calendars(Calendar(hour=tuple(range(9, 18)), minute=(0, 30), day_of_week=WORKDAYS)),
            "Mon-Fri, every 30m, hours 9-17",
        ),
        (calendars(Calendar(hour=HOURS, minute=ALL, second=tuple(range(0, 60, 20)))), "every 20s"),
        (calendars(Calendar(hour=(4,), minute=ALL, second=(1, 5))), "seconds 1, 5 of every minute, hour 4"),
        (calendars(Calendar(hour=(4,)), time_zone="Europe/Berlin"), "daily at 04:00, time of Europe/Berlin"),
        (
            Spec(intervals=(Interval(60),), excluded=(Calendar(hour=(3,), day_of_week=(0,)),)),
            "every 1m, not Sun at 03:00",
        ),
        (Spec((Calendar(hour=(4,)),), (Interval(3600),)), "every 1h and daily at 04:00"),
    ],
)
def test_words(spec: Spec, words: str) -> None:
    assert spec_words(spec) == words


def test_an_hour_has_as_many_times_as_match() -> None:
    week = count_week(calendars(Calendar(hour=(9, 17), minute=(0, 30), day_of_week=WORKDAYS)), MONDAY, UTC)
    assert week is not None
    assert [(day, hour) for day in range(7) for hour in range(24) if week[day][hour]] == [
        (day, hour) for day in range(5) for hour in (9, 17)
    ]
    assert {count for day in week for count in day} == {0, 2}


def test_times_that_two_parts_name_are_counted_once() -> None:
    spec = Spec((Calendar(hour=HOURS, minute=(0,)),), (Interval(1800),))
    week = count_week(spec, MONDAY, UTC)
    assert week == [[2] * 24] * 7


def test_an_interval_goes_on_over_hours_and_days() -> None:
    week = count_week(Spec(intervals=(Interval(5400, 60),)), MONDAY, UTC)
    assert week is not None
    assert week[0][:6] == [1, 1, 0, 1, 1, 0]
    assert sum(map(sum, week)) == 7 * 24 * 3600 // 5400


def test_what_is_excluded_is_not_counted() -> None:
    spec = Spec(intervals=(Interval(60),), excluded=(Calendar(minute=tuple(range(30)), hour=(3,)),))
    week = count_week(spec, MONDAY, UTC)
    assert week is not None
    assert week[0][2:5] == [60, 30, 60]


def test_nothing_is_before_the_start_and_behind_the_end() -> None:
    spec = Spec(
        intervals=(Interval(600),), start_time_ns=stamp(2026, 6, 1, 5, 20), end_time_ns=stamp(2026, 6, 1, 6, 20)
    )
    week = count_week(spec, MONDAY, UTC)
    assert week is not None
    assert week[0][4:8] == [0, 4, 3, 0]
    assert sum(map(sum, week)) == 7


def test_a_time_zone_moves_the_hours_with_its_summer() -> None:
    spec = calendars(Calendar(hour=(12,)), time_zone="Europe/Berlin")
    week = count_week(spec, date(2026, 3, 26), UTC)
    assert week is not None
    assert [day.index(1) for day in week] == [11, 11, 11, 10, 10, 10, 10]


def test_hours_of_a_zone_that_is_off_by_half_an_hour() -> None:
    week = count_week(calendars(Calendar(hour=(9,))), MONDAY, ZoneInfo("Asia/Kolkata"))
    assert week is not None
    assert week[0].index(1) == 14


def test_a_zone_that_is_not_known_has_no_week() -> None:
    assert count_week(calendars(Calendar(), time_zone="Nowhere/At_All"), MONDAY, UTC) is None


async def test_a_field_that_has_no_room_takes_no_other_away(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = (("overlap", "skip"), ("memo", "x" * 80), ("started", "1,204"))
    async with playing(Scene("schedule", schedule), (80, 24), "", monkeypatch) as still:
        await still.tell(ScheduleDescribed(DETAIL._replace(fields=fields)))
        await still.settle()
        assert "overlap skip   started 1,204" in screen_text(still.app)
