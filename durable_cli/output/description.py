"""What DescribeWorkflowExecution says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import ResetPoints
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from durable_cli.output.output import Output
from durable_cli.output.result import is_success, result_to_json

__all__ = ["list_times", "name_status", "print_description", "print_reset_points"]


def name_status(status: int) -> str:
    """Return a workflow's status as the list filter spells it, such as `ContinuedAsNew`."""
    word = WorkflowExecutionStatus.Name(status).removeprefix("WORKFLOW_EXECUTION_STATUS_")  # type: ignore[arg-type]
    return "".join(part.capitalize() for part in word.split("_"))


def list_times(description: DescribeWorkflowExecutionResponse) -> Iterator[Timestamp]:
    """Yield the times that the text shows; those that are not set are zero."""
    info, extended = description.workflow_execution_info, description.workflow_extended_info
    yield from (info.start_time, info.execution_time, info.close_time)
    yield from (extended.run_expiration_time, extended.last_reset_time)
    yield from (description.pending_workflow_task.scheduled_time, description.pending_workflow_task.started_time)
    for activity in description.pending_activities:
        yield from (activity.scheduled_time, activity.last_started_time)
        yield from (activity.last_heartbeat_time, activity.expiration_time)
    yield from (point.create_time for point in info.auto_reset_points.points)


def print_description(
    output: Output, description: DescribeWorkflowExecutionResponse, close_event: HistoryEvent | None, namespace: str
) -> None:
    """Print a description and, of a closed run, how it ended."""
    if output.is_json:
        document: dict[str, Any] = output.to_json(description)
        if close_event is not None:
            document["closeEvent"] = output.to_json(close_event)
            if is_success(close_event):
                document["result"] = result_to_json(close_event, output)
        output.print_json(document)
    elif output.is_text:
        from durable_cli.output.description_text import draw_description

        draw_description(output.screen, description, close_event, namespace)


def print_reset_points(output: Output, points: ResetPoints) -> None:
    """Print the points to which a run can be reset."""
    if output.is_json:
        output.print_json(
            [
                {
                    "BinaryChecksum": point.binary_checksum,
                    "CreateTime": _format_shortest(point.create_time),
                    "RunId": point.run_id,
                    "EventId": point.first_workflow_task_completed_id,
                }
                for point in points.points
            ]
        )
    elif output.is_text:
        from durable_cli.output.description_text import draw_reset_points

        draw_reset_points(output.screen, points)


def _format_shortest(time: Timestamp) -> str:
    """Format a time with only as many decimals as it needs, which is how the official command writes this one."""
    seconds, point, decimals = time.ToJsonString().removesuffix("Z").partition(".")
    decimals = decimals.rstrip("0")
    return f"{seconds}{point if decimals else ''}{decimals}Z"
