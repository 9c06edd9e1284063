"""Events that arrive while a worker holds the workflow task."""

from __future__ import annotations

import pytest
from temporalio.api.enums.v1 import EventType

from engine.core.errors import NotFound
from engine.core.policy.limits import Limits
from engine.core.run.buffer import NEVER_BUFFERED
from tests.core.support.core import Core
from tests.core.support.messages import (
    cancel_timer,
    complete_workflow,
    payloads,
    schedule_activity,
    start_timer,
    sticky,
)


def test_they_wait_for_the_flush() -> None:
    run = Core().start()
    run.poll()
    run.signal("one")
    run.signal("two")
    run.assert_history("3 WorkflowTaskStarted")
    assert run.state.signal_count == 2
    run.complete()
    run.assert_history("""
        4 WorkflowTaskCompleted
        5 WorkflowExecutionSignaled signal_name=one
        6 WorkflowExecutionSignaled signal_name=two
        7 WorkflowTaskScheduled
    """)


def test_they_come_after_what_the_commands_made() -> None:
    run = Core().start()
    run.poll()
    run.signal()
    run.complete(start_timer("t", 60), schedule_activity("a"))
    run.assert_history("""
        4 WorkflowTaskCompleted
        5 TimerStarted
        6 ActivityTaskScheduled
        7 WorkflowExecutionSignaled
        8 WorkflowTaskScheduled
    """)


def test_closes_of_activities_come_last_and_know_their_starts() -> None:
    core = Core()
    run = core.start()
    run.complete(*(schedule_activity(name) for name in "abc"), start_timer("t", 1))
    tasks = {name: run.poll_activity(name) for name in "abc"}
    run.signal("first")
    run.poll()
    run.complete_activity(tasks["b"], "b")
    run.signal("second")
    core.advance(1)
    run.complete_activity(tasks["a"], "a")
    run.request_cancel()
    run.complete()
    run.assert_history("""
        12 WorkflowTaskCompleted
        13 ActivityTaskStarted scheduled_event_id=6
        14 WorkflowExecutionSignaled signal_name=second
        15 TimerFired timer_id=t
        16 ActivityTaskStarted scheduled_event_id=5
        17 WorkflowExecutionCancelRequested
        18 ActivityTaskCompleted scheduled_event_id=6 started_event_id=13 'result="b"'
        19 ActivityTaskCompleted scheduled_event_id=5 started_event_id=16 'result="a"'
        20 WorkflowTaskScheduled
    """)
    assert list(run.state.activity_ids) == ["c"]


def test_an_activity_that_is_closed_in_the_buffer_can_not_be_closed_again() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"))
    task = run.poll_activity("a")
    run.signal()
    run.poll()
    run.complete_activity(task)
    with pytest.raises(NotFound, match="invalid activityID or activity already timed out"):
        run.complete_activity(task)


def test_a_failed_task_flushes_them() -> None:
    run = Core().start()
    run.poll()
    run.signal()
    run.fail_workflow_task()
    run.assert_history("""
        4 WorkflowTaskFailed
        5 WorkflowExecutionSignaled
        6 WorkflowTaskScheduled attempt=1
    """)
    run.complete(complete_workflow())
    run.assert_history("""
        7 WorkflowTaskStarted
        8 WorkflowTaskCompleted
        9 WorkflowExecutionCompleted
    """)


def test_a_task_that_times_out_flushes_them() -> None:
    core = Core()
    run = core.start()
    run.poll()
    run.signal()
    core.advance(10)
    run.assert_history("""
        4 WorkflowTaskTimedOut timeout_type=START_TO_CLOSE scheduled_event_id=2 started_event_id=3
        5 WorkflowExecutionSignaled .event_time=+0s
        6 WorkflowTaskScheduled attempt=1 .event_time=+10s
    """)


def test_a_forced_close_keeps_them() -> None:
    run = Core().start()
    run.poll()
    run.signal()
    run.terminate(reason="enough")
    run.assert_history("""
        4 WorkflowTaskFailed cause=FORCE_CLOSE_COMMAND failure=- identity=history-service
        5 WorkflowExecutionSignaled
        6 WorkflowExecutionTerminated reason=enough identity=terminator details=-
    """)


def test_they_survive_a_reload() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"), sticky_attributes=sticky())
    task = run.poll_activity("a")
    run.signal("one")
    run.poll()
    run.signal("two", request_id="r")
    run.complete_activity(task)
    run.reload()
    run.signal("two", request_id="r")
    run.signal("three")
    run.reload()
    run.complete()
    run.assert_history("""
        9 WorkflowTaskCompleted
        10 WorkflowExecutionSignaled signal_name=two request_id=r
        11 ActivityTaskStarted
        12 WorkflowExecutionSignaled signal_name=three
        13 ActivityTaskCompleted started_event_id=11
        14 WorkflowTaskScheduled task_queue.kind=NORMAL
    """)


@pytest.mark.parametrize(
    ("limits", "input_length"),
    [(Limits(buffered_events=3), 1), (Limits(buffered_events_size_bytes=600), 100)],
)
def test_a_task_behind_which_too_much_waits_is_failed(limits: Limits, input_length: int) -> None:
    run = Core(limits).start()
    run.poll()
    for _ in range(3):
        run.signal(input=payloads("x" * input_length))
    run.assert_history("3 WorkflowTaskStarted")
    run.signal(input=payloads("x" * input_length))
    run.assert_history("""
        4 WorkflowTaskFailed cause=FORCE_CLOSE_COMMAND failure=- identity=history-service
        5 WorkflowExecutionSignaled
        6 WorkflowExecutionSignaled
        7 WorkflowExecutionSignaled
        8 WorkflowExecutionSignaled
    """)
    assert run.state.workflow_task is not None
    assert run.state.workflow_task.attempt == 2
    with pytest.raises(NotFound, match="Workflow task not found"):
        run.complete(complete_workflow())


def test_only_what_waits_for_this_task_counts() -> None:
    run = Core(Limits(buffered_events_size_bytes=600)).start()
    for _ in range(4):
        run.poll()
        for _ in range(3):
            run.signal(input=payloads("x" * 100))
        run.complete()
    assert "WorkflowTaskFailed" not in run.history()
    run.poll()
    run.signal(input=payloads("x" * 600))
    assert run.history().count("WorkflowTaskFailed") == 1


def test_a_firing_that_is_taken_back_does_not_count() -> None:
    core = Core(Limits(buffered_events_size_bytes=600))
    run = core.start()
    run.complete(start_timer("t", 1))
    run.signal()
    run.poll()
    core.advance(1)
    run.complete(cancel_timer("t"), force_create_new_workflow_task=True)
    run.poll()
    run.signal(input=payloads("x" * 600))
    assert "WorkflowTaskFailed" in run.history()


def test_nothing_is_buffered_without_a_started_task() -> None:
    run = Core().start()
    run.signal("one")
    run.signal("two")
    run.assert_history("""
        2 WorkflowTaskScheduled
        3 WorkflowExecutionSignaled
        4 WorkflowExecutionSignaled
    """)


def test_what_commands_and_workflow_tasks_make_is_never_buffered() -> None:
    outside = {EventType.Name(number) for number in EventType.values() if number and number not in NEVER_BUFFERED}
    assert {name for name in outside if "WORKFLOW_TASK" in name or "MARKER" in name or "UPSERT" in name} == set()
    assert {name for name in outside if name.startswith("EVENT_TYPE_TIMER")} == {"EVENT_TYPE_TIMER_FIRED"}
    assert {name for name in outside if name.startswith("EVENT_TYPE_ACTIVITY_TASK")} == {
        f"EVENT_TYPE_ACTIVITY_TASK_{what}" for what in ("STARTED", "COMPLETED", "FAILED", "TIMED_OUT", "CANCELED")
    }
