"""How a workflow ended, as text and as the official JSON."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from temporalio.api.history.v1 import HistoryEvent

from durable_cli.output.event_text import name_event
from durable_cli.output.output import Output
from durable_cli.output.payload_text import format_failure, format_result
from durable_cli.output.proto_json import payloads_to_json
from durable_cli.output.text import STATUS_STYLES, Row, style_status

__all__ = ["add_close_event", "is_close_event", "is_success", "list_result_rows"]

# The official JSON knows only these; the other ways to end are "<unknown>" there, and so they are here.
_JSON_STATUSES = {
    "WorkflowExecutionCompleted": "COMPLETED",
    "WorkflowExecutionFailed": "FAILED",
    "WorkflowExecutionTimedOut": "TIMEOUT",
    "WorkflowExecutionCanceled": "CANCELED",
}


def is_success(close_event: HistoryEvent) -> bool:
    """Return whether the workflow completed."""
    return close_event.HasField("workflow_execution_completed_event_attributes")


def is_close_event(event: HistoryEvent) -> bool:
    """Return whether a run ends with this event."""
    return name_event(event).removeprefix("WorkflowExecution") in STATUS_STYLES


def add_close_event(document: dict[str, Any], close_event: HistoryEvent, output: Output) -> None:
    """Add `status`, `closeEvent` and, where there is one, `result` to a JSON document."""
    document["status"] = _JSON_STATUSES.get(name_event(close_event), "<unknown>")
    document["closeEvent"] = output.to_json(close_event)
    if is_success(close_event):
        document["result"] = result_to_json(close_event, output)


def result_to_json(close_event: HistoryEvent, output: Output) -> Any:
    """Convert the result of a completed workflow; none is null."""
    attributes = close_event.workflow_execution_completed_event_attributes
    if not attributes.HasField("result"):
        return None
    return payloads_to_json(attributes.result, shorthand_payloads=output.shorthand_payloads)


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
        rows.append(("NewRunId", Text(attributes_new.new_execution_run_id)))
    return rows
