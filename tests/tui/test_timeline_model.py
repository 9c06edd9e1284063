"""The time axis and the bars on it, drawn as text."""

from __future__ import annotations

from itertools import pairwise

import pytest

from durable_cli.tui.history.axis import Axis, Span, fit_live, list_ticks, tick_label, zoom
from durable_cli.tui.history.bars import Bar, Look, Part, draw_bar, find_bar, find_bar_then
from durable_cli.tui.history.moment import group_then
from durable_cli.tui.history.run_book import RunBook
from durable_cli.tui.rows import PendingActivity, RunRow, RunSummary
from tests.tui.histories import SECOND_NS, START_NS, Story

MS = 1_000_000
DAY = 86_400 * SECOND_NS


def draw(
    *parts: tuple[float, float, str], attempts: tuple[float, ...] = (), span: tuple[float, float] = (0, 10)
) -> str:
    bar = Bar(
        tuple(Part(round(start * 100), round(end * 100), look) for start, end, look in parts),
        tuple(round(time * 100) for time in attempts),
    )
    axis = Axis(Span(round(span[0] * 100), round(span[1] * 100)), 10)
    return "".join(cell.char for cell in draw_bar(bar, axis))


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (draw((2, 5, Look.RUN)), "  ━━━     "),
        (draw((2, 5.5, Look.RUN)), "  ━━━╸    "),
        (draw((2.5, 5, Look.RUN)), "  ╺━━     "),
        (draw((2, 2.01, Look.RUN)), "  ╸       "),
        (draw((10, 10, Look.RUN)), "         ╺"),
        (draw((0, 3, Look.WAIT), (3, 6, Look.RUN)), "───━━━    "),
        (draw((0, 3.5, Look.WAIT), (3.5, 6, Look.RUN)), "───╼━━    "),
        (draw((0, 4, Look.RETRY), (4, 7, Look.RUN), attempts=(2, 4)), "╌╌╋╌╋━━   "),
        (draw((1, 4, Look.TIMER), (4, 20, Look.AHEAD)), " ╍╍╍┈┈┈┈┈┈"),
        (draw((3, 3, Look.MOMENT)), "   ◆      "),
        (draw((10, 10, Look.MOMENT)), "         ◆"),
        (draw((0, 100, Look.RUN)), "━━━━━━━━━━"),
        (draw((0, 3, Look.RUN), span=(5, 15)), "◂         "),
        (draw((20, 30, Look.RUN)), "         ▸"),
    ],
)
def test_a_bar_is_drawn_to_half_a_cell(drawn: str, expected: str) -> None:
    assert drawn == expected


def _parts(bar: Bar) -> list[tuple[float, float, str]]:
    return [((p.start_ns - START_NS) / SECOND_NS, (p.end_ns - START_NS) / SECOND_NS, p.look) for p in bar.parts]


def _summary(*activities: PendingActivity) -> RunSummary:
    return RunSummary(RunRow("w", "r", "Order", 1, START_NS, 0, "q", 3), activities=activities)


def _activity(attempt: int, state: int, started: float, due: float = 0) -> PendingActivity:
    times = {
        "started_time_ns": START_NS + round(started * SECOND_NS),
        "next_time_ns": START_NS + round(due * SECOND_NS),
    }
    return PendingActivity("1", "charge", state, attempt, **times)


def test_an_activity_waits_then_runs() -> None:
    story = Story().start()
    scheduled = story.schedule("charge", at=1)
    story.add("activity_task_started", 3, scheduled_event_id=scheduled, attempt=1)
    story.add("activity_task_completed", 6, scheduled_event_id=scheduled)
    book = story.book()
    bar = find_bar(book, book.history.group_of(scheduled), START_NS + 9 * SECOND_NS)
    assert _parts(bar) == [(1, 3, Look.WAIT), (3, 6, Look.RUN)]
    assert not bar.is_open


def test_earlier_attempts_are_told_from_the_last() -> None:
    story = Story().start()
    scheduled = story.schedule("charge", at=1)
    story.add("activity_task_started", 5, scheduled_event_id=scheduled, attempt=3)
    story.add("activity_task_failed", 6, scheduled_event_id=scheduled)
    book = story.book()
    bar = find_bar(book, book.history.group_of(scheduled), START_NS + 9 * SECOND_NS)
    assert _parts(bar) == [(1, 5, Look.RETRY), (5, 6, Look.RUN)]
    assert bar.attempts == (START_NS + 5 * SECOND_NS,)


def test_an_activity_that_runs_is_known_from_the_server() -> None:
    story = Story().start()
    scheduled = story.schedule("charge", at=1)
    book = story.book()
    group = book.history.group_of(scheduled)
    assert _parts(find_bar(book, group, START_NS + 4 * SECOND_NS)) == [(1, 4, Look.WAIT)]
    book.take_summary(_summary(_activity(1, 2, started=2)))
    assert _parts(find_bar(book, group, START_NS + 4 * SECOND_NS)) == [(1, 2, Look.WAIT), (2, 4, Look.RUN)]


def test_attempts_that_were_seen_are_marked_and_the_next_is_ahead() -> None:
    story = Story().start()
    scheduled = story.schedule("charge", at=1)
    book = story.book()
    for attempt, started in ((1, 1.0), (2, 3.0), (3, 6.0)):
        book.take_summary(_summary(_activity(attempt, 1, started, due=12)))
    bar = find_bar(book, book.history.group_of(scheduled), START_NS + 8 * SECOND_NS)
    assert _parts(bar) == [(1, 8, Look.RETRY), (8, 12, Look.AHEAD)]
    assert bar.attempts == (START_NS + 3 * SECOND_NS, START_NS + 6 * SECOND_NS)


def test_a_timer_shows_how_much_is_left() -> None:
    story = Story().start()
    timer = story.add("timer_started", 1, timer_id="1", start_to_fire_timeout={"seconds": 60})
    book = story.book()
    bar = find_bar(book, book.history.group_of(timer), START_NS + 4 * SECOND_NS)
    assert _parts(bar) == [(1, 4, Look.TIMER), (4, 61, Look.AHEAD)]


def test_a_bar_as_it_was_ends_at_the_moment() -> None:
    story = Story().start()
    scheduled = story.schedule("charge", at=1)
    started = story.add("activity_task_started", 3, scheduled_event_id=scheduled, attempt=1)
    story.add("activity_task_completed", 6, scheduled_event_id=scheduled)
    history = story.history()
    group = history.group_of(scheduled)
    then = find_bar_then(group_then(history, group, scheduled), START_NS + 2 * SECOND_NS)
    assert (_parts(then), then.is_open) == ([(1, 2, Look.WAIT)], True)
    then = find_bar_then(group_then(history, group, started), START_NS + 5 * SECOND_NS)
    assert (_parts(then), then.is_open) == ([(1, 3, Look.WAIT), (3, 5, Look.RUN)], True)
    then = find_bar_then(group_then(history, group, started + 1), START_NS + 8 * SECOND_NS)
    assert (_parts(then), then.is_open) == ([(1, 3, Look.WAIT), (3, 6, Look.RUN)], False)


def test_what_is_open_when_the_run_ends_ends_with_it() -> None:
    story = Story().start()
    scheduled = story.schedule("charge", at=1)
    book = story.book()
    group = book.history.group_of(scheduled)
    here = START_NS + 4 * SECOND_NS
    assert book.group_end_ns(group, here) == book.now_ns(here)
    story.add("workflow_execution_terminated", 6)
    book = story.book()
    assert book.group_end_ns(book.history.group_of(scheduled), START_NS + 900 * SECOND_NS) == START_NS + 6 * SECOND_NS


def test_time_of_a_server_that_is_ahead_goes_on_from_there() -> None:
    story = Story().start()
    story.add("timer_started", 3600, timer_id="1", start_to_fire_timeout={"seconds": 60})
    book = RunBook()
    assert book.now_ns(START_NS) == START_NS
    book = story.book()
    assert book.now_ns(START_NS + 5 * SECOND_NS) == START_NS + 3605 * SECOND_NS


@pytest.mark.parametrize(
    ("offset", "step", "label"),
    [
        (0, SECOND_NS, "0"),
        (500 * MS, 500 * MS, "500ms"),
        (1_500 * MS, 500 * MS, "1.5s"),
        (20_000, 10_000, "20µs"),
        (90 * SECOND_NS, 30 * SECOND_NS, "1m30s"),
        (3 * 3_600 * SECOND_NS, 3_600 * SECOND_NS, "3h"),
        (DAY + 6 * 3_600 * SECOND_NS, 6 * 3_600 * SECOND_NS, "1d6h"),
        (-5 * SECOND_NS, SECOND_NS, "-5s"),
    ],
)
def test_ticks_are_named_by_round_times(offset: int, step: int, label: str) -> None:
    assert tick_label(offset, step) == label


@pytest.mark.parametrize(
    "length", [50_000, 3 * MS, SECOND_NS, 47 * SECOND_NS, 3_600 * SECOND_NS, 40 * DAY, 4_000 * DAY]
)
def test_ticks_have_room_for_their_labels(length: int) -> None:
    ticks = list_ticks(Axis(Span(START_NS, START_NS + length), 100), START_NS)
    assert ticks[0] == (0, "0")
    for before, after in pairwise(ticks):
        assert after.column - before.column > len(before.label)
    assert len(ticks) >= 2 or length > 3_000 * DAY


def test_zoom_keeps_its_place_and_stays_within_the_run() -> None:
    limits = Span(0, 1_000_000_000)
    half = zoom(limits, 2, 250_000_000, limits)
    assert half == Span(125_000_000, 625_000_000)
    assert zoom(half, 2, 125_000_000, limits) == Span(125_000_000, 375_000_000)
    assert zoom(half, 0.1, 300_000_000, limits) == limits
    assert zoom(Span(900_000_000, 1_400_000_000), 1, 900_000_000, limits) == Span(500_000_000, 1_000_000_000)
    assert zoom(half, 1e12, 125_000_000, limits).length_ns == 1_000


def test_a_live_axis_moves_in_steps() -> None:
    spans = {fit_live(0, second * SECOND_NS) for second in range(60, 120)}
    assert len(spans) < 12
    for second in range(1, 5_000, 7):
        span = fit_live(0, second * SECOND_NS)
        assert second * SECOND_NS < span.end_ns <= second * SECOND_NS * 1.5 + SECOND_NS
