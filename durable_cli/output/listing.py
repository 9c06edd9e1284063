"""Lists and counts of workflows, as text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import CountWorkflowExecutionsResponse

from durable_cli.output.description import name_status
from durable_cli.output.payload_text import format_payload
from durable_cli.output.text import TextScreen, style_status
from durable_cli.output.times import format_duration

__all__ = ["WorkflowTable", "print_count"]


class WorkflowTable:
    """Prints workflows page by page, under one header."""

    def __init__(self, screen: TextScreen) -> None:
        self._screen = screen
        self._pages = 0

    def append(self, executions: Sequence[WorkflowExecutionInfo]) -> None:
        """Print one page; a page without a workflow prints nothing."""
        if not executions:
            return
        self._screen.table(
            ["Status", "WorkflowId", "Type", "StartTime", "Duration", "TaskQueue"],
            [self._make_row(execution) for execution in executions],
            header=not self._pages,
        )
        self._pages += 1

    def close(self) -> None:
        """Say so when there was none, to a person."""
        if not self._pages and self._screen.is_terminal:
            self._screen.line("no workflows")

    def _make_row(self, execution: WorkflowExecutionInfo) -> tuple[str | Text, ...]:
        return (
            style_status(name_status(execution.status)),
            execution.execution.workflow_id,
            execution.type.name,
            self._screen.format_time(execution.start_time),
            format_duration(execution.execution_duration) if execution.HasField("execution_duration") else "",
            execution.task_queue,
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
