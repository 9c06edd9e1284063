"""COMMAND_TYPE_CANCEL_TIMER."""

from __future__ import annotations

import pytest

from tests.core.commands.bad_command import assert_fails_the_task
from tests.core.support.core import Core
from tests.core.support.messages import cancel_timer, complete_workflow, start_timer

BAD = "BAD_CANCEL_TIMER_ATTRIBUTES"


@pytest.mark.parametrize(
    ("timer_id", "message"),
    [
        ("", "TimerId is not set on CancelTimerCommand."),
        ("nobody", "invalid history builder state for action: add-timer-canceled-event, TimerID: nobody"),
    ],
)
def test_bad_attributes_fail_the_task(timer_id: str, message: str) -> None:
    assert_fails_the_task(cancel_timer(timer_id), cause=BAD, message="BadCancelTimerAttributes: " + message)


def test_a_cancelled_timer_does_not_fire() -> None:
    core = Core()
    run = core.start()
    run.complete(start_timer("t", 1))
    run.signal()
    run.complete(cancel_timer("t"))
    run.assert_history("""
        9 WorkflowTaskCompleted
        10 TimerCanceled timer_id=t started_event_id=5 workflow_task_completed_event_id=9 identity=worker
    """)
    core.advance(10)
    assert run.history().endswith("10 TimerCanceled")


def test_it_takes_a_buffered_firing_back() -> None:
    core = Core()
    run = core.start()
    run.complete(start_timer("t", 1), start_timer("u", 1))
    run.signal()
    run.poll()
    core.advance(1)
    run.complete(cancel_timer("t"))
    run.assert_history("""
        10 WorkflowTaskCompleted
        11 TimerCanceled timer_id=t started_event_id=5
        12 TimerFired timer_id=u
        13 WorkflowTaskScheduled
    """)


def test_a_close_is_allowed_once_the_only_buffered_event_is_taken_back() -> None:
    core = Core()
    run = core.start()
    run.complete(start_timer("t", 1))
    run.signal()
    run.poll()
    core.advance(1)
    run.complete(cancel_timer("t"), complete_workflow())
    run.assert_history("""
        9 WorkflowTaskCompleted
        10 TimerCanceled
        11 WorkflowExecutionCompleted
    """)


def test_a_close_is_refused_while_another_event_is_buffered() -> None:
    core = Core()
    run = core.start()
    run.complete(start_timer("t", 1))
    run.signal()
    run.poll()
    core.advance(1)
    run.signal("more")
    run.complete(cancel_timer("t"), complete_workflow())
    run.assert_history("""
        9 WorkflowTaskFailed cause=UNHANDLED_COMMAND
        10 TimerFired timer_id=t
        11 WorkflowExecutionSignaled signal_name=more
        12 WorkflowTaskScheduled attempt=1
    """)
