"""The four time-outs of an activity, with and without retries."""

from __future__ import annotations

from typing import Any

import pytest

from engine.core.errors import NotFound
from tests.core.run.one_activity import ONCE, with_activity
from tests.core.support.core import Core
from tests.core.support.messages import (
    cancel_activity,
    retry_policy,
    seconds,
)


@pytest.mark.parametrize(
    ("timeouts", "taken", "after_seconds", "message", "timeout_type", "retry_state"),
    [
        (
            {"schedule_to_start_timeout": seconds(3)},
            False,
            3,
            "activity ScheduleToStart timeout",
            "SCHEDULE_TO_START",
            "TIMEOUT",
        ),
        (
            {"schedule_to_close_timeout": seconds(4), "start_to_close_timeout": None},
            False,
            4,
            "activity ScheduleToStart timeout",
            "SCHEDULE_TO_START",
            "TIMEOUT",
        ),
        (
            {"schedule_to_close_timeout": seconds(4), "start_to_close_timeout": None},
            True,
            4,
            "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying",
            "SCHEDULE_TO_CLOSE",
            "TIMEOUT",
        ),
        (
            {"start_to_close_timeout": seconds(5), "retry_policy": ONCE},
            True,
            5,
            "activity StartToClose timeout",
            "START_TO_CLOSE",
            "MAXIMUM_ATTEMPTS_REACHED",
        ),
        (
            {"heartbeat_timeout": seconds(2), "retry_policy": ONCE},
            True,
            2,
            "activity Heartbeat timeout",
            "HEARTBEAT",
            "MAXIMUM_ATTEMPTS_REACHED",
        ),
        (
            {"retry_policy": retry_policy(non_retryable=["TemporalTimeout:StartToClose"])},
            True,
            10,
            "activity StartToClose timeout",
            "START_TO_CLOSE",
            "NON_RETRYABLE_FAILURE",
        ),
        (
            {
                "heartbeat_timeout": seconds(2),
                "retry_policy": retry_policy(non_retryable=["TemporalTimeout:Heartbeat"]),
            },
            True,
            2,
            "activity Heartbeat timeout",
            "HEARTBEAT",
            "NON_RETRYABLE_FAILURE",
        ),
    ],
    ids=["to-start", "close-unstarted", "close-started", "to-close", "heartbeat", "to-close-type", "heartbeat-type"],
)
def test_a_time_out_closes_it(
    timeouts: dict[str, Any], taken: bool, after_seconds: float, message: str, timeout_type: str, retry_state: str
) -> None:
    core = Core()
    run = with_activity(core, **timeouts)
    if taken:
        run.poll_activity("a")
    core.advance(after_seconds - 0.001)
    run.assert_history("5 ActivityTaskScheduled")
    core.advance(0.001)
    started = "6 ActivityTaskStarted attempt=1\n" if taken else ""
    closed = 7 if taken else 6
    run.assert_history(
        f"{started}{closed} ActivityTaskTimedOut scheduled_event_id=5 started_event_id={6 if taken else 0} "
        f"'failure.message={message}' failure.source=Server "
        f"failure.timeout_failure_info.timeout_type={timeout_type} failure.cause=- retry_state={retry_state}\n"
        f"{closed + 1} WorkflowTaskScheduled"
    )


@pytest.mark.parametrize(
    ("timeouts", "after_seconds", "message"),
    [
        ({}, 10, "activity StartToClose timeout"),
        ({"heartbeat_timeout": seconds(2)}, 2, "activity Heartbeat timeout"),
    ],
)
def test_a_time_out_is_retried(timeouts: dict[str, Any], after_seconds: float, message: str) -> None:
    core = Core()
    run = with_activity(core, **timeouts)
    late = run.poll_activity("a")
    core.advance(after_seconds)
    assert run.activity("a").attempt == 2
    with pytest.raises(NotFound):
        run.complete_activity(late)
    core.advance(1)
    run.complete_activity(run.poll_activity("a"))
    run.assert_history(f"""
        6 ActivityTaskStarted attempt=2 'last_failure.message={message}' last_failure.source=Server
        7 ActivityTaskCompleted
        8 WorkflowTaskScheduled
    """)


def test_schedule_to_start_counts_anew_for_each_attempt() -> None:
    core = Core()
    run = with_activity(core, schedule_to_start_timeout=seconds(3))
    core.advance(2)
    run.fail_activity(run.poll_activity("a"))
    core.advance(3.5)
    assert run.activity("a").attempt == 2
    core.advance(0.5)
    run.assert_history("""
        6 ActivityTaskTimedOut failure.timeout_failure_info.timeout_type=SCHEDULE_TO_START started_event_id=0 \
failure.cause.message=boom
        7 WorkflowTaskScheduled
    """)


def test_schedule_to_close_counts_over_the_attempts() -> None:
    core = Core()
    run = with_activity(core, schedule_to_close_timeout=seconds(5), retry_policy=retry_policy(coefficient=1))
    for _ in range(4):
        run.fail_activity(run.poll_activity("a"))
        core.advance(1)
    run.poll_activity("a")
    core.advance(1)
    run.assert_history("""
        6 ActivityTaskStarted attempt=5
        7 ActivityTaskTimedOut failure.timeout_failure_info.timeout_type=SCHEDULE_TO_CLOSE retry_state=TIMEOUT
        8 WorkflowTaskScheduled
    """)


def test_a_time_out_after_a_cancel_request_is_not_retried() -> None:
    core = Core()
    run = with_activity(core, heartbeat_timeout=seconds(2))
    run.poll_activity("a")
    run.signal()
    run.complete(cancel_activity(5))
    core.advance(2)
    run.assert_history("""
        11 ActivityTaskStarted
        12 ActivityTaskTimedOut retry_state=CANCEL_REQUESTED failure.timeout_failure_info.timeout_type=HEARTBEAT
        13 WorkflowTaskScheduled
    """)
