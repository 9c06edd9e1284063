"""Speculative workflow tasks: in memory until the worker accepts an update, or until anything else is written."""

from __future__ import annotations

import pytest
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.protocol.v1 import Message

from engine.core import inputs
from engine.core.errors import InvalidArgument, NotFound
from engine.core.policy.limits import Limits
from tests.core.support.core import Core, Run
from tests.core.support.history import outline
from tests.core.support.messages import (
    STICKY_QUEUE,
    TASK_QUEUE,
    complete_workflow,
    schedule_activity,
    seconds,
    start_timer,
    sticky,
)
from tests.core.support.update_messages import REJECTION, accept, reject, respond, taking_events_again


def request_of(run: Run) -> Message:
    """Poll, and return the one message that asks for an update."""
    (message,) = run.poll().messages
    return message


def names(events: list[HistoryEvent] | tuple[HistoryEvent, ...]) -> list[str]:
    """Return the events' ids and types."""
    return outline(events).splitlines()


# In memory.


def test_scheduling_and_starting_it_writes_nothing() -> None:
    run = Core().start_idle()
    run.update()
    task = run.poll()
    assert names(run.events)[-1] == "4 WorkflowTaskCompleted"
    assert names(task.unwritten_events) == ["5 WorkflowTaskScheduled", "6 WorkflowTaskStarted"]
    assert (task.token.scheduled_event_id, task.token.started_event_id, task.next_event_id) == (5, 6, 5)
    assert task.messages[0].event_id == 5


def test_it_is_gone_with_the_memory() -> None:
    run = Core().start_idle()
    run.update()
    task = run.poll()
    run.reload()
    assert run.state.workflow_task is None
    with pytest.raises(NotFound, match="Workflow task not found"):
        run.complete(task=task)


def test_its_token_is_not_that_of_a_later_task_with_the_same_ids() -> None:
    core = Core()
    run = core.start_idle()
    run.update()
    lost = run.poll()
    run.reload()
    core.advance(1)
    run.update()
    again = run.poll()
    assert again.token.started_event_id == lost.token.started_event_id
    with pytest.raises(NotFound, match="Workflow task not found"):
        run.complete(task=lost)
    run.complete(task=again)


def test_it_comes_with_the_sticky_queue() -> None:
    run = Core().start()
    run.complete(sticky_attributes=sticky())
    run.update()
    task = run.poll(task_queue=STICKY_QUEUE)
    assert (task.first_event_id, task.next_event_id) == (4, 5)
    assert task.unwritten_events[0].workflow_task_scheduled_event_attributes.task_queue.normal_name == TASK_QUEUE


def test_reset_of_stickiness_offers_it_again() -> None:
    run = Core().start()
    run.complete(sticky_attributes=sticky())
    run.update()
    run.send(inputs.ResetStickyTaskQueue(run.ref))
    assert run.offered_workflow_task is not None
    assert run.offered_workflow_task.task_queue == TASK_QUEUE
    assert run.poll().first_event_id == 1


def test_a_task_that_no_worker_got_is_offered_again() -> None:
    core = Core()
    run = core.start_idle()
    run.update()
    lost = run.poll()
    run.send(inputs.WorkflowTaskUndelivered(run.ref, lost.token))
    core.advance(1)
    again = run.poll()
    assert again.messages == lost.messages
    run.complete(messages=[accept(again.messages[0])])
    run.assert_history("7 WorkflowTaskCompleted\n8 WorkflowExecutionUpdateAccepted")


# Completed.


def test_an_acceptance_writes_its_events() -> None:
    core = Core()
    run = core.start_idle()
    run.update()
    core.advance(1)
    message = request_of(run)
    core.advance(1)
    reply = run.complete(messages=[accept(message), respond()])
    assert reply.reset_history_event_id == 0
    run.assert_history("""
        5 WorkflowTaskScheduled .event_time=+0s task_queue.name=queue
        6 WorkflowTaskStarted .event_time=+1s scheduled_event_id=5 identity=worker
        7 WorkflowTaskCompleted .event_time=+2s scheduled_event_id=5 started_event_id=6
        8 WorkflowExecutionUpdateAccepted accepted_request_sequencing_event_id=5
        9 WorkflowExecutionUpdateCompleted
    """)


def test_commands_write_its_events() -> None:
    run = Core().start_idle()
    run.update()
    run.complete(start_timer("t", 60), messages=[reject(request_of(run))])
    run.assert_history("""
        5 WorkflowTaskScheduled
        6 WorkflowTaskStarted
        7 WorkflowTaskCompleted
        8 TimerStarted
    """)


@pytest.mark.parametrize("answered", [True, False])
def test_a_rejection_leaves_no_trace(answered: bool) -> None:
    run = Core().start_idle()
    before = run.events
    run.update()
    message = request_of(run)
    reply = run.complete(messages=[reject(message)] if answered else [])
    assert reply.reset_history_event_id == 3
    assert run.events == before
    assert (run.answered_updates["update"] == REJECTION) == answered
    assert run.state.workflow_task is None
    run.signal()
    run.assert_history("5 WorkflowExecutionSignaled\n6 WorkflowTaskScheduled")


def test_after_a_discarded_task_the_sticky_worker_gets_what_comes_then() -> None:
    run = Core().start()
    run.complete(sticky_attributes=sticky())
    run.update("first")
    run.complete(messages=[reject(request_of(run))], sticky_attributes=sticky())
    run.update("second")
    task = run.poll()
    assert (task.previous_started_event_id, task.first_event_id, task.next_event_id) == (3, 4, 5)
    assert task.token.started_event_id == 6


@pytest.mark.parametrize(
    ("timers", "capable", "discarded"),
    [(0, False, True), (1, False, False), (1, True, True), (10, True, True), (11, True, False)],
)
def test_a_worker_is_told_no_more_events_again_than_it_can_take(timers: int, capable: bool, discarded: bool) -> None:
    run = Core().start()
    run.complete(*[start_timer(str(number), 60) for number in range(timers)])
    run.update()
    message = request_of(run)
    reply = run.complete(messages=[reject(message)], capabilities=taking_events_again() if capable else None)
    assert (reply.reset_history_event_id == 3) == discarded
    assert (names(run.events)[-1] == f"{timers + 7} WorkflowTaskCompleted") == (not discarded)


def test_a_heartbeat_is_not_discarded() -> None:
    run = Core().start_idle()
    run.update()
    run.poll()
    reply = run.complete(force_create_new_workflow_task=True)
    assert reply.reset_history_event_id == 0
    run.assert_history("""
        5 WorkflowTaskScheduled
        6 WorkflowTaskStarted
        7 WorkflowTaskCompleted
        8 WorkflowTaskScheduled
    """)


def test_the_closing_task_is_written() -> None:
    run = Core().start_idle()
    run.update()
    message = request_of(run)
    run.complete(complete_workflow(), messages=[reject(message)])
    run.assert_history("""
        5 WorkflowTaskScheduled
        6 WorkflowTaskStarted
        7 WorkflowTaskCompleted
        8 WorkflowExecutionCompleted
    """)


# What comes in between.


def test_a_signal_makes_the_scheduled_task_a_normal_one() -> None:
    run = Core().start_idle()
    run.update()
    offered = run.offered_workflow_task
    run.signal()
    run.assert_history("5 WorkflowTaskScheduled\n6 WorkflowExecutionSignaled")
    run.reload()
    assert offered is not None
    task = run.dispatch_workflow_task(offered)
    assert task is not None
    assert task.token.started_event_id == 7


def test_a_signal_makes_the_started_task_a_normal_one() -> None:
    core = Core()
    run = core.start_idle()
    run.update()
    message = request_of(run)
    core.advance(1)
    run.signal()
    run.assert_history("5 WorkflowTaskScheduled .event_time=+0s\n6 WorkflowTaskStarted .event_time=+0s identity=")
    run.complete(messages=[reject(message)])
    run.assert_history("""
        7 WorkflowTaskCompleted
        8 WorkflowExecutionSignaled
        9 WorkflowTaskScheduled
    """)


def test_the_start_of_an_activity_makes_it_a_normal_one() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"))
    run.update()
    message = request_of(run)
    run.complete_activity(run.poll_activity("a"))
    run.complete(messages=[reject(message)])
    run.assert_history("""
        6 WorkflowTaskScheduled
        7 WorkflowTaskStarted
        8 WorkflowTaskCompleted
        9 ActivityTaskStarted
        10 ActivityTaskCompleted
        11 WorkflowTaskScheduled
    """)


@pytest.mark.parametrize("started", [True, False])
def test_a_termination_writes_the_started_one_only(started: bool) -> None:
    run = Core().start_idle()
    run.update()
    if started:
        run.poll()
    run.terminate()
    expected = "5 WorkflowExecutionTerminated"
    if started:
        expected = """
            5 WorkflowTaskScheduled
            6 WorkflowTaskStarted
            7 WorkflowTaskFailed cause=FORCE_CLOSE_COMMAND
            8 WorkflowExecutionTerminated
        """
    run.assert_history(expected)


def test_the_first_task_that_is_due_makes_it_a_normal_one() -> None:
    core = Core()
    run = core.start(workflow_start_delay=seconds(60))
    run.update()
    assert names(run.events) == ["1 WorkflowExecutionStarted"]
    core.advance(3)
    message = request_of(run)
    run.complete(messages=[reject(message)])
    assert names(run.events) == ["1 WorkflowExecutionStarted"]
    core.advance(57)
    run.assert_history("1 WorkflowExecutionStarted\n2 WorkflowTaskScheduled .event_time=+60s")


# Failed and timed out.


def test_a_failed_one_is_written_and_its_next_attempt_is_transient() -> None:
    run = Core().start_idle()
    run.update()
    run.poll()
    run.fail_workflow_task()
    run.assert_history("""
        5 WorkflowTaskScheduled
        6 WorkflowTaskStarted
        7 WorkflowTaskFailed
    """)
    task = run.poll()
    assert task.token.attempt == 2
    assert [message.event_id for message in task.messages] == [8]


def test_a_refused_completion_fails_it() -> None:
    run = Core().start_idle()
    run.update()
    run.poll()
    reply = run.complete(start_timer("", 1))
    assert isinstance(reply.error, InvalidArgument)
    run.assert_history("""
        5 WorkflowTaskScheduled
        6 WorkflowTaskStarted
        7 WorkflowTaskFailed cause=BAD_START_TIMER_ATTRIBUTES
    """)


def test_a_started_one_times_out() -> None:
    core = Core()
    run = core.start_idle()
    run.update()
    run.poll()
    core.advance(10)
    run.assert_history("""
        5 WorkflowTaskScheduled .event_time=+0s
        6 WorkflowTaskStarted
        7 WorkflowTaskTimedOut .event_time=+10s timeout_type=START_TO_CLOSE
    """)
    assert [message.id for message in run.poll().messages] == ["update/request"]


@pytest.mark.parametrize("stickily", [True, False])
def test_one_that_nobody_takes_becomes_a_normal_one(stickily: bool) -> None:
    core = Core()
    run = core.start()
    run.complete(sticky_attributes=sticky(timeout_seconds=5) if stickily else None)
    run.update()
    core.advance(4)
    assert len(run.events) == 4
    core.advance(1)
    run.assert_history(f"""
        5 WorkflowTaskScheduled .event_time=+0s task_queue.kind={"STICKY" if stickily else "NORMAL"}
        6 WorkflowTaskTimedOut timeout_type=SCHEDULE_TO_START
        7 WorkflowTaskScheduled .event_time=+5s task_queue.kind=NORMAL
    """)
    run.reload()
    assert run.state.workflow_task is not None
    assert run.next_deadline_ns is None


# The next one.


def test_an_update_that_came_meanwhile_comes_with_the_reply_speculatively() -> None:
    run = Core().start_idle()
    run.update("first")
    message = request_of(run)
    run.update("second")
    reply = run.complete(messages=[accept(message), respond("first")], return_new_workflow_task=True)
    task = reply.new_workflow_task
    assert task is not None
    assert names(task.unwritten_events) == ["10 WorkflowTaskScheduled", "11 WorkflowTaskStarted"]
    assert [message.id for message in task.messages] == ["second/request"]
    reply = run.complete(messages=[reject(task.messages[0])], capabilities=taking_events_again())
    assert reply.reset_history_event_id == 6
    assert names(run.events)[-1] == "9 WorkflowExecutionUpdateCompleted"


def test_an_update_that_came_meanwhile_gets_a_normal_task_without_a_reply() -> None:
    run = Core().start_idle()
    run.update("first")
    message = request_of(run)
    run.update("second")
    run.complete(messages=[accept(message), respond("first")])
    run.assert_history("9 WorkflowExecutionUpdateCompleted\n10 WorkflowTaskScheduled")
    assert [message.id for message in run.poll().messages] == ["second/request"]


def test_an_update_that_came_meanwhile_comes_with_the_task_of_buffered_events() -> None:
    run = Core().start_idle()
    run.update("first")
    message = request_of(run)
    run.update("second")
    run.signal()
    run.complete(messages=[reject(message)])
    task = run.poll()
    assert task.unwritten_events == ()
    assert [message.id for message in task.messages] == ["second/request"]


def test_a_limit_on_events_counts_those_of_the_discarded_task_out() -> None:
    run = Core(Limits(history_count_error=8)).start_idle()
    for number in range(9):
        run.update(str(number))
        run.complete(messages=[reject(request_of(run))])
    assert run.state.running
