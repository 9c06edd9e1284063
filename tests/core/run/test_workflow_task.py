"""The workflow task: its attempts, time-outs, sticky queue, heartbeats, and inline successors."""

from __future__ import annotations

from typing import Any

import pytest

from engine.core import inputs
from engine.core.errors import NotFound
from engine.core.policy.limits import Limits
from engine.core.run.workflow_task import start_to_close_timeout_ns
from tests.core.support.core import Core, Run
from tests.core.support.env import SECOND_NS
from tests.core.support.history import outline
from tests.core.support.messages import (
    application_failure,
    complete_workflow,
    payloads,
    schedule_activity,
    start_timer,
    sticky,
)


def _not_found(run: Run, message: str) -> None:
    with pytest.raises(NotFound) as raised:
        run.complete(complete_workflow())
    assert raised.value.message == message


# Scheduled and started.


def test_its_events() -> None:
    run = Core().start(workflow_task_timeout={"seconds": 7})
    task = run.poll(identity="somebody")
    run.assert_history("""
        2 WorkflowTaskScheduled task_queue.name=queue task_queue.kind=NORMAL start_to_close_timeout=7s attempt=1
        3 WorkflowTaskStarted scheduled_event_id=2 identity=somebody suggest_continue_as_new=false
    """)
    size_bytes = sum(map(len, run.stored.blobs[:2]))
    assert run.events[2].workflow_task_started_event_attributes.history_size_bytes == size_bytes
    assert (task.first_event_id, task.next_event_id, task.previous_started_event_id) == (1, 4, 0)
    assert task.unwritten_events == ()
    run.complete(start_timer("t", 60))
    run.assert_history(
        "4 WorkflowTaskCompleted scheduled_event_id=2 started_event_id=3 identity=worker\n5 TimerStarted"
    )


def test_an_offer_can_be_taken_once() -> None:
    run = Core().start()
    offer = run.offered_workflow_task
    assert offer is not None
    run.poll()
    assert run.dispatch_workflow_task(offer) is None
    run.complete()
    assert run.dispatch_workflow_task(offer) is None
    run.signal()
    assert run.dispatch_workflow_task(offer) is None
    run.terminate()
    assert run.offered_workflow_task is not None
    assert run.dispatch_workflow_task(run.offered_workflow_task) is None


def test_a_long_history_suggests_to_continue_as_new() -> None:
    run = Core(Limits(history_count_suggest_continue_as_new=5, history_size_suggest_continue_as_new_bytes=400)).start()
    run.poll()
    for number in range(20):
        run.signal(f"signal {number}")
    run.complete()
    run.poll()
    started = run.events[-1].workflow_task_started_event_attributes
    assert started.suggest_continue_as_new
    run.assert_history("26 WorkflowTaskStarted suggest_continue_as_new_reasons=1,2")


# Failed: attempts after the first are transient.


def test_only_the_first_failure_is_written() -> None:
    run = Core().start()
    for attempt in range(1, 4):
        task = run.poll()
        assert task.token.attempt == attempt
        run.fail_workflow_task(failure=application_failure(f"failure {attempt}"), cause=5)
    run.assert_history("""
        3 WorkflowTaskStarted
        4 WorkflowTaskFailed scheduled_event_id=2 started_event_id=3 'failure.message=failure 1' identity=worker
    """)
    assert run.offered_workflow_task is not None
    assert run.offered_workflow_task.attempt == 4


def test_a_transient_attempt_shows_the_events_that_it_would_have() -> None:
    core = Core()
    run = core.start()
    run.fail_workflow_task()
    core.advance(1)
    task = run.poll(identity="another")
    assert task.next_event_id == 5
    assert outline(task.unwritten_events) == "5 WorkflowTaskScheduled\n6 WorkflowTaskStarted"
    scheduled, started = task.unwritten_events
    assert scheduled.workflow_task_scheduled_event_attributes.attempt == 2
    assert started.workflow_task_started_event_attributes.identity == "another"
    core.advance(1)
    run.complete(start_timer("t", 60))
    run.assert_history("""
        4 WorkflowTaskFailed
        5 WorkflowTaskScheduled attempt=2 .event_time=+0s
        6 WorkflowTaskStarted scheduled_event_id=5 identity=another .event_time=+1s
        7 WorkflowTaskCompleted scheduled_event_id=5 started_event_id=6 .event_time=+2s
        8 TimerStarted
    """)
    assert [event.SerializeToString() for event in task.unwritten_events] == run.stored.blobs[4:6]
    run.signal()
    assert run.poll().token.attempt == 1


def test_a_signal_between_two_attempts_makes_a_normal_task() -> None:
    run = Core().start()
    run.fail_workflow_task()
    run.signal()
    run.assert_history("4 WorkflowTaskFailed\n5 WorkflowExecutionSignaled")
    task = run.poll()
    assert (task.token.attempt, task.unwritten_events) == (1, ())
    run.assert_history("""
        5 WorkflowExecutionSignaled
        6 WorkflowTaskScheduled attempt=1
        7 WorkflowTaskStarted scheduled_event_id=6
    """)
    run.complete(complete_workflow())


def test_a_signal_during_a_transient_attempt_comes_after_it() -> None:
    run = Core().start()
    run.fail_workflow_task()
    run.poll()
    run.signal()
    run.assert_history("4 WorkflowTaskFailed")
    run.complete(start_timer("t", 60))
    run.assert_history("""
        5 WorkflowTaskScheduled attempt=2
        6 WorkflowTaskStarted
        7 WorkflowTaskCompleted
        8 TimerStarted
        9 WorkflowExecutionSignaled
        10 WorkflowTaskScheduled attempt=1
    """)


def test_a_transient_attempt_that_fails_with_a_signal_buffered_leaves_no_event() -> None:
    run = Core().start()
    run.fail_workflow_task()
    run.poll()
    run.signal()
    run.fail_workflow_task()
    run.assert_history("""
        4 WorkflowTaskFailed
        5 WorkflowExecutionSignaled
        6 WorkflowTaskScheduled attempt=1
    """)


def test_a_bad_command_of_a_later_attempt_is_dropped_until_the_time_out() -> None:
    core = Core()
    run = core.start()
    run.complete(start_timer("", 1))
    task = run.poll()
    assert run.complete(start_timer("", 1)).error is not None
    run.assert_history("4 WorkflowTaskFailed")
    assert run.state.workflow_task_started
    core.advance(10)
    with pytest.raises(NotFound):
        run.complete(task=task)
    assert run.offered_workflow_task is not None
    assert run.offered_workflow_task.attempt == 3


@pytest.mark.parametrize(
    ("attempt", "timeout_seconds"),
    [(1, 10), (3, 10), (4, 15), (5, 20), (6, 30), (7, 50), (10, 330), (11, 610), (40, 610), (5000, 610)],
)
def test_a_task_that_keeps_failing_gets_more_time(attempt: int, timeout_seconds: int) -> None:
    run = Core().start()
    assert start_to_close_timeout_ns(run.state, attempt) == timeout_seconds * SECOND_NS


def test_a_failure_that_says_the_reply_was_too_large_ends_the_run() -> None:
    run = Core().start()
    run.fail_workflow_task(cause="WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE")
    run.assert_history("""
        4 WorkflowTaskFailed cause=FORCE_CLOSE_COMMAND
        5 WorkflowExecutionTerminated reason=GrpcMessageTooLarge identity=history-service
    """)


# Timed out.


def test_its_time_out() -> None:
    core = Core()
    run = core.start()
    run.poll()
    core.advance(9.999)
    run.assert_history("3 WorkflowTaskStarted")
    core.advance(0.001)
    run.assert_history("4 WorkflowTaskTimedOut timeout_type=START_TO_CLOSE scheduled_event_id=2 started_event_id=3")
    _not_found(run, "Workflow task not found.")
    assert run.poll().token.attempt == 2
    core.advance(10)
    run.assert_history("4 WorkflowTaskTimedOut")
    assert run.poll().token.attempt == 3


def test_a_waiting_task_of_a_normal_queue_never_times_out() -> None:
    run = Core().start()
    assert run.next_deadline_ns is None


def test_stale_tokens() -> None:
    run = Core().start()
    first = run.poll()
    run.complete(start_timer("t", 60))
    with pytest.raises(NotFound, match="Workflow task not found"):
        run.complete(task=first)
    with pytest.raises(NotFound, match="Workflow task not found"):
        run.fail_workflow_task(task=first)
    run.signal()
    with pytest.raises(NotFound, match="Workflow task not found"):
        run.complete(task=first)
    second = run.poll()
    run.terminate()
    with pytest.raises(NotFound, match="Workflow task not found"):
        run.complete(task=second)
    with pytest.raises(NotFound, match="workflow execution already completed"):
        run.fail_workflow_task(task=second)


def test_two_transient_attempts_with_the_same_ids_have_different_tokens() -> None:
    run = Core().start()
    run.fail_workflow_task()
    second = run.poll()
    run.fail_workflow_task()
    third = run.poll()
    assert second.token.scheduled_event_id == third.token.scheduled_event_id
    with pytest.raises(NotFound):
        run.complete(task=second)
    run.complete(complete_workflow(), task=third)


# Given back.


def test_an_undelivered_task_is_offered_again_at_once() -> None:
    run = Core().start()
    task = run.poll()
    run.send(inputs.WorkflowTaskUndelivered(run.ref, task.token))
    run.assert_history("4 WorkflowTaskTimedOut timeout_type=START_TO_CLOSE")
    again = run.poll()
    run.send(inputs.WorkflowTaskUndelivered(run.ref, task.token))
    run.complete(complete_workflow(), task=again)


# Forced and returned.


def test_a_forced_task_is_scheduled_without_news() -> None:
    run = Core().start()
    run.complete(force_create_new_workflow_task=True)
    run.assert_history("4 WorkflowTaskCompleted\n5 WorkflowTaskScheduled attempt=1")


def test_heartbeats_count_from_the_first_one() -> None:
    core = Core(Limits(workflow_task_heartbeat_timeout_ns=20 * SECOND_NS))
    run = core.start()
    run.poll()
    for _ in range(4):
        core.advance(5)
        run.complete(force_create_new_workflow_task=True, return_new_workflow_task=True, sticky_attributes=sticky())
    last_event_id = len(run.events)
    core.advance(5)
    reply = run.complete(force_create_new_workflow_task=True, return_new_workflow_task=True)
    assert str(reply.error) == "workflow task heartbeat timeout"
    run.assert_history(f"""
        {last_event_id} WorkflowTaskStarted
        {last_event_id + 1} WorkflowTaskTimedOut timeout_type=START_TO_CLOSE
    """)
    assert run.offered_workflow_task is not None
    assert (run.offered_workflow_task.sticky, run.offered_workflow_task.attempt) == (False, 2)


def test_a_completion_with_commands_is_no_heartbeat() -> None:
    core = Core(Limits(workflow_task_heartbeat_timeout_ns=5 * SECOND_NS))
    run = core.start()
    run.poll()
    core.advance(6)
    assert run.complete(start_timer("t", 60), force_create_new_workflow_task=True).error is None
    run.poll()
    core.advance(4)
    assert run.complete(force_create_new_workflow_task=True).error is None


def test_a_new_task_is_returned_to_the_completing_worker() -> None:
    run = Core().start()
    run.poll()
    run.signal()
    reply = run.complete(start_timer("t", 60), return_new_workflow_task=True, sticky_attributes=sticky())
    task = reply.new_workflow_task
    assert task is not None
    assert (task.first_event_id, task.next_event_id, task.previous_started_event_id) == (4, 9, 3)
    assert run.offered_workflow_task is None
    run.assert_history("""
        4 WorkflowTaskCompleted
        5 TimerStarted
        6 WorkflowExecutionSignaled
        7 WorkflowTaskScheduled
        8 WorkflowTaskStarted scheduled_event_id=7 request_id=request-from-RespondWorkflowTaskCompleted identity=worker
    """)
    run.complete(complete_workflow())


def test_no_new_task_is_returned_when_nothing_waits() -> None:
    run = Core().start()
    assert run.complete(return_new_workflow_task=True).new_workflow_task is None
    assert run.history().endswith("4 WorkflowTaskCompleted")


def test_activities_that_close_before_the_completion_give_one_task() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"), schedule_activity("b"))
    for name in "ab":
        run.complete_activity(run.poll_activity(name))
    assert run.history().count("WorkflowTaskScheduled") == 2


# Queries ride on a completion.


def test_answers_of_queries_are_handed_on() -> None:
    run = Core().start()
    run.complete(query_results={"q": {"result_type": 1, "answer": payloads(1)}})
    (answers,) = run.answered_queries
    assert (list(answers.results), answers.unblock) == (["q"], True)
    run.signal()
    run.poll()
    run.signal()
    run.complete()
    assert run.answered_queries[-1].unblock is False


@pytest.mark.parametrize(
    "nothing",
    [{}, {"result_type": 1}, {"result_type": 2}, {"result_type": 1, "answer": payloads(1), "error_message": "no"}],
)
def test_an_answer_that_says_nothing_is_none(nothing: dict[str, Any]) -> None:
    run = Core().start()
    run.complete(query_results={"q": nothing})
    assert run.answered_queries[-1].results == {}


def test_an_answer_that_is_too_large_is_an_error() -> None:
    run = Core(Limits(blob_size_error_bytes=100)).start()
    run.complete(query_results={"q": {"result_type": 1, "answer": payloads("x" * 100)}})
    assert str(run.answered_queries[-1].results["q"]) == "Blob data size exceeds limit."
