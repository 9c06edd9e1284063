"""Events in groups: what each is called, when it began and ended, and how."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.update.v1 import Input, Meta, Outcome, Request

from durable_cli.output.event_text import name_event
from durable_cli.tui.feed.events import EventReader
from durable_cli.tui.group_looks import STATE_LOOKS
from durable_cli.tui.history.groups import History
from durable_cli.tui.history.kinds import ROLES, Kind, State
from durable_cli.tui.history.moment import group_then, moment_at
from tests.tui.histories import BOOM, SECOND_NS, START_NS, Story, values

EVENT_FIELDS = [field.name for field in HistoryEvent.DESCRIPTOR.oneofs_by_name["attributes"].fields]
OTHER = {"workflow_execution": {"workflow_id": "other", "run_id": "run-9"}}


@pytest.mark.parametrize("field", EVENT_FIELDS)
def test_every_event_of_the_protocol_has_a_role_and_a_step(field: str) -> None:
    event = HistoryEvent(event_id=3)
    getattr(event, field).SetInParent()
    assert name_event(event) in ROLES
    _, (step,) = EventReader().read([event])
    assert step.opened_event_id in (1, 3)


def test_every_state_has_a_look() -> None:
    assert set(STATE_LOOKS) == set(State)


def test_no_role_is_of_an_event_that_does_not_exist() -> None:
    names = set()
    for field in EVENT_FIELDS:
        event = HistoryEvent()
        getattr(event, field).SetInParent()
        names.add(name_event(event))
    assert set(ROLES) == names


def test_an_event_of_a_newer_server_is_a_group_of_its_own() -> None:
    story = Story().start()
    unknown = HistoryEvent(event_id=2, event_type=9999)  # type: ignore[arg-type]
    unknown.event_time.FromNanoseconds(START_NS + SECOND_NS)
    story.events.append(unknown)
    group = story.history().groups[1]
    assert (group.kind, group.is_open) == (Kind.OTHER, False)


def test_an_activity_is_one_group_from_its_scheduling_to_its_end() -> None:
    story = Story().start()
    scheduled = story.schedule("charge", {"sum": 3}, at=1)
    story.complete(scheduled, "paid", attempt=3, at=5)
    group = story.history().group_of(scheduled)
    assert (group.title, group.detail, group.outcome) == ("activity charge", '{"sum":3}', '"paid"')
    assert (group.state, group.attempt, group.event_ids) == (State.COMPLETED, 3, (2, 3, 4))
    assert (group.start_time_ns, group.end_time_ns) == (START_NS + SECOND_NS, START_NS + 5 * SECOND_NS)


def test_the_last_failure_of_an_attempt_is_kept() -> None:
    story = Story().start()
    scheduled = story.schedule("charge")
    story.add("activity_task_started", scheduled_event_id=scheduled, attempt=2, last_failure=BOOM)
    assert story.history().group_of(scheduled).failure == "Declined: no money"


def _update(name: str = "add") -> Request:
    return Request(meta=Meta(update_id="u"), input=Input(name=name, args=values(5)))


# Each: the events, then the title, the state, the detail and the outcome of the last event's group.
GROUPS: list[tuple[list[tuple[str, dict[str, Any]]], tuple[str, State, str, str]]] = [
    (
        [
            ("timer_started", {"timer_id": "7", "start_to_fire_timeout": {"seconds": 90}}),
            ("timer_fired", {"timer_id": "7", "started_event_id": 2}),
        ],
        ("timer 1m30s", State.FIRED, "", ""),
    ),
    (
        [
            ("start_child_workflow_execution_initiated", {"workflow_id": "c", "workflow_type": {"name": "Ship"}}),
            ("child_workflow_execution_started", {"initiated_event_id": 2, **OTHER}),
            ("child_workflow_execution_failed", {"initiated_event_id": 2, "failure": BOOM, **OTHER}),
        ],
        ("child Ship", State.FAILED, "", "Declined: no money"),
    ),
    (
        [("workflow_execution_signaled", {"signal_name": "add", "input": values(1, "two")})],
        ("signal add", State.COMPLETED, '1, "two"', ""),
    ),
    (
        [
            ("workflow_execution_update_admitted", {"request": _update()}),
            ("workflow_execution_update_accepted", {"protocol_instance_id": "u"}),
            (
                "workflow_execution_update_completed",
                {"accepted_event_id": 3, "meta": Meta(update_id="u"), "outcome": Outcome(success=values(6))},
            ),
        ],
        ("update add", State.COMPLETED, "5", "6"),
    ),
    (
        [
            ("workflow_execution_update_accepted", {"protocol_instance_id": "u", "accepted_request": _update()}),
            (
                "workflow_execution_update_completed",
                {"accepted_event_id": 2, "meta": Meta(update_id="u"), "outcome": Outcome(failure=BOOM)},
            ),
        ],
        ("update add", State.FAILED, "5", "Declined: no money"),
    ),
    (
        [
            ("signal_external_workflow_execution_initiated", {"signal_name": "go", **OTHER}),
            ("external_workflow_execution_signaled", {"initiated_event_id": 2, **OTHER}),
        ],
        ("signal to other: go", State.COMPLETED, "", ""),
    ),
    (
        [
            ("request_cancel_external_workflow_execution_initiated", OTHER),
            ("request_cancel_external_workflow_execution_failed", {"initiated_event_id": 2, "cause": 1, **OTHER}),
        ],
        ("cancel of other", State.FAILED, "", "external workflow execution not found"),
    ),
    (
        [
            ("nexus_operation_scheduled", {"endpoint": "e", "service": "Bank", "operation": "pay"}),
            ("nexus_operation_started", {"scheduled_event_id": 2}),
            ("nexus_operation_timed_out", {"scheduled_event_id": 2, "failure": BOOM}),
        ],
        ("Nexus Bank.pay", State.TIMED_OUT, "", "Declined: no money"),
    ),
    (
        [
            ("workflow_task_scheduled", {}),
            ("workflow_task_started", {"scheduled_event_id": 2}),
            ("workflow_task_failed", {"scheduled_event_id": 2, "cause": 24, "failure": BOOM}),
        ],
        ("workflow task", State.FAILED, "", "non deterministic error: Declined: no money"),
    ),
    (
        [("workflow_execution_cancel_requested", {"cause": "late"})],
        ("cancel requested", State.COMPLETED, "late", ""),
    ),
]


@pytest.mark.parametrize(("events", "expected"), GROUPS, ids=[case[1][0] for case in GROUPS])
def test_groups(events: list[tuple[str, dict[str, Any]]], expected: tuple[str, State, str, str]) -> None:
    story = Story().start()
    for name, attributes in events:
        last = story.add(name, **attributes)
    group = story.history().group_of(last)
    outcome = "" if group.is_moment else group.outcome
    assert (group.title, group.state, group.detail, outcome) == expected
    assert group.event_ids == tuple(range(2, last + 1))
    assert not group.is_open


def _marker(name: str, **details: Any) -> dict[str, Any]:
    return {"marker_name": name, "details": {key: values(item) for key, item in details.items()}}


LOCAL = {"activity_type": "quote", "attempt": 2, "original_schedule_time": {"seconds": 1_700_000_000, "nanos": 5}}


@pytest.mark.parametrize(
    ("marker", "title"),
    [
        (_marker("core_local_activity", data=LOCAL, result=3), "local activity quote"),
        (_marker("LocalActivity", data={"ActivityType": "quote"}), "local activity quote"),
        (_marker("core_patch", **{"patch-data": {"id": "new-tax"}}), "patch new-tax"),
        (_marker("Version", **{"change-id": "new-tax", "version": 1}), "patch new-tax"),
        (_marker("SideEffect", **{"side-effect-id": 4}), "side effect 4"),
        (_marker("mine", any=1), "marker mine"),
        ({"marker_name": "core_patch", "details": {"patch-data": Payloads(payloads=[Payload(data=b"\xff")])}}, "patch"),
    ],
)
def test_markers_say_what_they_are(marker: dict[str, Any], title: str) -> None:
    story = Story().start()
    story.add("marker_recorded", **marker)
    assert story.history().groups[1].title == title


def test_a_local_activity_lasts_from_its_start_to_its_marker() -> None:
    story = Story().start()
    story.add("marker_recorded", 3, **_marker("core_local_activity", data=LOCAL, result=3))
    group = story.history().groups[1]
    assert (group.start_time_ns, group.end_time_ns) == (START_NS + 5, START_NS + 3 * SECOND_NS)
    assert (group.attempt, group.outcome or group.detail) == (2, "3")


def test_a_local_activity_by_a_clock_that_stood_before_the_run_is_one_moment() -> None:
    story = Story().start()
    early = {**LOCAL, "original_schedule_time": {"seconds": 1_699_999_999, "nanos": 999_999_999}}
    story.add("marker_recorded", 3, **_marker("core_local_activity", data=early, result=3))
    group = story.history().groups[1]
    assert (group.start_time_ns, group.end_time_ns) == (START_NS + 3 * SECOND_NS, START_NS + 3 * SECOND_NS)


def test_labels_are_plain_text() -> None:
    story = Story().start()
    story.add("timer_started", timer_id="1", label="the **delivery** `window`\x1b[31m")
    assert story.history().groups[1].label == "the delivery window\\x1b[31m"


def busy_story() -> Story:
    """A run with much of everything that is open at the same time, in an order that no file has."""
    story = Story().start()
    for turn in range(200):
        story.task()
        first = story.schedule("first", turn, activity_id=f"a{turn}")
        second = story.schedule("second", turn, activity_id=f"b{turn}")
        timer = story.add("timer_started", timer_id=str(turn), start_to_fire_timeout={"seconds": 5})
        child = story.add("start_child_workflow_execution_initiated", workflow_id=f"c{turn}")
        story.complete(second, turn)
        story.add("workflow_execution_signaled", signal_name="poke")
        if turn % 3:
            story.add("timer_fired", started_event_id=timer)
        story.complete(first, turn)
        if turn % 7:
            story.add("child_workflow_execution_started", initiated_event_id=child)
        if turn % 5 == 0:
            story.add("child_workflow_execution_completed", initiated_event_id=child)
    return story


def test_at_every_event_the_model_knows_what_was_pending_then() -> None:
    story = busy_story()
    whole, grown, reader = story.history(), History(), EventReader()
    for event in story.events:
        grown.take(*reader.read([event]))
        moment = moment_at(whole, event.event_id)
        expected = [(group.opened_event_id, group.state) for group in grown.open_groups]
        assert [(then.group.opened_event_id, then.state) for then in moment.pending] == expected
        closed = [group for group in grown.groups if not group.is_open and len(group.event_ids) > 1]
        assert moment.closed_count == sum(not group.is_folded for group in closed)


def test_a_group_as_it_was_has_no_end_yet() -> None:
    story = Story().start()
    scheduled = story.schedule("charge")
    completed = story.complete(scheduled)
    history = story.history()
    group = history.group_of(scheduled)
    states = [group_then(history, group, event_id).state for event_id in (scheduled, scheduled + 1, completed)]
    assert states == [State.SCHEDULED, State.STARTED, State.COMPLETED]
    assert group_then(history, group, scheduled).end_time_ns is None


def test_what_grows_event_by_event_is_what_is_read_at_once() -> None:
    story = busy_story()
    grown, reader = History(), EventReader()
    for event in story.events:
        grown.take(*reader.read([event]))
    assert [_facts(group) for group in grown.groups] == [_facts(group) for group in story.history().groups]


def _facts(group: Any) -> tuple[Any, ...]:
    return tuple(getattr(group, name) for name in group.__slots__)


def test_the_same_event_again_changes_nothing() -> None:
    story, reader, history = busy_story(), EventReader(), History()
    history.take(*reader.read(story.events))
    assert reader.read(story.events) == ([], [])
