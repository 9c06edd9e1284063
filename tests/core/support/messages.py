"""Short builders of the protocol's messages that tests send to the core."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Payload, Payloads, RetryPolicy, WorkflowExecution
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.taskqueue.v1 import StickyExecutionAttributes, TaskQueue

from engine.core.policy.durations import ns_to_duration

TASK_QUEUE = "queue"
STICKY_QUEUE = "sticky-queue"
WORKER = "worker"


def payload(value: Any) -> Payload:
    """Return a value as JSON."""
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())


def payloads(*values: Any) -> Payloads:
    """Return values as JSON."""
    return Payloads(payloads=[payload(value) for value in values])


def seconds(value: float) -> Duration:
    """Return a duration."""
    return ns_to_duration(round(value * 1e9))


def retry_policy(
    *,
    initial: float = 1,
    coefficient: float = 2,
    maximum: float = 0,
    attempts: int = 0,
    non_retryable: Sequence[str] = (),
) -> RetryPolicy:
    """Return a retry policy; intervals are seconds, 0 leaves a field to the server's default."""
    return RetryPolicy(
        initial_interval=seconds(initial) if initial else None,
        backoff_coefficient=coefficient,
        maximum_interval=seconds(maximum) if maximum else None,
        maximum_attempts=attempts,
        non_retryable_error_types=non_retryable,
    )


def application_failure(message: str = "boom", *, type: str = "Oops", **info: Any) -> Failure:
    """Return what a worker reports when user code raises; `info` goes into application_failure_info."""
    return Failure(message=message, application_failure_info=ApplicationFailureInfo(type=type, **info))


def sticky(name: str = STICKY_QUEUE, timeout_seconds: float = 5) -> StickyExecutionAttributes:
    """Return what a completion says to keep the run on the worker's own queue."""
    return StickyExecutionAttributes(
        worker_task_queue=TaskQueue(name=name, kind="TASK_QUEUE_KIND_STICKY", normal_name=TASK_QUEUE),
        schedule_to_start_timeout=seconds(timeout_seconds),
    )


def command(name: str, **attributes: Any) -> Command:
    """Return a command by the short name of its type, COMPLETE_WORKFLOW_EXECUTION for one."""
    built = Command(command_type=f"COMMAND_TYPE_{name}")
    field = getattr(built, f"{name.lower()}_command_attributes")
    field.SetInParent()
    field.MergeFrom(type(field)(**attributes))
    return built


def schedule_activity(activity_id: str, **attributes: Any) -> Command:
    """Return ScheduleActivityTask with a start-to-close timeout of 10 s; an attribute of None is left out."""
    defaults = {
        "activity_type": {"name": "Activity"},
        "task_queue": TaskQueue(name=TASK_QUEUE),
        "start_to_close_timeout": seconds(10),
    }
    chosen = {name: value for name, value in (defaults | attributes).items() if value is not None}
    return command("SCHEDULE_ACTIVITY_TASK", activity_id=activity_id, **chosen)


def cancel_activity(scheduled_event_id: int) -> Command:
    return command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=scheduled_event_id)


def start_timer(timer_id: str, timeout_seconds: float) -> Command:
    return command("START_TIMER", timer_id=timer_id, start_to_fire_timeout=seconds(timeout_seconds))


def cancel_timer(timer_id: str) -> Command:
    return command("CANCEL_TIMER", timer_id=timer_id)


def complete_workflow(*results: Any) -> Command:
    return command("COMPLETE_WORKFLOW_EXECUTION", **({"result": payloads(*results)} if results else {}))


def fail_workflow(failure: Failure | None = None) -> Command:
    return command("FAIL_WORKFLOW_EXECUTION", failure=failure or application_failure())


def cancel_workflow(*details: Any) -> Command:
    return command("CANCEL_WORKFLOW_EXECUTION", **({"details": payloads(*details)} if details else {}))


def continue_as_new(**attributes: Any) -> Command:
    return command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", **attributes)


def start_child(workflow_id: str = "child", **attributes: Any) -> Command:
    """Return StartChildWorkflowExecution on the parent's queue; an attribute of None is left out."""
    defaults = {"workflow_type": {"name": "Child"}}
    chosen = {name: value for name, value in (defaults | attributes).items() if value is not None}
    return command("START_CHILD_WORKFLOW_EXECUTION", workflow_id=workflow_id, **chosen)


def signal_external(workflow_id: str, run_id: str = "", signal_name: str = "go", **attributes: Any) -> Command:
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    return command("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION", execution=execution, signal_name=signal_name, **attributes)


def cancel_external(workflow_id: str, run_id: str = "", **attributes: Any) -> Command:
    return command("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION", workflow_id=workflow_id, run_id=run_id, **attributes)
