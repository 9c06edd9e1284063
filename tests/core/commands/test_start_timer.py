"""COMMAND_TYPE_START_TIMER."""

from __future__ import annotations

import pytest
from temporalio.api.command.v1 import Command

from tests.core.commands.bad_command import assert_fails_the_task
from tests.core.support.core import Core
from tests.core.support.env import SECOND_NS, START_NS
from tests.core.support.messages import cancel_timer, command, start_timer

BAD = "BAD_START_TIMER_ATTRIBUTES"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            Command(command_type="COMMAND_TYPE_START_TIMER"),
            "StartTimerCommandAttributes is not set on StartTimerCommand.",
        ),
        (start_timer("", 1), "TimerId is not set on StartTimerCommand."),
        (
            start_timer("t", -1),
            "An invalid StartToFireTimeout is set on StartTimerCommand: negative duration. TimerId=t",
        ),
        (
            start_timer("t" * 1001, 1),
            f"TimerId on StartTimerCommand exceeds length limit. TimerId={'t' * 1001} Length=1001 Limit=1000",
        ),
    ],
)
def test_bad_attributes_fail_the_task(bad: Command, message: str) -> None:
    assert_fails_the_task(bad, cause=BAD, message="BadStartTimerAttributes: " + message)


def test_a_pending_id_again() -> None:
    assert_fails_the_task(
        start_timer("t", 60),
        start_timer("t", 60),
        cause="START_TIMER_DUPLICATE_ID",
        message="StartTimerDuplicateId: invalid history builder state for action: add-timer-started-event, TimerID: t",
    )


def test_it_fires_at_its_time_and_not_before() -> None:
    core = Core()
    run = core.start()
    run.complete(start_timer("t", 1.5))
    assert run.next_deadline_ns == START_NS + 1.5 * SECOND_NS
    core.advance(1.499)
    assert run.history().endswith("5 TimerStarted")
    core.advance(0.001)
    run.assert_history("""
        5 TimerStarted timer_id=t start_to_fire_timeout=1.5s workflow_task_completed_event_id=4
        6 TimerFired timer_id=t started_event_id=5 .event_time=+1.5s
        7 WorkflowTaskScheduled
    """)
    assert run.next_deadline_ns is None


@pytest.mark.parametrize("timer", [command("START_TIMER", timer_id="t"), start_timer("t", 0)])
def test_without_a_timeout_it_fires_at_once(timer: Command) -> None:
    core = Core()
    run = core.start()
    run.complete(timer)
    core.advance(0)
    run.assert_history("""
        5 TimerStarted
        6 TimerFired
        7 WorkflowTaskScheduled
    """)


def test_timers_of_one_instant_share_a_workflow_task() -> None:
    core = Core()
    run = core.start()
    run.complete(start_timer("late", 2), start_timer("one", 1), start_timer("other", 1))
    core.advance(1)
    run.assert_history("""
        7 TimerStarted
        8 TimerFired timer_id=one
        9 WorkflowTaskScheduled
        10 TimerFired timer_id=other
    """)
    core.advance(1)
    assert run.history().endswith("11 TimerFired")


def test_an_id_can_be_used_again() -> None:
    core = Core()
    run = core.start()
    run.complete(start_timer("t", 60), cancel_timer("t"), start_timer("t", 90))
    run.assert_history("""
        5 TimerStarted start_to_fire_timeout=60s
        6 TimerCanceled started_event_id=5
        7 TimerStarted start_to_fire_timeout=90s
    """)
    core.advance(89)
    assert run.history().endswith("7 TimerStarted")
    core.advance(1)
    run.assert_history("""
        8 TimerFired started_event_id=7
        9 WorkflowTaskScheduled
    """)


def test_an_id_whose_firing_is_only_buffered_can_be_used_again() -> None:
    core = Core()
    run = core.start()
    run.complete(start_timer("t", 1))
    run.signal()
    run.poll()
    core.advance(1)
    run.complete(start_timer("t", 5))
    run.assert_history("""
        9 WorkflowTaskCompleted
        10 TimerStarted timer_id=t
        11 TimerFired timer_id=t started_event_id=5
        12 WorkflowTaskScheduled
    """)
    run.complete()
    core.advance(5)
    run.assert_history("""
        15 TimerFired timer_id=t started_event_id=10
        16 WorkflowTaskScheduled
    """)
