"""How a workflow ended, as text."""

from __future__ import annotations

from temporalio.api.history.v1 import HistoryEvent

from durable_cli.output.event_text import name_event
from durable_cli.output.failure_text import format_failure
from durable_cli.output.payload_text import format_result
from durable_cli.output.result import is_success
from durable_cli.output.text import Row, style_status

__all__ = ["list_result_rows"]


def list_result_rows(close_event: HistoryEvent) -> list[Row]:
    """List what to show of a workflow's end."""
    name = name_event(close_event).removeprefix("WorkflowExecution")
    rows: list[Row] = [("Status", style_status(name))]
    if is_success(close_event):
        result = close_event.workflow_execution_completed_event_attributes.result
        rows.append(("Result", format_result(result)))
        encoding = result.payloads[0].metadata.get("encoding", b"").decode() if result.payloads else ""
        if encoding != "json/plain":
            rows.append(("Encoding", encoding))
    elif close_event.HasField("workflow_execution_failed_event_attributes"):
        rows.append(("Failure", format_failure(close_event.workflow_execution_failed_event_attributes.failure)))
    elif close_event.HasField("workflow_execution_terminated_event_attributes"):
        attributes = close_event.workflow_execution_terminated_event_attributes
        rows += [("Reason", attributes.reason), ("By", attributes.identity)]
    elif close_event.HasField("workflow_execution_continued_as_new_event_attributes"):
        attributes_new = close_event.workflow_execution_continued_as_new_event_attributes
        rows.append(("NewRunId", attributes_new.new_execution_run_id))
    return rows
