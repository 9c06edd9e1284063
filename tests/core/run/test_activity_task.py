"""An activity's life after its command: attempts, retries, time-outs, heartbeats, answers by id."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.common.v1 import RetryPolicy

from engine.core import inputs
from engine.core.errors import InvalidArgument, NotFound
from engine.core.policy.limits import Limits
from tests.core.run.one_activity import ONCE, with_activity
from tests.core.support.core import Core
from tests.core.support.env import SECOND_NS, START_NS
from tests.core.support.messages import (
    application_failure,
    cancel_activity,
    payloads,
    retry_policy,
    schedule_activity,
    seconds,
)

# Completed and failed.


def test_its_start_is_written_when_it_closes() -> None:
    core = Core()
    run = with_activity(core)
    core.advance(1)
    task = run.poll_activity("a", identity="taker")
    run.assert_history("5 ActivityTaskScheduled")
    assert (task.attempt, task.started_time_ns, task.heartbeat_details) == (1, START_NS + SECOND_NS, None)
    request_id = run.activity("a").request_id
    assert request_id
    core.advance(1)
    run.complete_activity(task, "done")
    run.assert_history(f"""
        6 ActivityTaskStarted scheduled_event_id=5 identity=taker attempt=1 request_id={request_id} last_failure=- \
.event_time=+1s
        7 ActivityTaskCompleted scheduled_event_id=5 started_event_id=6 'result="done"' identity=worker .event_time=+2s
        8 WorkflowTaskScheduled
    """)


def test_an_offer_can_be_taken_once() -> None:
    run = with_activity()
    offer = run.offered_activities[5]
    task = run.poll_activity("a")
    assert run.dispatch_activity(offer) is None
    run.fail_activity(task)
    assert run.dispatch_activity(offer) is None


def test_an_attempt_is_not_started_before_its_time() -> None:
    """Its offer may be left from a change that was thrown away."""
    run = with_activity()
    offer = run.offered_activities[5]
    run.fail_activity(run.poll_activity("a"))
    assert run.dispatch_activity(offer._replace(attempt=2)) is None
    run.core.advance(1)
    assert run.poll_activity("a").attempt == 2


@pytest.mark.parametrize("answer", ["complete_activity", "fail_activity", "cancel_activity", "heartbeat"])
def test_a_closed_activity_takes_no_answer(answer: str) -> None:
    run = with_activity()
    task = run.poll_activity("a")
    run.complete_activity(task)
    with pytest.raises(NotFound) as raised:
        getattr(run, answer)(task)
    assert str(raised.value) == ("invalid activityID or activity already timed out or invoking workflow is completed")
    run.terminate()
    with pytest.raises(NotFound, match="workflow execution already completed"):
        getattr(run, answer)(task)


def test_an_earlier_attempt_takes_no_answer() -> None:
    core = Core()
    run = with_activity(core)
    first = run.poll_activity("a")
    run.fail_activity(first)
    with pytest.raises(NotFound):
        run.complete_activity(first)
    core.advance(1)
    second = run.poll_activity("a")
    with pytest.raises(NotFound):
        run.heartbeat(first)
    run.complete_activity(second)


def test_a_failure_is_retried_with_growing_intervals() -> None:
    core = Core()
    run = with_activity(core, retry_policy=retry_policy(initial=2, coefficient=3, maximum=10, attempts=4))
    for attempt, interval_seconds in ((1, 2), (2, 6), (3, 10)):
        task = run.poll_activity("a")
        assert task.attempt == attempt
        run.fail_activity(task, application_failure(f"failure {attempt}"))
        assert run.offered_activities == {}
        core.advance(interval_seconds - 0.001)
        assert run.offered_activities == {}
        core.advance(0.001)
        assert run.offered_activities[5].attempt == attempt + 1
    run.assert_history("5 ActivityTaskScheduled")
    run.fail_activity(run.poll_activity("a"), application_failure("failure 4"))
    run.assert_history("""
        6 ActivityTaskStarted attempt=4 'last_failure.message=failure 3' .event_time=+18s
        7 ActivityTaskFailed started_event_id=6 'failure.message=failure 4' retry_state=MAXIMUM_ATTEMPTS_REACHED \
identity=worker
        8 WorkflowTaskScheduled
    """)


@pytest.mark.parametrize(
    ("policy", "failure", "retry_state"),
    [
        (ONCE, application_failure(), "MAXIMUM_ATTEMPTS_REACHED"),
        (retry_policy(), application_failure(non_retryable=True), "NON_RETRYABLE_FAILURE"),
        (retry_policy(non_retryable=["Oops"]), application_failure(), "NON_RETRYABLE_FAILURE"),
    ],
)
def test_a_failure_that_is_not_retried(policy: RetryPolicy, failure: Any, retry_state: str) -> None:
    run = with_activity(retry_policy=policy)
    run.fail_activity(run.poll_activity("a"), failure)
    run.assert_history(f"""
        6 ActivityTaskStarted attempt=1
        7 ActivityTaskFailed retry_state={retry_state}
        8 WorkflowTaskScheduled
    """)


def test_next_retry_delay_replaces_the_interval_once() -> None:
    core = Core()
    run = with_activity(core, retry_policy=retry_policy(maximum=5))
    run.fail_activity(run.poll_activity("a"), application_failure(next_retry_delay=seconds(30)))
    core.advance(29.9)
    assert run.offered_activities == {}
    core.advance(0.1)
    run.fail_activity(run.poll_activity("a"))
    core.advance(2)
    assert run.poll_activity("a").attempt == 3


def test_a_retry_that_would_come_too_late_is_not_made() -> None:
    core = Core()
    run = with_activity(core, schedule_to_close_timeout=seconds(10), retry_policy=retry_policy(initial=6))
    core.advance(5)
    run.fail_activity(run.poll_activity("a"), application_failure("no"))
    run.assert_history("""
        6 ActivityTaskStarted
        7 ActivityTaskFailed failure.message=no retry_state=TIMEOUT
        8 WorkflowTaskScheduled
    """)


def test_a_failure_kept_between_attempts_is_cut() -> None:
    core = Core(Limits(activity_failure_size_error_bytes=100))
    run = with_activity(core, retry_policy=retry_policy(attempts=2))
    run.fail_activity(run.poll_activity("a"), application_failure("x" * 200))
    core.advance(1)
    run.fail_activity(run.poll_activity("a"), application_failure("y" * 200))
    started, failed = run.events[5:7]
    last_failure = started.activity_task_started_event_attributes.last_failure
    assert last_failure.message == "Failure exceeds size limit."
    assert last_failure.cause.message == "x" * len(last_failure.cause.message)
    assert 0 < len(last_failure.cause.message) <= 100
    assert failed.activity_task_failed_event_attributes.failure.message == "y" * 200


def test_the_retry_survives_a_reload() -> None:
    core = Core()
    run = with_activity(core)
    run.fail_activity(run.poll_activity("a"), last_heartbeat_details=payloads("half"))
    run.reload()
    core.advance(1)
    task = run.poll_activity("a")
    assert task.heartbeat_details == payloads("half")
    run.reload()
    run.complete_activity(task)
    run.assert_history(
        "6 ActivityTaskStarted attempt=2 last_failure.message=boom\n7 ActivityTaskCompleted\n8 WorkflowTaskScheduled"
    )


# Given back.


def test_an_undelivered_attempt_is_offered_again() -> None:
    core = Core()
    run = with_activity(core)
    task = run.poll_activity("a")
    given_back = inputs.ActivityTaskUndelivered(run.ref, 5, 1, task.started_time_ns)
    run.send(given_back)
    with pytest.raises(NotFound):
        run.complete_activity(task)
    core.advance(1)
    again = run.poll_activity("a")
    assert again.attempt == 1
    run.send(given_back)
    core.advance(9.5)
    run.complete_activity(again)
    run.assert_history(
        "6 ActivityTaskStarted attempt=1 .event_time=+1s\n7 ActivityTaskCompleted\n8 WorkflowTaskScheduled"
    )


# Heartbeats.


def test_a_heartbeat_moves_its_deadline() -> None:
    core = Core()
    run = with_activity(core, heartbeat_timeout=seconds(2), start_to_close_timeout=seconds(60))
    task = run.poll_activity("a")
    for _ in range(5):
        core.advance(1.5)
        assert not run.heartbeat(task).cancel_requested
    core.advance(1.999)
    assert run.activity("a").started
    core.advance(0.001)
    assert not run.activity("a").started


def test_details_are_kept_over_attempts_until_replaced() -> None:
    core = Core()
    run = with_activity(core, retry_policy=retry_policy(attempts=4, coefficient=1))
    task = run.poll_activity("a")
    run.heartbeat(task, "one")
    run.heartbeat(task)
    run.fail_activity(task)
    core.advance(1)
    task = run.poll_activity("a")
    assert task.heartbeat_details == payloads("one")
    run.fail_activity(task, last_heartbeat_details=payloads("two"))
    core.advance(1)
    assert run.poll_activity("a").heartbeat_details == payloads("two")
    core.advance(10)
    core.advance(1)
    assert run.poll_activity("a").heartbeat_details == payloads("two")


def test_a_time_out_carries_the_last_details() -> None:
    core = Core()
    run = with_activity(core, heartbeat_timeout=seconds(2), retry_policy=ONCE)
    run.heartbeat(run.poll_activity("a"), "so far")
    core.advance(2)
    run.assert_history("""
        6 ActivityTaskStarted
        7 ActivityTaskTimedOut 'failure.timeout_failure_info.last_heartbeat_details="so far"'
        8 WorkflowTaskScheduled
    """)


# By id.


def test_answers_by_id() -> None:
    core = Core()
    run = core.start()
    run.complete(*(schedule_activity(name, retry_policy=ONCE) for name in "abc"))
    for name in "abc":
        run.poll_activity(name)
    run.heartbeat("a", 1)
    run.complete_activity("a", "done")
    run.fail_activity("b", application_failure("no"))
    run.complete(cancel_activity(7))
    assert run.heartbeat("c").cancel_requested
    run.cancel_activity("c", "stopped")
    run.assert_history("""
        8 ActivityTaskStarted scheduled_event_id=5
        9 ActivityTaskCompleted scheduled_event_id=5 'result="done"'
        10 WorkflowTaskScheduled
        11 ActivityTaskStarted scheduled_event_id=6
        12 ActivityTaskFailed scheduled_event_id=6 failure.message=no
        13 WorkflowTaskStarted
        14 WorkflowTaskCompleted
        15 ActivityTaskCancelRequested
        16 ActivityTaskStarted
        17 ActivityTaskCanceled 'details="stopped"'
        18 WorkflowTaskScheduled
    """)


def test_an_unknown_id() -> None:
    run = with_activity()
    with pytest.raises(NotFound) as raised:
        run.complete_activity("nobody")
    assert str(raised.value) == (
        "cannot find pending activity with ActivityID nobody, check workflow execution history for more details"
    )
    with pytest.raises(InvalidArgument, match="activityID cannot be empty"):
        run.complete_activity("")


@pytest.mark.parametrize("answer", ["fail_activity", "cancel_activity", "heartbeat"])
def test_by_id_before_a_worker_took_it(answer: str) -> None:
    run = with_activity()
    with pytest.raises(NotFound, match="invalid activityID or activity already timed out"):
        getattr(run, answer)("a")


def test_completion_by_id_before_a_worker_took_it() -> None:
    run = with_activity()
    offer = run.offered_activities[5]
    run.complete_activity("a", "done")
    run.assert_history("""
        6 ActivityTaskStarted identity=worker attempt=1 request_id=
        7 ActivityTaskCompleted started_event_id=6
        8 WorkflowTaskScheduled
    """)
    assert run.dispatch_activity(offer) is None
