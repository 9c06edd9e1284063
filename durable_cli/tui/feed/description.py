"""What a server says of a run, as plain rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import CallbackState
from temporalio.api.workflow.v1 import CallbackInfo, PendingActivityInfo, PendingNexusOperationInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from durable_cli.output.payload_text import format_fields, preview_payloads, summarize_failure
from durable_cli.tui.feed.from_protos import run_row, timestamp_ns
from durable_cli.tui.lines import show_controls, without_marks
from durable_cli.tui.rows import PendingActivity, PendingCallback, PendingNexusOperation, PendingTask, RunSummary
from durable_cli.tui.times import clock

__all__ = ["run_summary"]

CALLBACK_ENDINGS = frozenset(
    {CallbackState.CALLBACK_STATE_SUCCEEDED, CallbackState.CALLBACK_STATE_FAILED, CallbackState.CALLBACK_STATE_STANDBY}
)
SCHEDULE = "TemporalScheduledById"
# What the server and the SDKs set themselves, and is said elsewhere or to no person.
OWN_ATTRIBUTES = ("BuildIds", "Temporal")


def run_summary(description: DescribeWorkflowExecutionResponse) -> RunSummary:
    """Say what a run is, and what the server is waiting for."""
    info, extended = description.workflow_execution_info, description.workflow_extended_info
    metadata = description.execution_config.user_metadata
    return RunSummary(
        run_row(info),
        tuple((label, value) for label, value in _fields(description) if value),
        summary=without_marks(_text(metadata.summary)),
        details=without_marks(_text(metadata.details)),
        activities=tuple(_pending_activity(activity) for activity in description.pending_activities),
        workflow_task=_pending_task(description),
        nexus_operations=tuple(_pending_operation(operation) for operation in description.pending_nexus_operations),
        callbacks=tuple(_callback(each) for each in description.callbacks if each.state not in CALLBACK_ENDINGS),
        is_cancel_requested=extended.cancel_requested,
        pause=_pause(extended.pause_info.identity, extended.pause_info.reason),
        expiration_time_ns=timestamp_ns(extended.run_expiration_time),
        parent=(info.parent_execution.workflow_id, info.parent_execution.run_id),
        root=(info.root_execution.workflow_id, info.root_execution.run_id),
        first_run_id=info.first_run_id,
        reset_run_id=extended.reset_run_id,
    )


def _fields(description: DescribeWorkflowExecutionResponse) -> Iterator[tuple[str, str]]:
    info, extended = description.workflow_execution_info, description.workflow_extended_info
    yield "task queue", info.task_queue
    yield "started", clock(timestamp_ns(info.start_time), with_date=True)
    if info.HasField("close_time"):
        yield "closed", clock(timestamp_ns(info.close_time), with_date=True)
    for label, time in (("times out", extended.run_expiration_time), ("reset", extended.last_reset_time)):
        if timestamp_ns(time):
            yield label, clock(timestamp_ns(time), with_date=True)
    if info.parent_execution.workflow_id:
        yield "parent", info.parent_execution.workflow_id
    indexed = info.search_attributes.indexed_fields
    if SCHEDULE in indexed:
        yield "schedule", _text(indexed[SCHEDULE])
    yield "version", _version(info)
    yield "memo", format_fields(info.memo.fields)
    yield "attributes", format_fields({name: indexed[name] for name in indexed if not name.startswith(OWN_ATTRIBUTES)})


def _version(info: Any) -> str:
    version = info.versioning_info.deployment_version
    return f"{version.deployment_name} {version.build_id}".strip()


def _text(payload: Payload) -> str:
    """Return the text that a payload holds, or nothing."""
    try:
        value = json.loads(payload.data) if payload.data else ""
    except ValueError:
        return ""
    return show_controls(value) if isinstance(value, str) else ""


def _pause(identity: str, reason: str) -> str:
    return ": ".join(show_controls(word) for word in (identity, reason) if word)


def _pending_task(description: DescribeWorkflowExecutionResponse) -> PendingTask | None:
    if not description.HasField("pending_workflow_task"):
        return None
    task = description.pending_workflow_task
    return PendingTask(task.attempt, timestamp_ns(task.scheduled_time), timestamp_ns(task.started_time))


def _pending_activity(activity: PendingActivityInfo) -> PendingActivity:
    # Older servers say when the next attempt is only as the time for which it is scheduled.
    next_time = activity.next_attempt_schedule_time if activity.HasField("next_attempt_schedule_time") else None
    return PendingActivity(
        activity.activity_id,
        activity.activity_type.name,
        activity.state,
        activity.attempt,
        activity.maximum_attempts,
        summarize_failure(activity.last_failure) if activity.HasField("last_failure") else "",
        timestamp_ns(activity.last_started_time),
        timestamp_ns(next_time or activity.scheduled_time),
        timestamp_ns(activity.expiration_time),
        preview_payloads(activity.heartbeat_details.payloads),
        timestamp_ns(activity.last_heartbeat_time),
        activity.last_worker_identity,
        activity.paused,
        _pause(
            activity.pause_info.manual.identity, activity.pause_info.manual.reason or activity.pause_info.rule.reason
        ),
        activity.pause_info.manual.reason,
    )


def _pending_operation(operation: PendingNexusOperationInfo) -> PendingNexusOperation:
    return PendingNexusOperation(
        operation.scheduled_event_id,
        operation.endpoint,
        f"{operation.service}.{operation.operation}",
        operation.attempt,
        summarize_failure(operation.last_attempt_failure) if operation.HasField("last_attempt_failure") else "",
        timestamp_ns(operation.next_attempt_schedule_time),
        operation.blocked_reason,
    )


def _callback(callback: CallbackInfo) -> PendingCallback:
    state = CallbackState.Name(callback.state).removeprefix("CALLBACK_STATE_").lower().replace("_", " ")
    failure = callback.last_attempt_failure
    said = summarize_failure(failure) if callback.HasField("last_attempt_failure") else ""
    return PendingCallback(callback.callback.nexus.url, state, callback.attempt, said)
