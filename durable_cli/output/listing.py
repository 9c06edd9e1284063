"""Lists and counts of workflows, as text."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import CountWorkflowExecutionsResponse

from durable_cli.output.description import name_status
from durable_cli.output.payload_text import format_payload
from durable_cli.output.text import TextScreen, format_duration, style_status

__all__ = ["print_count", "print_workflows"]


def print_workflows(screen: TextScreen, executions: Sequence[WorkflowExecutionInfo]) -> None:
    """Print one row a workflow; nothing at all in a pipe when there is none."""
    if not executions:
        if screen.is_terminal:
            screen.line("no workflows")
        return
    screen.table(
        ["Status", "WorkflowId", "Type", "StartTime", "Duration", "TaskQueue"],
        [
            (
                style_status(name_status(execution.status)),
                execution.execution.workflow_id,
                execution.type.name,
                screen.format_time(execution.start_time),
                format_duration(execution.execution_duration) if execution.HasField("execution_duration") else "",
                execution.task_queue,
            )
            for execution in executions
        ],
    )


def print_count(screen: TextScreen, count: CountWorkflowExecutionsResponse) -> None:
    """Print a count and, of a GROUP BY, the groups."""
    screen.line(f"Total: {count.count}")
    if count.groups:
        screen.table(
            ["Count", "Group"],
            [
                (str(group.count), ", ".join(format_payload(value).strip('"') for value in group.group_values))
                for group in count.groups
            ],
            right=1,
        )
