"""Where a run can be reset to, and what typed values must be."""

from __future__ import annotations

import pytest

from durable_cli.tui.field_checks import check_arguments, check_count, check_duration, check_json, parse_arguments
from durable_cli.tui.history.reset_points import find_reset_point
from tests.tui.histories import Story


def told() -> Story:
    """1 start, 2-4 task, 5 activity scheduled, 6-7 it runs and fails, 8-9 a task, 10 the task fails, 11 signal."""
    story = Story().start()
    story.task()
    story.schedule("charge", activity_id="a")
    story.add("activity_task_started", scheduled_event_id=5)
    story.add("activity_task_completed", scheduled_event_id=5, started_event_id=6)
    story.add("workflow_task_scheduled")
    story.add("workflow_task_started", scheduled_event_id=8)
    story.add("workflow_task_failed", scheduled_event_id=8, started_event_id=9)
    story.add("workflow_execution_signaled", signal_name="go")
    return story


@pytest.mark.parametrize(
    ("event_id", "point", "words"),
    [
        (1, 4, "event 4, the end of the first workflow task"),
        (2, 4, "event 4, the end of this workflow task"),
        (4, 4, "event 4, the end of this workflow task"),
        (5, 4, "event 4, the end of the workflow task before event 5"),
        (7, 4, "event 4, the end of the workflow task before event 7"),
        (8, 10, "event 10, the end of this workflow task"),
        (11, 10, "event 10, the end of the workflow task before event 11"),
    ],
)
def test_the_nearest_point_from_which_an_event_happens_anew(event_id: int, point: int, words: str) -> None:
    found = find_reset_point(told().book().history, event_id)
    assert found == (point, words)


def test_where_there_is_no_point() -> None:
    story = Story().start()
    story.add("workflow_task_scheduled")
    history = story.book().history
    assert find_reset_point(history, 1) is None
    assert find_reset_point(history, 2) is None
    assert find_reset_point(history, 7) is None
    story.add("workflow_task_started", scheduled_event_id=2)
    assert find_reset_point(story.book().history, 2) is None, "a task that runs has no end"


@pytest.mark.parametrize(
    ("text", "values"),
    [("", []), (" ", []), ("1", [1]), ('"a",\n{"b": [null]}', ["a", {"b": [None]}]), ("[1, 2]", [[1, 2]])],
)
def test_arguments(text: str, values: list[object]) -> None:
    assert parse_arguments(text) == values
    assert check_arguments(text) == ""


@pytest.mark.parametrize("text", ["a", "1 2", "1,", "NaN", "-Infinity", '"\\ud800"', "1], [2"])
def test_what_is_no_json(text: str) -> None:
    assert check_arguments(text).startswith("not JSON")
    assert check_json(text).startswith("not JSON")


@pytest.mark.parametrize("text", ['{"a":', "{", "[1, 2", '"a', '{"a": [1,\n'])
def test_what_is_not_whole_yet(text: str) -> None:
    assert check_json(text).endswith("it is incomplete")
    assert check_arguments(f"1, {text}").endswith("it is incomplete")


def test_what_is_whole_and_no_json_is_told_apart() -> None:
    assert check_json("packed").endswith("text needs quotes")
    assert "incomplete" not in check_json('{"a": tru}')


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 100_000 + "]" * 100_000])
def test_values_in_values_without_end(text: str) -> None:
    assert check_json(text) == check_arguments(text) == "nested too deeply"


def test_one_value_is_not_several() -> None:
    assert check_json("1, 2").startswith("not JSON, line 1")
    assert check_json("[1, 2]") == ""


@pytest.mark.parametrize(
    ("text", "is_right"), [("30s", True), ("1h30m", True), ("0", True), ("30", False), ("-5m", False), ("soon", False)]
)
def test_durations(text: str, is_right: bool) -> None:
    assert (check_duration(text) == "") == is_right


@pytest.mark.parametrize(
    ("text", "is_right"), [("0", True), ("12", True), ("-1", False), ("1.5", False), ("²", False), ("9" * 12, False)]
)
def test_counts(text: str, is_right: bool) -> None:
    assert (check_count(text) == "") == is_right
