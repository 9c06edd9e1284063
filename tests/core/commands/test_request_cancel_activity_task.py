"""COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK."""

from __future__ import annotations

import pytest

from engine.core.errors import InvalidArgument
from tests.core.commands.bad_command import assert_fails_the_task
from tests.core.support.core import Core
from tests.core.support.messages import (
    application_failure,
    cancel_activity,
    complete_workflow,
    schedule_activity,
    sticky,
)

BAD = "BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES"
PREFIX = "BadRequestCancelActivityAttributes: "
NO_PLACE = PREFIX + "invalid history builder state for action: add-activitytask-cancel-requested-event, "


@pytest.mark.parametrize(
    ("scheduled_event_id", "message"),
    [
        (0, PREFIX + "ScheduledEventId is not set on RequestCancelActivityTaskCommand."),
        (99, NO_PLACE + "ScheduledEventID: 99"),
    ],
)
def test_bad_attributes_fail_the_task(scheduled_event_id: int, message: str) -> None:
    assert_fails_the_task(cancel_activity(scheduled_event_id), cause=BAD, message=message)


def test_a_started_activity_cannot_be_cancelled_twice() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"))
    run.poll_activity("a")
    run.signal()
    run.complete(cancel_activity(5))
    run.signal()
    assert run.complete(cancel_activity(5)).error is not None
    run.assert_history(f"""
        10 ActivityTaskCancelRequested
        11 WorkflowExecutionSignaled
        12 WorkflowTaskScheduled
        13 WorkflowTaskStarted
        14 WorkflowTaskFailed cause={BAD} 'failure.message={NO_PLACE}ScheduledEventID: 5'
    """)


def test_an_unstarted_activity_is_closed_at_once() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"))
    run.signal()
    run.complete(cancel_activity(5))
    run.assert_history("""
        8 WorkflowTaskStarted
        9 WorkflowTaskCompleted
        10 ActivityTaskCancelRequested scheduled_event_id=5 workflow_task_completed_event_id=9
        11 ActivityTaskCanceled scheduled_event_id=5 started_event_id=0 latest_cancel_requested_event_id=10 \
'details="ACTIVITY_ID_NOT_STARTED"' identity=worker
        12 WorkflowTaskScheduled
    """)
    assert run.dispatch_activity(run.offered_activities[5]) is None


def test_scheduled_and_cancelled_at_once() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"), cancel_activity(5))
    run.assert_history("""
        4 WorkflowTaskCompleted
        5 ActivityTaskScheduled
        6 ActivityTaskCancelRequested
        7 ActivityTaskCanceled
        8 WorkflowTaskScheduled
    """)
    assert run.dispatch_activity(run.offered_activities[5]) is None


def test_an_activity_in_backoff_counts_as_unstarted() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"))
    run.fail_activity(run.poll_activity("a"))
    run.signal()
    run.complete(cancel_activity(5))
    run.assert_history("""
        10 ActivityTaskCancelRequested
        11 ActivityTaskCanceled started_event_id=0
        12 WorkflowTaskScheduled
    """)


def test_a_run_that_closes_at_once_keeps_only_the_request() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"))
    run.signal()
    run.complete(cancel_activity(5), complete_workflow())
    run.assert_history("""
        9 WorkflowTaskCompleted
        10 ActivityTaskCancelRequested
        11 WorkflowExecutionCompleted
    """)


def test_a_started_activity_hears_of_it_and_reports() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"))
    task = run.poll_activity("a")
    assert not run.heartbeat(task, 1).cancel_requested
    run.signal()
    run.complete(cancel_activity(5))
    assert run.heartbeat(task, 2).cancel_requested
    run.cancel_activity(task, "stopped")
    run.assert_history("""
        10 ActivityTaskCancelRequested scheduled_event_id=5
        11 ActivityTaskStarted scheduled_event_id=5
        12 ActivityTaskCanceled scheduled_event_id=5 started_event_id=11 latest_cancel_requested_event_id=10 \
'details="stopped"'
        13 WorkflowTaskScheduled
    """)


def test_a_cancelled_activity_may_complete_anyway() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"))
    task = run.poll_activity("a")
    run.signal()
    run.complete(cancel_activity(5))
    run.complete_activity(task, "done")
    run.assert_history("""
        10 ActivityTaskCancelRequested
        11 ActivityTaskStarted
        12 ActivityTaskCompleted 'result="done"'
        13 WorkflowTaskScheduled
    """)


def test_a_cancelled_activity_that_fails_is_not_retried() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"))
    task = run.poll_activity("a")
    run.signal()
    run.complete(cancel_activity(5))
    run.fail_activity(task, application_failure("no"))
    run.assert_history("""
        10 ActivityTaskCancelRequested
        11 ActivityTaskStarted
        12 ActivityTaskFailed retry_state=CANCEL_REQUESTED failure.message=no
        13 WorkflowTaskScheduled
    """)


def test_a_report_without_a_request_is_refused() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"))
    task = run.poll_activity("a")
    with pytest.raises(
        InvalidArgument, match="unable to mark activity as canceled without activity being request canceled first"
    ):
        run.cancel_activity(task)


def test_an_activity_whose_close_is_only_buffered() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"), sticky_attributes=sticky())
    task = run.poll_activity("a")
    run.signal()
    run.poll()
    run.complete_activity(task)
    run.complete(cancel_activity(5))
    run.assert_history("""
        9 WorkflowTaskCompleted
        10 ActivityTaskCancelRequested scheduled_event_id=5
        11 ActivityTaskStarted
        12 ActivityTaskCompleted started_event_id=11
        13 WorkflowTaskScheduled
    """)
