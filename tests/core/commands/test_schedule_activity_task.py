"""COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.command.v1 import Command

from engine.core.policy.limits import Limits
from tests.core.commands.bad_command import assert_fails_the_task
from tests.core.support.core import Core
from tests.core.support.messages import (
    application_failure,
    complete_workflow,
    payloads,
    retry_policy,
    schedule_activity,
    seconds,
)

BAD = "BAD_SCHEDULE_ACTIVITY_ATTRIBUTES"
PREFIX = "BadScheduleActivityAttributes: "


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"activity_id": ""}, "activityId is not set"),
        ({"activity_type": None}, "activityType is not set"),
        ({"activity_type": {"name": ""}}, "activityType is not set"),
        ({"task_queue": None}, "taskQueue is not set"),
        ({"task_queue": {"name": ""}}, "missing task queue name"),
        (
            {"start_to_close_timeout": None},
            "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. "
            "ActivityId=a ActivityType=Activity",
        ),
        ({"heartbeat_timeout": seconds(-1)}, "invalid HeartbeatTimeout: negative duration"),
        (
            {"retry_policy": retry_policy(coefficient=0.1)},
            "BackoffCoefficient cannot be less than 1 on retry policy.",
        ),
        ({"activity_id": "a" * 1001}, "activityId exceeds length limit. Length=1001 Limit=1000"),
        ({"activity_type": {"name": "t" * 1001}}, "activityType exceeds length limit. Length=1001 Limit=1000"),
    ],
)
def test_bad_attributes_fail_the_task(attributes: dict[str, Any], message: str) -> None:
    command = schedule_activity(**({"activity_id": "a"} | attributes))
    assert_fails_the_task(command, cause=BAD, message=PREFIX + message)


def test_no_attributes() -> None:
    assert_fails_the_task(
        Command(command_type="COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK"),
        cause=BAD,
        message=PREFIX + "ScheduleActivityTaskCommandAttributes is not set on ScheduleActivityTaskCommand.",
    )


def test_a_pending_id_again() -> None:
    assert_fails_the_task(
        schedule_activity("a"),
        schedule_activity("a"),
        cause="SCHEDULE_ACTIVITY_DUPLICATE_ID",
        message="ScheduleActivityDuplicateId: invalid history builder state for action: "
        "add-activitytask-scheduled-event, ActivityID: a",
    )


def test_too_many_pending() -> None:
    assert_fails_the_task(
        *(schedule_activity(f"a{number}") for number in range(4)),
        core=Core(Limits(pending_activities_error=3)),
        cause="PENDING_ACTIVITIES_LIMIT_EXCEEDED",
        message="PendingActivitiesLimitExceeded: the number of pending activities, 3, "
        "has reached the per-workflow limit of 3",
    )


def test_an_oversize_input_ends_the_run() -> None:
    assert_fails_the_task(
        schedule_activity("a", input=payloads("x" * 100)),
        core=Core(Limits(blob_size_error_bytes=100)),
        cause=BAD,
        message=PREFIX + "ScheduleActivityTaskCommandAttributes.Input exceeds size limit.",
        terminates=True,
    )


def test_the_event_has_the_command_and_every_default() -> None:
    run = Core().start()
    run.complete(
        schedule_activity("a", input=payloads(1, "two"), heartbeat_timeout=seconds(20), use_workflow_build_id=True)
    )
    run.assert_history("""
        4 WorkflowTaskCompleted
        5 ActivityTaskScheduled activity_id=a activity_type.name=Activity task_queue.name=queue \
task_queue.kind=NORMAL 'input=1,"two"' schedule_to_close_timeout=0s schedule_to_start_timeout=0s \
start_to_close_timeout=10s heartbeat_timeout=10s workflow_task_completed_event_id=4 \
retry_policy.initial_interval=1s retry_policy.backoff_coefficient=2.0 retry_policy.maximum_interval=100s \
retry_policy.maximum_attempts=0 use_workflow_build_id=true header=- priority=-
    """)
    activity = run.activity("a")
    assert (activity.attempt, activity.started, activity.scheduled_event_id) == (1, False, 5)


def test_timeouts_are_deduced_and_capped_at_the_run_timeout() -> None:
    run = Core().start(workflow_run_timeout=seconds(60))
    run.complete(
        schedule_activity("a"),
        schedule_activity("b", start_to_close_timeout=None, schedule_to_close_timeout=seconds(5)),
        schedule_activity("c", start_to_close_timeout=seconds(90), heartbeat_timeout=seconds(90)),
        schedule_activity("d", schedule_to_start_timeout=seconds(90)),
    )
    run.assert_history("""
        5 ActivityTaskScheduled schedule_to_close_timeout=60s schedule_to_start_timeout=60s start_to_close_timeout=10s
        6 ActivityTaskScheduled schedule_to_close_timeout=5s schedule_to_start_timeout=5s start_to_close_timeout=5s
        7 ActivityTaskScheduled schedule_to_close_timeout=60s start_to_close_timeout=60s heartbeat_timeout=60s
        8 ActivityTaskScheduled schedule_to_close_timeout=60s schedule_to_start_timeout=60s
    """)


def test_an_id_can_be_used_again_once_it_is_closed() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"))
    run.complete_activity(run.poll_activity("a"))
    run.complete(schedule_activity("a"))
    run.assert_history("""
        9 WorkflowTaskStarted
        10 WorkflowTaskCompleted
        11 ActivityTaskScheduled activity_id=a
    """)


def test_an_id_whose_close_is_only_buffered_can_be_used_again() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"))
    task = run.poll_activity("a")
    run.signal()
    run.poll()
    run.complete_activity(task)
    run.complete(schedule_activity("a"))
    run.assert_history("""
        8 WorkflowTaskStarted
        9 WorkflowTaskCompleted
        10 ActivityTaskScheduled activity_id=a
        11 ActivityTaskStarted scheduled_event_id=5
        12 ActivityTaskCompleted scheduled_event_id=5 started_event_id=11
        13 WorkflowTaskScheduled
    """)
    assert run.activity("a").scheduled_event_id == 10


def test_it_is_offered_on_its_own_task_queue() -> None:
    run = Core().start()
    run.complete(schedule_activity("a", task_queue={"name": "elsewhere"}))
    offer = run.offered_activities[5]
    assert (offer.task_queue, offer.scheduled_event_id, offer.attempt) == ("elsewhere", 5, 1)


def test_an_eager_activity_is_started_by_the_completing_worker() -> None:
    run = Core().start()
    reply = run.complete(
        schedule_activity("a", request_eager_execution=True), schedule_activity("b"), identity="eager worker"
    )
    assert [(task.activity.activity_id, task.attempt) for task in reply.activity_tasks] == [("a", 1)]
    assert list(run.offered_activities) == [6]
    run.complete_activity(reply.activity_tasks[0], "done")
    run.assert_history("""
        7 ActivityTaskStarted scheduled_event_id=5 'identity=eager worker' attempt=1
        8 ActivityTaskCompleted scheduled_event_id=5 started_event_id=7 'result="done"'
        9 WorkflowTaskScheduled
    """)


def test_an_eager_activity_is_an_ordinary_one_when_switched_off() -> None:
    run = Core(Limits(eager_activities=False)).start()
    reply = run.complete(schedule_activity("a", request_eager_execution=True))
    assert reply.activity_tasks == []
    assert list(run.offered_activities) == [5]


def test_an_eager_activity_of_a_run_that_closes_is_not_started() -> None:
    run = Core().start()
    reply = run.complete(schedule_activity("a", request_eager_execution=True), complete_workflow())
    assert reply.activity_tasks == []
    run.assert_history("""
        4 WorkflowTaskCompleted
        5 ActivityTaskScheduled
        6 WorkflowExecutionCompleted
    """)


def test_user_metadata_goes_onto_the_event() -> None:
    command = schedule_activity("a")
    command.user_metadata.summary.CopyFrom(payloads("why").payloads[0])
    run = Core().start()
    run.complete(command)
    run.assert_history("""5 ActivityTaskScheduled '.user_metadata.summary="why"'""")


def test_it_is_retried_by_default() -> None:
    run = Core().start()
    run.complete(schedule_activity("a"))
    run.fail_activity(run.poll_activity("a"), application_failure())
    assert run.history().endswith("5 ActivityTaskScheduled")
    assert run.activity("a").attempt == 2
