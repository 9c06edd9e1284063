"""The sticky queue: only new events, its schedule-to-start time-out, and how stickiness ends."""

from __future__ import annotations

import pytest

from engine.core import inputs
from engine.core.errors import NotFound
from engine.core.policy.durations import MAX_DURATION_NS
from tests.core.support.core import Core
from tests.core.support.messages import (
    STICKY_QUEUE,
    TASK_QUEUE,
    start_timer,
    sticky,
)


def test_a_sticky_task_brings_only_the_new_events() -> None:
    run = Core().start()
    run.complete(start_timer("t", 60), sticky_attributes=sticky())
    run.signal()
    run.assert_history("""
        7 WorkflowTaskScheduled task_queue.name=sticky-queue task_queue.kind=STICKY task_queue.normal_name=queue
    """)
    offer = run.offered_workflow_task
    assert offer is not None
    assert (offer.task_queue, offer.sticky, offer.normal_task_queue) == (STICKY_QUEUE, True, TASK_QUEUE)
    task = run.poll()
    assert (task.first_event_id, task.next_event_id, task.previous_started_event_id) == (4, 9, 3)


def test_a_completion_that_does_not_renew_it_ends_stickiness() -> None:
    run = Core().start()
    run.complete(sticky_attributes=sticky())
    run.signal()
    run.complete()
    run.signal()
    run.assert_history("10 WorkflowTaskScheduled task_queue.name=queue task_queue.kind=NORMAL")
    assert run.poll().first_event_id == 1


def test_a_sticky_task_that_nobody_takes_goes_to_the_normal_queue() -> None:
    core = Core()
    run = core.start()
    run.complete(sticky_attributes=sticky(timeout_seconds=5))
    run.signal()
    core.advance(5)
    run.assert_history("""
        6 WorkflowTaskScheduled task_queue.kind=STICKY
        7 WorkflowTaskTimedOut timeout_type=SCHEDULE_TO_START scheduled_event_id=6 started_event_id=0
        8 WorkflowTaskScheduled task_queue.kind=NORMAL attempt=1
    """)
    assert run.poll().first_event_id == 1


def test_the_time_for_taking_it_has_a_limit_as_every_duration() -> None:
    run = Core().start()
    run.complete(sticky_attributes=sticky(timeout_seconds=315_576_000_000))
    assert run.state.sticky_schedule_to_start_timeout_ns == MAX_DURATION_NS


def test_a_sticky_task_that_is_taken_in_time_has_no_such_time_out() -> None:
    core = Core()
    run = core.start()
    run.complete(sticky_attributes=sticky(timeout_seconds=5))
    run.signal()
    run.poll()
    core.advance(6)
    run.assert_history("7 WorkflowTaskStarted")


def test_a_sticky_task_taken_from_the_normal_queue_brings_the_whole_history() -> None:
    run = Core().start()
    run.complete(sticky_attributes=sticky())
    run.signal()
    task = run.poll(task_queue=TASK_QUEUE)
    assert task.first_event_id == 1
    assert run.state.sticky_task_queue == ""


def test_a_failure_of_a_sticky_task_is_no_attempt() -> None:
    run = Core().start()
    run.complete(sticky_attributes=sticky())
    run.signal()
    run.fail_workflow_task()
    run.assert_history("""
        6 WorkflowTaskScheduled task_queue.kind=STICKY
        7 WorkflowTaskStarted
        8 WorkflowTaskFailed
        9 WorkflowTaskScheduled task_queue.kind=NORMAL attempt=1
    """)
    run.fail_workflow_task()
    run.assert_history("10 WorkflowTaskStarted\n11 WorkflowTaskFailed")


def test_a_time_out_of_a_sticky_task_is_no_attempt() -> None:
    core = Core()
    run = core.start()
    run.complete(sticky_attributes=sticky())
    run.signal()
    run.poll()
    core.advance(10)
    run.assert_history("""
        8 WorkflowTaskTimedOut timeout_type=START_TO_CLOSE
        9 WorkflowTaskScheduled task_queue.kind=NORMAL attempt=1
    """)


def test_reset_gives_stickiness_up() -> None:
    run = Core().start()
    run.complete(sticky_attributes=sticky())
    run.send(inputs.ResetStickyTaskQueue(run.ref))
    run.signal()
    run.assert_history("6 WorkflowTaskScheduled task_queue.kind=NORMAL")
    run.terminate()
    with pytest.raises(NotFound, match="workflow execution already completed"):
        run.send(inputs.ResetStickyTaskQueue(run.ref))
