"""Rows for the screens, made of what a server answers."""

from __future__ import annotations

import json

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from durable_cli.tui.rows import RunRow
from durable_cli.tui.status import STATUSES

__all__ = ["duration_ns", "run_row", "status_of_payload", "timestamp_ns"]


def timestamp_ns(time: Timestamp) -> int:
    """Return a time in nanoseconds since the epoch; 0 for none."""
    # Servers write "none" as a missing time, as the epoch, or as the year 1.
    return time.seconds * 1_000_000_000 + time.nanos if time.seconds > 0 else 0


def duration_ns(duration: Duration) -> int:
    """Return a span in nanoseconds; 0 for none."""
    return duration.seconds * 1_000_000_000 + duration.nanos


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
