"""Why a workflow can't get on, in words."""

from __future__ import annotations

import os
import re
import sysconfig
from collections.abc import Collection
from contextlib import suppress

from temporalio.api.enums.v1 import EventType, PendingActivityState, PendingWorkflowTaskState, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import WorkflowTaskFailedEventAttributes
from temporalio.api.workflow.v1 import PendingActivityInfo, WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryReverseResponse,
)
from temporalio.converter import DataConverter

from durable_cli.testing.errors import StuckError, WorkflowTaskFailedError

__all__ = [
    "describe_open_run",
    "find_failed_task",
    "is_unknown_activity",
    "is_untouched",
    "task_failed",
    "unknown_activity",
    "unpolled_activity",
    "unpolled_workflow",
]

# The server fails a task for these although worker and workflow are all right, and the next attempt helps.
_HARMLESS_CAUSES = frozenset(
    {
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_UPDATE,
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_STICKY_TASK_QUEUE,
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FAILOVER_CLOSE_COMMAND,
    }
)
_FRAME = re.compile(r'  File "(?P<file>[^"]+)"')
_PYTHON = sysconfig.get_path("stdlib")
_OPT_OUT = "`dx_worker(..., fail_when_stuck=False)` lets it try."


def find_failed_task(
    reply: GetWorkflowExecutionHistoryReverseResponse,
) -> WorkflowTaskFailedEventAttributes | None:
    """Return the newest failure of a workflow task, unless its cause is harmless."""
    for event in reply.history.events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return None
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            failed = event.workflow_task_failed_event_attributes
            return None if failed.cause in _HARMLESS_CAUSES else failed
    return None


async def task_failed(
    run: WorkflowExecutionInfo, failed: WorkflowTaskFailedEventAttributes, converter: DataConverter
) -> WorkflowTaskFailedError:
    """Make the error of a failed workflow task; the worker's own error is its cause."""
    cause = None
    with suppress(Exception):  # A codec of the user's may fail; the text is there all the same.
        cause = await converter.decode_failure(failed.failure)
    reason = _failure_text(failed.failure)
    if not failed.failure.message:
        name = WorkflowTaskFailedCause.Name(failed.cause).removeprefix("WORKFLOW_TASK_FAILED_CAUSE_")
        reason = name.replace("_", " ").capitalize()
    stack = _users_frames(failed.failure.stack_trace)
    message = (
        f"{_name(run)}: {reason}\n\n{stack}"
        f"The workflow task failed, and the server would try it again for ever. {_OPT_OUT}"
    )
    error = WorkflowTaskFailedError(message, **_ids(run))
    error.__cause__ = cause
    return error


def is_unknown_activity(failure: Failure) -> bool:
    """Say whether an attempt failed since the worker does not know the activity."""
    return failure.application_failure_info.type == "NotFoundError" and "not registered" in failure.message


def unknown_activity(run: WorkflowExecutionInfo, activity: PendingActivityInfo) -> StuckError:
    """Make the error of an activity that the worker does not know."""
    return StuckError(
        f"{_name(run)}: {activity.last_failure.message}\n\n"
        f"hint: add it to dx_worker(activities=[...]). The server would try it again for ever. {_OPT_OUT}",
        **_ids(run),
    )


def is_untouched(activity: PendingActivityInfo) -> bool:
    """Say whether no worker has had the activity yet."""
    scheduled = activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    return scheduled and activity.attempt <= 1 and not activity.HasField("last_started_time")


def unpolled_workflow(run: WorkflowExecutionInfo, served: Collection[str]) -> StuckError:
    """Make the error of a workflow whose task queue has no worker."""
    queues = " and ".join(sorted(served))
    return StuckError(
        f"{_name(run)} waits on the task queue {run.task_queue!r}, which no worker polls\n\n"
        f"hint: start it with task_queue=worker.task_queue (the worker of this test polls {queues}), or name the "
        f"queue: dx_worker(task_queue={run.task_queue!r}, ...). {_OPT_OUT}",
        **_ids(run),
    )


def unpolled_activity(run: WorkflowExecutionInfo, activity: PendingActivityInfo, *, served: bool) -> StuckError:
    """Make the error of an activity whose task queue has no worker; `served` says that it has one for workflows."""
    name, queue = activity.activity_type.name, activity.activity_options.task_queue.name
    hint = (
        f"give that worker its activities: dx_worker(activities=[{name}], ...)"
        if served
        else f"start a worker there: dx_worker(task_queue={queue!r}, activities=[{name}])"
    )
    return StuckError(
        f"{_name(run)}: activity {name} waits on the task queue {queue!r}, which no worker polls for activities\n\n"
        f"hint: {hint}. {_OPT_OUT}",
        **_ids(run),
    )


def describe_open_run(described: DescribeWorkflowExecutionResponse) -> list[str]:
    """Say in a few lines what an open workflow waits for."""
    run = described.workflow_execution_info
    lines = [f"{_name(run)} is still open, on task queue {run.task_queue!r}"]
    if described.HasField("pending_workflow_task"):
        task = described.pending_workflow_task
        state = PendingWorkflowTaskState.Name(task.state).removeprefix("PENDING_WORKFLOW_TASK_STATE_").lower()
        lines.append(f"  workflow task: {state}, attempt {max(task.attempt, 1)}")
    for activity in described.pending_activities:
        failure = f": {_failure_text(activity.last_failure)}" if activity.HasField("last_failure") else ""
        lines.append(f"  activity {activity.activity_type.name}: attempt {activity.attempt}{failure}")
    lines += [f"  child {child.workflow_type_name} {child.workflow_id}" for child in described.pending_children]
    return lines


def _name(run: WorkflowExecutionInfo) -> str:
    return f"{run.type.name} {run.execution.workflow_id}"


def _ids(run: WorkflowExecutionInfo) -> dict[str, str]:
    return {
        "workflow_id": run.execution.workflow_id,
        "run_id": run.execution.run_id,
        "workflow_type": run.type.name,
    }


def _failure_text(failure: Failure) -> str:
    kind = failure.application_failure_info.type
    return f"{kind}: {failure.message}" if kind and not failure.message.startswith("[TMPRL") else failure.message


def _users_frames(stack_trace: str) -> str:
    """Return a stack trace without the frames of Python and the SDK, and a blank line; nothing if there is none."""
    kept, foreign = [], False
    for line in stack_trace.splitlines():
        if frame := _FRAME.match(line):
            foreign = _is_foreign(frame["file"])
        if line.strip() and not foreign:
            kept.append(line)
    return "\n".join(kept) + "\n\n" if kept else ""


def _is_foreign(file: str) -> bool:
    if "site-packages" in file:
        return f"temporalio{os.sep}worker" in file
    return file.startswith((_PYTHON, "<string>"))
