"""Timeouts of workflows and activities."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import ScheduleActivityTaskCommandAttributes
from temporalio.api.common.v1 import ActivityType, Priority, RetryPolicy
from temporalio.api.enums.v1 import TaskQueueKind
from temporalio.api.taskqueue.v1 import TaskQueue

from engine.core.errors import InvalidArgument
from engine.core.policy.durations import NANOS_PER_SECOND
from engine.core.policy.limits import Limits
from engine.core.policy.timeouts import (
    effective_workflow_run_timeout_ns,
    effective_workflow_task_timeout_ns,
    normalize_activity,
)

SECOND = NANOS_PER_SECOND


@pytest.mark.parametrize(("run", "execution", "expected"), [(0, 0, 0), (5, 0, 5), (0, 5, 5), (5, 3, 3), (3, 5, 3)])
def test_workflow_run_timeout(run: int, execution: int, expected: int) -> None:
    assert effective_workflow_run_timeout_ns(run, execution) == expected


@pytest.mark.parametrize(
    ("task", "run", "expected"), [(0, 0, 10), (0, 4, 4), (30, 0, 30), (500, 0, 120), (500, 60, 60)]
)
def test_workflow_task_timeout(task: int, run: int, expected: int) -> None:
    assert effective_workflow_task_timeout_ns(task * SECOND, run * SECOND, Limits()) == expected * SECOND


def attributes(**changes: object) -> ScheduleActivityTaskCommandAttributes:
    """An activity command; a value of None clears the field, a number is a timeout in seconds."""
    fields: dict[str, object] = {
        "activity_id": "1",
        "activity_type": ActivityType(name="charge"),
        "task_queue": TaskQueue(name="orders"),
        "start_to_close_timeout": 10,
    }
    fields.update(changes)
    return ScheduleActivityTaskCommandAttributes(
        **{
            name: Duration(seconds=value) if isinstance(value, int) else value  # type: ignore[arg-type]
            for name, value in fields.items()
            if value is not None
        }
    )


def normalize(made: ScheduleActivityTaskCommandAttributes, run_timeout: int = 0) -> None:
    normalize_activity(
        made, run_timeout_ns=run_timeout * SECOND, workflow_task_queue="orders", limits=Limits(max_id_length=20)
    )


@pytest.mark.parametrize(
    ("given", "run_timeout", "expected"),
    [
        # schedule_to_close, schedule_to_start, start_to_close, heartbeat
        ((0, 0, 10, 0), 0, (0, 0, 10, 0)),
        ((0, 5, 10, 0), 0, (0, 5, 10, 0)),
        ((0, 0, 10, 0), 60, (60, 60, 10, 0)),
        ((0, 0, 90, 0), 60, (60, 60, 60, 0)),
        ((0, 90, 10, 0), 60, (60, 60, 10, 0)),
        ((30, 0, 0, 0), 0, (30, 30, 30, 0)),
        ((30, 5, 7, 2), 0, (30, 5, 7, 2)),
        ((30, 40, 50, 60), 0, (30, 30, 30, 30)),
        ((300, 0, 0, 0), 60, (60, 60, 60, 0)),
        ((0, 0, 10, 20), 0, (0, 0, 10, 10)),
        ((0, 0, 90, 80), 60, (60, 60, 60, 60)),
    ],
)
def test_activity_timeouts(given: tuple[int, ...], run_timeout: int, expected: tuple[int, ...]) -> None:
    names = ("schedule_to_close_timeout", "schedule_to_start_timeout", "start_to_close_timeout", "heartbeat_timeout")
    made = attributes(**dict(zip(names, given, strict=True)))
    normalize(made, run_timeout)
    assert tuple(getattr(made, name).seconds for name in names) == expected
    assert all(made.HasField(name) for name in names)  # type: ignore[arg-type]


def test_an_activity_gets_a_whole_retry_policy_and_a_normal_task_queue() -> None:
    made = attributes()
    normalize(made)
    assert made.retry_policy == RetryPolicy(
        initial_interval=Duration(seconds=1), backoff_coefficient=2, maximum_interval=Duration(seconds=100)
    )
    assert made.task_queue == TaskQueue(name="orders", kind=TaskQueueKind.TASK_QUEUE_KIND_NORMAL)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"activity_id": None}, "activityId is not set"),
        ({"activity_type": None}, "activityType is not set"),
        ({"activity_id": "i" * 21}, "activityId exceeds length limit. Length=21 Limit=20"),
        ({"activity_type": ActivityType(name="é" * 11)}, "activityType exceeds length limit. Length=22 Limit=20"),
        ({"task_queue": None}, "taskQueue is not set"),
        ({"task_queue": TaskQueue()}, "missing task queue name"),
        ({"task_queue": TaskQueue(name="q" * 21)}, "taskQueue length exceeds limit"),
        ({"task_queue": TaskQueue(name="/_sys/x/1")}, "task queue name cannot start with reserved prefix /_sys/"),
        (
            {"task_queue": TaskQueue(name="temporal-sys-per-ns-")},
            "cannot use internal per-namespace task queue:temporal-sys-per-ns-"
            " (in parent component task queue: orders)",
        ),
        (
            {"start_to_close_timeout": None},
            "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity."
            " ActivityId=1 ActivityType=charge",
        ),
        ({"start_to_close_timeout": -1}, "invalid StartToCloseTimeout: negative duration"),
        ({"schedule_to_start_timeout": -1}, "invalid ScheduleToStartTimeout: negative duration"),
        ({"schedule_to_close_timeout": -1}, "invalid ScheduleToCloseTimeout: negative duration"),
        ({"heartbeat_timeout": -1}, "invalid HeartbeatTimeout: negative duration"),
        (
            {"retry_policy": RetryPolicy(backoff_coefficient=0.1)},
            "BackoffCoefficient cannot be less than 1 on retry policy.",
        ),
        ({"priority": Priority(priority_key=-1)}, "invalid priorities: priority key can't be negative"),
        ({"priority": Priority(fairness_key="k" * 65)}, "invalid priorities: fairness key length exceeds limit"),
        ({"priority": Priority(fairness_weight=-1)}, "invalid priorities: must be greater than zero"),
    ],
)
def test_activity_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        normalize(attributes(**changes))
    assert raised.value.message == message
