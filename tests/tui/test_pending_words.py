"""What a run waits for, in words."""

from __future__ import annotations

import pytest

from durable_cli.tui.history.moment import moment_at
from durable_cli.tui.history.pending import describe_then, list_pending
from durable_cli.tui.rows import (
    PendingActivity,
    PendingCallback,
    PendingNexusOperation,
    PendingTask,
    RunRow,
    RunSummary,
)
from durable_cli.tui.times import clock
from tests.tui.histories import SECOND_NS, START_NS, Story


def at(seconds: float) -> int:
    return START_NS + round(seconds * SECOND_NS)


def words(story: Story, now: float = 10, **known: object) -> list[tuple[str, str, bool]]:
    book = story.book()
    row = RunRow("order-1", "run-1", "Order", 1, START_NS, 0, "orders", 3)
    book.take_summary(RunSummary(row, **known))  # type: ignore[arg-type]
    return [(line.what, line.text, line.is_trouble) for line in list_pending(book, at(now))]


def charging() -> Story:
    story = Story().start()
    story.schedule("charge_payment", activity_id="a", at=1)
    return story


@pytest.mark.parametrize(
    ("activity", "text", "is_trouble"),
    [
        (
            PendingActivity("a", "c", 1, 3, 5, "Declined: no money", next_time_ns=at(22)),
            "attempt 3 of 5, next in 12s, last error Declined: no money",
            True,
        ),
        (PendingActivity("a", "c", 1, 1, next_time_ns=at(2)), "attempt 1, waits for a worker for 8s", False),
        (
            PendingActivity("a", "c", 2, 1, started_time_ns=at(3), heartbeat="7", heartbeat_time_ns=at(9)),
            "attempt 1, runs for 7s, heartbeat 1s ago: 7",
            False,
        ),
        (PendingActivity("a", "c", 2, 2, worker_identity="me@host", started_time_ns=at(9)), "on me@host", False),
        (PendingActivity("a", "c", 3, 1, started_time_ns=at(3)), "runs for 7s, was asked to cancel", False),
        (PendingActivity("a", "c", 4, 2, is_paused=True), "attempt 2, paused", True),
    ],
)
def test_activities(activity: PendingActivity, text: str, is_trouble: bool) -> None:
    ((what, said, trouble),) = words(charging(), activities=(activity,))
    assert what == "activity charge_payment"
    assert text in said
    assert trouble is is_trouble


def test_an_activity_that_the_server_does_not_tell_of_is_still_said() -> None:
    assert words(charging()) == [("activity charge_payment", "scheduled 9s ago", False)]


def test_a_timer_says_until_when() -> None:
    story = Story().start()
    story.add("timer_started", 1, timer_id="1", start_to_fire_timeout={"seconds": 3600}, label="delivery window")
    assert words(story) == [("timer 1h (delivery window)", f"until {clock(at(3601))}, 59m51s left", False)]


def test_children_updates_and_signals() -> None:
    story = Story().start()
    initiated = story.add(
        "start_child_workflow_execution_initiated", 1, workflow_id="c", workflow_type={"name": "Ship"}
    )
    assert words(story) == [("child Ship", "c, is being started", False)]
    story.add("child_workflow_execution_started", 2, initiated_event_id=initiated)
    story.add("workflow_execution_update_accepted", 3, accepted_request={"input": {"name": "add"}})
    story.add(
        "signal_external_workflow_execution_initiated", 4, signal_name="go", workflow_execution={"workflow_id": "x"}
    )
    assert words(story) == [
        ("child Ship", "c, runs for 8s", False),
        ("update add", "accepted 7s ago", False),
        ("signal to x: go", "on its way for 6s", False),
    ]


def test_a_nexus_operation() -> None:
    story = Story().start()
    scheduled = story.add("nexus_operation_scheduled", 1, service="Bank", operation="pay")
    pending = PendingNexusOperation(scheduled, "bank", "Bank.pay", 2, "down", at(15), "circuit breaker")
    assert words(story, nexus_operations=(pending,)) == [
        ("Nexus Bank.pay", "at bank, attempt 2, next in 5s, blocked: circuit breaker, last error down", True)
    ]


@pytest.mark.parametrize(
    ("task", "text", "is_trouble"),
    [
        (PendingTask(1, at(9)), "waits for a worker for 1s", False),
        (PendingTask(1, at(2)), "waits for a worker for 8s, does a worker poll task queue orders?", True),
        (PendingTask(1, at(2), at(8)), "a worker runs it for 2s", False),
        (PendingTask(5, at(2)), "waits for a worker for 8s, attempt 5: it fails again and again", True),
    ],
)
def test_workflow_tasks(task: PendingTask, text: str, is_trouble: bool) -> None:
    assert words(Story().start(), workflow_task=task) == [("workflow task", text, is_trouble)]


def test_a_run_that_is_held_back() -> None:
    story = Story().start(first_workflow_task_backoff={"seconds": 60}, cron_schedule="* * * * *")
    ((what, text, _),) = words(story, workflow_task=PendingTask(1, at(60)))
    assert (what, text) == ("first workflow task", f"is held back, until {clock(at(60))}, 50s left")


def test_a_run_that_waits_for_nothing_it_knows() -> None:
    ((_, text, _),) = words(Story().start())
    assert text == "nothing is scheduled: it goes on when a signal or an update comes"


def test_paused_and_asked_to_cancel() -> None:
    said = words(charging(), pause="ada: too early", is_cancel_requested=True)
    assert [what for what, _, _ in said] == ["workflow", "workflow", "activity charge_payment"]
    assert said[0] == ("workflow", "paused by ada: too early", True)


def test_what_fails_is_said_first() -> None:
    refused = PendingActivity("a", "c", 1, 3, 5, "Declined: no money", next_time_ns=at(22))
    story = Story().start()
    story.add("timer_started", 1, timer_id="1", start_to_fire_timeout={"seconds": 60})
    story.schedule("charge_payment", activity_id="a", at=1)
    said = words(story, is_cancel_requested=True, workflow_task=PendingTask(5, at(2)), activities=(refused,))
    assert [what for what, _, _ in said] == ["workflow task", "activity charge_payment", "workflow", "timer 1m"]


def test_of_a_closed_run_only_callbacks_are_left() -> None:
    story = charging()
    story.add("workflow_execution_terminated", reason="over")
    assert words(story) == []
    callback = PendingCallback("http://bank", "backing off", 3, "refused")
    assert words(story, callbacks=(callback,)) == [
        ("callback to http://bank", "backing off, attempt 3, last error refused", True)
    ]


def test_what_was_pending_then_is_said_as_of_then() -> None:
    story = Story().start()
    story.add("timer_started", 1, timer_id="1", start_to_fire_timeout={"seconds": 60})
    scheduled = story.schedule("charge", at=2)
    story.add("activity_task_started", 5, scheduled_event_id=scheduled, attempt=2)
    moment = moment_at(story.history(), scheduled + 1)
    assert [(line.what, line.text) for line in (describe_then(then, at(6)) for then in moment.pending)] == [
        ("timer 1m", f"until {clock(at(61))}, 55.00s left"),
        ("activity charge", "attempt 2, runs for 1.00s"),
    ]
