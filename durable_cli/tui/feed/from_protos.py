"""Rows for the screens, made of what a server answers."""

from __future__ import annotations

import json
from collections.abc import Iterator

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.workflow.v1 import PendingActivityInfo, WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from durable_cli.output.payload_text import format_fields, format_payload, summarize_failure
from durable_cli.tui.rows import PendingWork, RunRow, RunSummary
from durable_cli.tui.status import STATUSES
from durable_cli.tui.times import clock, now_ns, short_span

__all__ = ["run_row", "run_summary", "status_of_payload", "timestamp_ns"]


def timestamp_ns(time: Timestamp) -> int:
    """Return a time in nanoseconds since the epoch; 0 for none."""
    return time.seconds * 1_000_000_000 + time.nanos


def status_of_payload(payload: Payload) -> int:
    """Return the number of the status that a group of a count has: servers write its name."""
    name = json.loads(payload.data)
    return next((number for number, status in STATUSES.items() if status.name == name), 0)


def run_row(info: WorkflowExecutionInfo) -> RunRow:
    """Make a row of a run."""
    return RunRow(
        info.execution.workflow_id,
        info.execution.run_id,
        info.type.name,
        info.status,
        timestamp_ns(info.start_time),
        timestamp_ns(info.close_time),
        info.task_queue,
        info.history_length,
    )


def run_summary(description: DescribeWorkflowExecutionResponse) -> RunSummary:
    """Say what a run is, and what it waits for."""
    info = description.workflow_execution_info
    return RunSummary(
        run_row(info),
        tuple((label, value) for label, value in _fields(info) if value),
        tuple(_pending(description)),
    )


def _fields(info: WorkflowExecutionInfo) -> Iterator[tuple[str, str]]:
    yield "type", info.type.name
    yield "task queue", info.task_queue
    yield "started", clock(timestamp_ns(info.start_time), with_date=True)
    if info.HasField("close_time"):
        yield "closed", clock(timestamp_ns(info.close_time), with_date=True)
    yield "history", f"{info.history_length} events, {info.history_size_bytes:,} bytes"
    if info.parent_execution.workflow_id:
        yield "parent", info.parent_execution.workflow_id
    yield "memo", format_fields(info.memo.fields)
    yield "search attributes", format_fields(info.search_attributes.indexed_fields)


def _pending(description: DescribeWorkflowExecutionResponse) -> Iterator[PendingWork]:
    if description.HasField("pending_workflow_task"):
        task = description.pending_workflow_task
        state = "started" if task.HasField("started_time") else "waits for a worker"
        yield PendingWork("workflow task", f"{state}, attempt {task.attempt}", is_trouble=task.attempt > 1)
    for activity in description.pending_activities:
        yield _pending_activity(activity)
    for child in description.pending_children:
        yield PendingWork(f"child {child.workflow_type_name}", child.workflow_id)
    for operation in description.pending_nexus_operations:
        yield PendingWork(f"Nexus operation {operation.operation}", f"on {operation.endpoint}")


def _pending_activity(activity: PendingActivityInfo) -> PendingWork:
    attempts = f" of {activity.maximum_attempts}" if activity.maximum_attempts else ""
    parts = [f"attempt {activity.attempt}{attempts}"]
    if activity.HasField("last_failure"):
        parts.append(f"last error {summarize_failure(activity.last_failure)}")
    wait_ns = timestamp_ns(activity.scheduled_time) - now_ns()
    if activity.state == 2:
        parts.append("running")
    elif wait_ns > 0:
        parts.append(f"next in {short_span(wait_ns)}")
    if activity.heartbeat_details.payloads:
        parts.append("heartbeat " + ", ".join(format_payload(p) for p in activity.heartbeat_details.payloads))
    return PendingWork(f"activity {activity.activity_type.name}", ", ".join(parts), activity.attempt > 1)
