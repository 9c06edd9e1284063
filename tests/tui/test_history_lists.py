"""What lists show of a history: folded, unfolded, searched, compared, as a tree."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from temporalio.api.failure.v1 import Failure

from durable_cli.tui.feed.events import EventReader
from durable_cli.tui.history.alignment import Pair, align
from durable_cli.tui.history.groups import Group, History
from durable_cli.tui.history.relations import RelatedRun, children_of, flatten, grow_tree
from durable_cli.tui.history.search import Search
from durable_cli.tui.history.visible import CompactRows, VisibleGroups
from tests.tui.histories import BOOM, Story, values


def titles(groups: Sequence[Group]) -> list[str]:
    return [group.title for group in groups]


def order() -> Story:
    story = Story().start(input=values({"customer": "Ada"}))
    story.task()
    story.complete(story.schedule("charge", 12))
    story.task()
    story.add("timer_started", timer_id="1", start_to_fire_timeout={"seconds": 60})
    return story


def test_workflow_tasks_are_folded_until_they_are_asked_for() -> None:
    visible = VisibleGroups(order().history())
    visible.update()
    assert titles(visible.groups) == ["workflow Order", "activity charge", "timer 1m"]
    visible.toggle_tasks()
    assert titles(visible.groups).count("workflow task") == 2


def test_a_workflow_task_that_fails_is_seen() -> None:
    story, history, reader = order(), History(), EventReader()
    scheduled = story.add("workflow_task_scheduled")
    story.add("timer_started", timer_id="2", start_to_fire_timeout={"seconds": 5})
    history.take(*reader.read(story.events))
    visible = VisibleGroups(history)
    assert not visible.update()
    assert "workflow task" not in titles(visible.groups)
    story.add("workflow_task_failed", scheduled_event_id=scheduled, failure=BOOM)
    history.take(*reader.read(story.events))
    assert visible.update(), "the list has changed before its end"
    assert titles(visible.groups) == ["workflow Order", "activity charge", "timer 1m", "workflow task", "timer 5s"]


def test_events_of_an_unfolded_group_follow_it_as_they_come() -> None:
    story, history, reader = order(), History(), EventReader()
    scheduled = story.schedule("ship")
    history.take(*reader.read(story.events))
    rows = CompactRows(VisibleGroups(history))
    rows.update()
    assert [row.event_id for row in rows.rows] == [0, 0, 0, 0]
    rows.toggle(history.group_of(scheduled))
    assert rows.rows[-1].event_id == scheduled
    story.add("activity_task_started", scheduled_event_id=scheduled, attempt=1)
    history.take(*reader.read(story.events))
    rows.update()
    assert [row.event_id for row in rows.rows] == [0, 0, 0, 0, scheduled, scheduled + 1]
    rows.toggle(history.group_of(scheduled))
    assert [row.event_id for row in rows.rows] == [0, 0, 0, 0]


def test_an_event_is_found_at_its_own_row_or_at_its_groups() -> None:
    history = order().history()
    rows = CompactRows(VisibleGroups(history))
    rows.update()
    charge = history.group_of(5)
    assert rows.index_of(charge, 6) == 1
    rows.toggle(charge)
    assert rows.index_of(charge, 6) == 3
    assert rows.index_of(history.group_of(2), 3) is None, "workflow tasks are folded away"


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("charge", [5, 6, 7]),
        ("CHARGE", [5, 6, 7]),
        ("customer", [1]),
        ("ada", [1]),
        ("TimerStarted", [11]),
        ("nothing", []),
    ],
)
def test_search_looks_at_names_details_and_payloads(text: str, matches: list[int]) -> None:
    search = Search(text, order().history().rows)
    assert len(list(search.steps())) == 1
    assert search.matches == matches


def test_search_finds_letters_however_the_worker_wrote_them() -> None:
    story = Story().start(input=values("שלום 日本"))
    story.add("workflow_execution_signaled", signal_name="s")
    story.events[1].workflow_execution_signaled_event_attributes.input.payloads.add(
        metadata={"encoding": b"json/plain"}, data='"日本"'.encode()
    )
    search = Search("日本", story.history().rows)
    list(search.steps())
    assert search.matches == [1, 2]


def test_search_goes_round() -> None:
    search = Search("charge", order().history().rows)
    list(search.steps())
    assert [search.find_next(event_id) for event_id in (0, 5, 7, 11)] == [5, 6, 5, 5]
    assert [search.find_next(event_id, is_backward=True) for event_id in (6, 5, 1)] == [5, 7, 7]
    assert [search.number_of(event_id) for event_id in (5, 7, 8)] == [1, 3, 0]


def shown(pairs: Sequence[Pair]) -> list[tuple[str, str, str]]:
    return [(p.here.name if p.here else "", p.there.name if p.there else "", p.difference) for p in pairs]


def visible(story: Story) -> list[Group]:
    groups = VisibleGroups(story.history())
    groups.update()
    return groups.groups


def run_of(*names: str, result: str = "done", attempt: int = 1) -> list[Group]:
    story = Story().start()
    for name in names:
        story.complete(story.schedule(name), result, attempt=attempt)
    return visible(story)[1:]


def test_equal_runs_have_no_difference() -> None:
    assert all(not pair.difference for pair in align(run_of("a", "b", "c"), run_of("a", "b", "c")))


def test_what_only_one_run_did_stands_alone() -> None:
    assert shown(align(run_of("a", "b", "c"), run_of("a", "c", "d"))) == [
        ("a", "a", ""),
        ("b", "", "only here"),
        ("c", "c", ""),
        ("", "d", "only there"),
    ]


def test_results_and_attempts_differ() -> None:
    assert shown(align(run_of("a", result="x"), run_of("a", result="y"))) == [("a", "a", "other values")]
    assert shown(align(run_of("a", attempt=3), run_of("a"))) == [("a", "a", "attempt 3, not 1")]


def test_an_end_that_differs_is_said_first() -> None:
    story = Story().start()
    scheduled = story.schedule("a")
    story.add("activity_task_failed", scheduled_event_id=scheduled, failure=BOOM)
    assert shown(align(visible(story)[1:], run_of("a"))) == [("a", "a", "failed, not completed")]


@pytest.mark.parametrize(
    ("given", "failure", "difference"),
    [
        (1, BOOM, ""),
        (2, BOOM, "other values"),
        (1, Failure(message="down"), "another failure"),
        (2, Failure(message="down", cause=BOOM), "another failure"),
    ],
)
def test_a_failure_is_another_one_only_where_failures_differ(given: int, failure: Failure, difference: str) -> None:
    def failing(number: int, failure: Failure) -> list[Group]:
        story = Story().start()
        story.add("activity_task_failed", scheduled_event_id=story.schedule("a", number), failure=failure)
        return visible(story)[1:]

    assert shown(align(failing(1, BOOM), failing(given, failure))) == [("a", "a", difference)]


def test_many_of_one_name_are_paired_by_their_number() -> None:
    # An exact search would compare each of three thousand with each.
    here = run_of(*["same"] * 4_000, "x", *["same"] * 4_000)
    there = run_of(*["same"] * 1_000, "y", *["same"] * 7_000)
    differences = [row for row in shown(align(here, there)) if row[2]]
    assert differences == [("", "y", "only there"), ("x", "", "only here")]


def _run(workflow_id: str, run_id: str, how: str = "") -> RelatedRun:
    return RelatedRun(workflow_id, run_id, "T", 1, how=how)


def test_relations_are_a_tree_from_the_outermost_parent() -> None:
    story = Story().start()
    for number in (1, 2):
        initiated = story.add("start_child_workflow_execution_initiated", workflow_id=f"child-{number}")
        execution = {"workflow_id": f"child-{number}", "run_id": f"c{number}"}
        story.add("child_workflow_execution_started", initiated_event_id=initiated, workflow_execution=execution)
    story.add("start_child_workflow_execution_initiated", workflow_id="child-3")
    roots = grow_tree(
        [_run("root", "r"), _run("parent", "p")],
        [_run("this", "1"), _run("this", "2")],
        "2",
        children_of(story.history().groups),
    )
    rows = [
        (f"{row.guide}{row.node.run.workflow_id} {row.node.run.run_id}", row.node.is_this) for row in flatten(roots)
    ]
    assert rows == [
        ("root r", False),
        ("└ parent p", False),
        ("  ├ this 1", False),
        ("  └ this 2", True),
        ("    ├ child-1 c1", False),
        ("    ├ child-2 c2", False),
        ("    └ child-3 ", False),
    ]
    statuses = [row.node.run.status for row in flatten(roots)][-3:]
    assert statuses == [1, 1, 0], "the last one is not started"
