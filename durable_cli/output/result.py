"""How a workflow ended: which way, and the official JSON of it."""

from __future__ import annotations

from typing import Any

from temporalio.api.history.v1 import HistoryEvent

from durable_cli.output.event_text import name_event
from durable_cli.output.output import Output
from durable_cli.output.proto_json import payloads_to_json

__all__ = ["add_close_event", "is_close_event", "is_success", "result_to_json"]

_CLOSE_EVENTS = {
    f"WorkflowExecution{way}" for way in ("Completed", "Failed", "TimedOut", "Canceled", "Terminated", "ContinuedAsNew")
}

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
    return name_event(event) in _CLOSE_EVENTS


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
