"""Runs that outgrow the limits of history and state: the change that is too much is not made, the run ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.errors import InvalidArgument
from engine.core.policy.limits import Limits
from tests.core.support.core import Core, Run
from tests.core.support.messages import complete_workflow, payloads, schedule_activity, start_timer

COUNT = "Workflow history count exceeds limit."
SIZE = "Workflow history size exceeds limit."
STATE = "Workflow mutable state size exceeds limit."


def ended(run: Run, reason: str, event_id: int) -> None:
    run.assert_history(f"""
        {event_id} WorkflowExecutionTerminated 'reason={reason}' identity=history-service details=-
    """)


def test_a_signal_that_has_no_room() -> None:
    run = Core(Limits(history_count_error=6)).start()
    run.complete()
    run.signal("fifth and sixth")
    run.signal("seventh, which has no id when it is looked at")
    with pytest.raises(InvalidArgument, match=COUNT):
        run.signal("eighth")
    ended(run, COUNT, 8)


def test_a_completion_that_has_no_room_is_not_made() -> None:
    run = Core(Limits(history_count_error=5)).start()
    run.poll()
    with pytest.raises(InvalidArgument, match=COUNT):
        run.complete(start_timer("t", 1), start_timer("u", 1))
    run.assert_history(f"""
        4 WorkflowTaskFailed cause=FORCE_CLOSE_COMMAND identity=history-service
        5 WorkflowExecutionTerminated 'reason={COUNT}'
    """)
    assert run.offered_workflow_task is None


def test_a_completion_that_closes_has_room() -> None:
    run = Core(Limits(history_count_error=3)).start()
    run.complete(complete_workflow())
    run.assert_history("5 WorkflowExecutionCompleted")


def test_the_start_of_a_task_that_has_no_room_ends_the_run() -> None:
    run = Core(Limits(history_count_error=2)).start()
    offer = run.offered_workflow_task
    assert offer is not None
    assert run.dispatch_workflow_task(offer) is None
    ended(run, COUNT, 3)


def test_a_stale_offer_ends_nothing() -> None:
    run = Core(Limits(history_count_error=3)).start()
    offer = run.offered_workflow_task
    assert offer is not None
    run.poll()
    assert run.dispatch_workflow_task(offer) is None
    assert run.state.running


def test_a_timer_that_has_no_room() -> None:
    run = Core(Limits(history_count_error=5)).start()
    run.complete(start_timer("t", 1))
    with pytest.raises(InvalidArgument, match=COUNT):
        run.core.advance(1)
    ended(run, COUNT, 6)


@pytest.mark.parametrize(
    "touch",
    [
        lambda run: run.signal("more"),
        lambda run: run.heartbeat("a"),
        lambda run: run.complete_activity("a"),
        lambda run: run.request_cancel(),
    ],
)
def test_a_history_that_is_too_large_ends_with_the_next_change(touch: Callable[[Run], object]) -> None:
    run = Core(Limits(history_size_error_bytes=2000)).start()
    run.complete(schedule_activity("a"))
    run.poll_activity("a")
    run.signal("big", input=payloads("x" * 2000))
    with pytest.raises(InvalidArgument, match=SIZE):
        touch(run)
    ended(run, SIZE, 8)


def test_the_offer_of_an_activity_of_a_history_that_is_too_large() -> None:
    run = Core(Limits(history_size_error_bytes=2000)).start()
    run.complete(schedule_activity("a", input=payloads("x" * 2000)))
    offer = run.offered_activities[5]
    assert run.dispatch_activity(offer) is None
    ended(run, SIZE, 6)


def test_progress_of_activities_that_is_too_much() -> None:
    run = Core(Limits(state_size_error_bytes=5000)).start()
    run.complete(schedule_activity("a"), schedule_activity("b"))
    a, b = run.poll_activity("a"), run.poll_activity("b")
    run.heartbeat(a, "x" * 3000)
    run.heartbeat(a, "y" * 3000)
    with pytest.raises(InvalidArgument, match=STATE):
        run.heartbeat(b, "x" * 3000)
    ended(run, STATE, 7)


def test_progress_of_activities_that_have_closed_does_not_count() -> None:
    run = Core(Limits(state_size_error_bytes=5000)).start()
    run.complete(schedule_activity("a"), schedule_activity("b"))
    a, b = run.poll_activity("a"), run.poll_activity("b")
    run.heartbeat(a, "x" * 3000)
    run.complete_activity(a)
    run.heartbeat(b, "x" * 3000)
    assert run.state.running
    assert run.state.progress_size_bytes < 3500


def test_a_reload_counts_the_progress_again() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"))
    run.heartbeat(run.poll_activity("a"), "x" * 3000)
    before = run.state.progress_size_bytes
    run.reload()
    assert run.state.progress_size_bytes == before > 3000
