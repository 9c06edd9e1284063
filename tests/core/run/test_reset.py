"""Reset: the new run's first events, its failed workflow task, what it waits for, and what ends."""

from __future__ import annotations

import pytest

from engine.core.errors import InvalidArgument
from tests.core.support.core import Core, Run
from tests.core.support.messages import (
    application_failure,
    cancel_activity,
    complete_workflow,
    fail_workflow,
    retry_policy,
    schedule_activity,
    seconds,
    start_timer,
    sticky,
)
from tests.core.support.reset import reset_run

FIRST_COMPLETED = 4


def two_tasks() -> Run:
    """Return an open run whose workflow tasks completed with the events 4 and 8."""
    run = Core().start()
    run.complete()
    run.core.advance(1)
    run.signal("between")
    run.core.advance(1)
    run.complete()
    return run


def boundary(event_id: int) -> str:
    return (
        f"StateRebuilder unable to Rebuild mutable state to event ID: {event_id - 1}, version: 0, "
        "this event must be at the boundary"
    )


def no_task(event_id: int) -> str:
    return (
        f"Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, WorkflowTaskStarted + 1]: {event_id}"
    )


# The two runs.


def test_the_new_run_goes_on_after_the_workflow_task() -> None:
    run = two_tasks()
    new = reset_run(run, 8)
    new.assert_history(f"""
        1 WorkflowExecutionStarted original_execution_run_id={run.state.run_id} \
first_execution_run_id={run.state.run_id}
        2 WorkflowTaskScheduled
        3 WorkflowTaskStarted
        4 WorkflowTaskCompleted
        5 WorkflowExecutionSignaled
        6 WorkflowTaskScheduled
        7 WorkflowTaskStarted
        8 WorkflowTaskFailed scheduled_event_id=6 started_event_id=7 cause=RESET_WORKFLOW failure.message=again \
identity=history-service base_run_id={run.state.run_id} new_run_id={new.state.run_id}
        9 WorkflowTaskScheduled attempt=1
    """)
    assert new.stored.blobs[:7] == run.stored.blobs[:7]
    new.complete(complete_workflow())
    new.assert_history("12 WorkflowExecutionCompleted")


def test_the_current_run_is_terminated() -> None:
    run = two_tasks()
    new = reset_run(run, 8)
    run.assert_history("9 WorkflowExecutionTerminated reason=again identity=history-resetter details=-")
    assert run.state.reset_run_id == new.state.run_id
    assert not run.state.made_by_reset
    assert new.state.made_by_reset
    assert run.core.current() is new


def test_a_started_task_of_the_current_run_fails_and_what_it_held_back_is_in_both_runs() -> None:
    run = two_tasks()
    run.signal("third")
    run.poll()
    run.signal("held back")
    new = reset_run(run, 8)
    run.assert_history("""
        12 WorkflowTaskFailed cause=FORCE_CLOSE_COMMAND
        13 WorkflowExecutionSignaled signal_name="held back"
        14 WorkflowExecutionTerminated
    """)
    new.assert_history("""
        8 WorkflowTaskFailed
        9 WorkflowExecutionSignaled signal_name=third
        10 WorkflowExecutionSignaled signal_name="held back"
        11 WorkflowTaskScheduled
    """)


def test_a_closed_run_stays_as_it_is() -> None:
    run = two_tasks()
    run.signal()
    run.complete(complete_workflow(1))
    history = run.history()
    new = reset_run(run, 8)
    assert run.history() == history
    assert run.state.reset_run_id == new.state.run_id
    new.complete(complete_workflow(2))


def test_another_open_run_of_the_workflow_is_terminated() -> None:
    run = two_tasks()
    run.terminate()
    other = run.core.start()
    new = reset_run(run, 8)
    other.assert_history("3 WorkflowExecutionTerminated identity=history-resetter")
    assert (run.state.reset_run_id, other.state.reset_run_id) == (new.state.run_id, "")


def test_the_new_run_can_be_reset_too() -> None:
    run = two_tasks()
    second = reset_run(run, 8)
    second.complete()
    third = reset_run(second, FIRST_COMPLETED)
    third.assert_history(f"""
        4 WorkflowTaskFailed base_run_id={second.state.run_id} new_run_id={third.state.run_id}
        5 WorkflowExecutionSignaled signal_name=between
        6 WorkflowTaskScheduled
    """)
    fourth = reset_run(second, 11)
    fourth.assert_history("""
        8 WorkflowTaskFailed cause=RESET_WORKFLOW
        9 WorkflowTaskScheduled
        10 WorkflowTaskStarted
        11 WorkflowTaskFailed cause=RESET_WORKFLOW
        12 WorkflowTaskScheduled
    """)


# The reset point.


def test_a_task_that_nobody_had_is_started_to_be_failed() -> None:
    new = reset_run(two_tasks(), 7)
    new.assert_history("""
        7 WorkflowTaskStarted scheduled_event_id=6 identity=history-service request_id=emptyUuid
        8 WorkflowTaskFailed started_event_id=7
        9 WorkflowTaskScheduled
    """)


@pytest.mark.parametrize("by", ["failure", "time-out"])
def test_after_a_task_that_failed_another_attempt_is_failed(by: str) -> None:
    run = Core().start()
    run.poll()
    run.core.advance(1)
    if by == "failure":
        run.fail_workflow_task()
    run.core.advance(10)
    run.task = None
    run.complete(complete_workflow())
    new = reset_run(run, 5)
    new.assert_history("""
        5 WorkflowTaskScheduled attempt=1
        6 WorkflowTaskStarted identity=history-service
        7 WorkflowTaskFailed cause=RESET_WORKFLOW scheduled_event_id=5 started_event_id=6
        8 WorkflowTaskScheduled attempt=1
    """)


def test_a_further_attempt_counts_as_a_first_one_again() -> None:
    run = Core().start()
    run.fail_workflow_task()
    run.core.advance(1)
    run.complete()
    new = reset_run(run, 7)
    new.assert_history("""
        5 WorkflowTaskScheduled attempt=2
        6 WorkflowTaskStarted
        7 WorkflowTaskFailed cause=RESET_WORKFLOW
        8 WorkflowTaskScheduled attempt=1
    """)


@pytest.mark.parametrize("event_id", [-1, 0, 1, 9, 1000])
def test_an_event_that_is_not_there(event_id: int) -> None:
    with pytest.raises(InvalidArgument, match="Workflow task finish ID must be > 1 && <= workflow last event ID"):
        reset_run(two_tasks(), event_id)


@pytest.mark.parametrize(
    ("event_id", "message"),
    [(2, boundary(2)), (3, ""), (4, ""), (5, no_task(5)), (6, boundary(6)), (7, ""), (8, "")],
)
def test_every_event_of_two_tasks(event_id: int, message: str) -> None:
    run = two_tasks()
    if not message:
        reset_run(run, event_id)
        return
    with pytest.raises(InvalidArgument) as raised:
        reset_run(run, event_id)
    assert raised.value.message == message
    assert run.state.running


def test_only_after_the_last_event_of_a_batch() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"), start_timer("t", 60))
    run.core.advance(1)
    run.complete_activity(run.poll_activity("a"))
    run.core.advance(1)
    run.complete(force_create_new_workflow_task=True, return_new_workflow_task=True)
    run.complete()
    for event_id in (5, 6, 8, 9, 12, 13):
        with pytest.raises(InvalidArgument) as raised:
            reset_run(run, event_id)
        assert raised.value.message == boundary(event_id), event_id
    reset_run(run, 14)


def test_the_start_s_own_request_id_counts_as_done() -> None:
    run = Core().start(request_id="mine")
    run.complete()
    assert reset_run(run, FIRST_COMPLETED, request_id="mine") is run
    first = reset_run(run, FIRST_COMPLETED, request_id="other")
    assert reset_run(run, FIRST_COMPLETED, request_id="other") is not first


# What the new run waits for.


def test_pending_activities_are_first_attempts_again() -> None:
    run = Core().start()
    run.complete(
        schedule_activity("a", schedule_to_close_timeout=seconds(100), retry_policy=retry_policy(initial=30)),
        schedule_activity("done"),
    )
    run.complete_activity(run.poll_activity("done"))
    old = run.poll_activity("a")
    run.heartbeat(old, "progress")
    run.fail_activity(old)
    run.core.advance(50)
    run.complete()
    new = reset_run(run, 10)
    activity = new.activity("a")
    assert (activity.attempt, activity.started, activity.backing_off) == (1, False, False)
    assert (activity.heartbeat_details, activity.last_failure) == (None, None)
    assert "done" not in new.state.activity_ids
    assert new.offered_activities[5].attempt == 1
    new.core.advance(99)
    assert new.state.activities
    new.core.advance(1)
    new.assert_history("13 ActivityTaskTimedOut failure.timeout_failure_info.timeout_type=SCHEDULE_TO_START")


def test_a_cancellation_that_was_requested_still_is() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"))
    run.poll_activity("a")
    run.signal()
    run.complete(cancel_activity(5))
    run.core.advance(1)
    run.signal()
    run.complete()
    new = reset_run(run, 13)
    assert new.heartbeat(new.poll_activity("a")).cancel_requested


def test_timers_keep_their_times() -> None:
    run = Core().start()
    run.complete(start_timer("t", 10), start_timer("passed", 5))
    run.core.advance(6)
    run.complete()
    new = reset_run(run, FIRST_COMPLETED + 5)
    new.core.advance(3)
    assert "TimerFired" not in new.history().splitlines()[-1]
    new.core.advance(1)
    new.assert_history("""
        12 TimerFired timer_id=t started_event_id=5
    """)


def test_a_timer_that_is_due_fires_at_once() -> None:
    run = Core().start()
    run.complete(start_timer("t", 10))
    run.signal()
    run.core.advance(1)
    run.complete()
    run.core.advance(10)
    new = reset_run(run, 9)
    new.core.advance(0)
    new.assert_history("11 TimerFired timer_id=t")


def test_the_timeouts_begin_again() -> None:
    run = Core().start(
        workflow_run_timeout=seconds(20), workflow_execution_timeout=seconds(30), retry_policy=retry_policy(initial=1)
    )
    run.complete()
    run.core.advance(15)
    new = reset_run(run, FIRST_COMPLETED)
    assert new.state.start_time_ns == new.state.original_start_time_ns + 15 * 10**9
    new.core.advance(19)
    assert new.state.running
    new.core.advance(1)
    new.assert_history("6 WorkflowExecutionTimedOut retry_state=IN_PROGRESS")
    new.next_run.assert_history("1 WorkflowExecutionStarted workflow_execution_expiration_time=+45s")
    new.core.advance(10)
    assert not new.next_run.state.running


def test_stickiness_is_gone() -> None:
    run = Core().start()
    run.complete(sticky_attributes=sticky())
    run.signal()
    new = reset_run(run, FIRST_COMPLETED)
    new.assert_history("6 WorkflowTaskScheduled task_queue.kind=NORMAL attempt=1")
    assert not new.state.sticky_task_queue


def test_the_next_run_of_a_retried_run_follows_the_new_run() -> None:
    run = Core().start(retry_policy=retry_policy(initial=1))
    run.complete(fail_workflow(application_failure()))
    new = reset_run(run, FIRST_COMPLETED)
    new.complete(fail_workflow(application_failure()))
    new.next_run.assert_history(f"""
        1 WorkflowExecutionStarted attempt=2 continued_execution_run_id={new.state.run_id} \
first_execution_run_id={run.state.run_id}
    """)


def test_builds_and_reset_points_are_those_of_the_first_events() -> None:
    run = Core().start()
    run.complete(worker_version_stamp={"build_id": "one"})
    run.signal()
    run.complete(worker_version_stamp={"build_id": "two"})
    new = reset_run(run, 8)
    assert [point.build_id for point in new.state.auto_reset_points] == ["one"]
    assert [point.run_id for point in new.state.auto_reset_points] == [new.state.run_id]
    assert b"two" not in new.state.search_attributes["BuildIds"].data
