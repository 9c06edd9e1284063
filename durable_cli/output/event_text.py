"""What an event says, in one short line: the column that makes a history readable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from temporalio.api.enums.v1 import (
    CancelExternalWorkflowExecutionFailedCause,
    RetryState,
    SignalExternalWorkflowExecutionFailedCause,
    StartChildWorkflowExecutionFailedCause,
    TimeoutType,
    WorkflowTaskFailedCause,
)
from temporalio.api.history.v1 import HistoryEvent

from durable_cli.output.payload_text import format_fields, preview_payloads, summarize_failure
from durable_cli.output.times import format_duration

__all__ = ["Names", "name_event", "summarize_event"]

_Attributes = Any


@dataclass(slots=True)
class Names:
    """What earlier events of a history call what a later one names by an id."""

    activities: dict[int, str] = field(default_factory=dict)
    """Types by the id of the event that scheduled them."""
    operations: dict[int, str] = field(default_factory=dict)
    """Nexus operations by the id of the event that scheduled them."""
    updates: dict[str, str] = field(default_factory=dict)
    """Names of their handlers by update id."""

    def note(self, event: HistoryEvent) -> None:
        """Remember the names that an event says."""
        if event.HasField("activity_task_scheduled_event_attributes"):
            scheduled = event.activity_task_scheduled_event_attributes
            self.activities[event.event_id] = scheduled.activity_type.name
        if event.HasField("nexus_operation_scheduled_event_attributes"):
            operation = event.nexus_operation_scheduled_event_attributes
            self.operations[event.event_id] = f"{operation.endpoint} {operation.service}.{operation.operation}"
        for request in (
            event.workflow_execution_update_admitted_event_attributes.request,
            event.workflow_execution_update_accepted_event_attributes.accepted_request,
        ):
            if request.HasField("input"):
                self.updates[request.meta.update_id] = request.input.name


def name_event(event: HistoryEvent) -> str:
    """Return the event's type as the SDKs name it, such as `ActivityTaskScheduled`."""
    attributes_field = event.WhichOneof("attributes")
    return _name_attributes(attributes_field) if attributes_field else f"EventType{event.event_type}"


@cache
def _name_attributes(field: str) -> str:
    return "".join(word.capitalize() for word in field.removesuffix("_event_attributes").split("_"))


def summarize_event(event: HistoryEvent, names: Names) -> str:
    """Say what happened: which activity, which signal with what, which failure."""
    attributes_field = event.WhichOneof("attributes")
    if attributes_field is None:
        return ""
    kind = attributes_field.removesuffix("_event_attributes")
    attributes = getattr(event, attributes_field)
    if kind in _ACTIVITY_SUMMARIES:
        subject = names.activities.get(attributes.scheduled_event_id, f"of event {attributes.scheduled_event_id}")
        rest = _ACTIVITY_SUMMARIES[kind](attributes)
        return f"{subject}{rest}" if rest.startswith(",") else f"{subject}: {rest}" if rest else subject
    if kind.startswith("nexus_operation_"):
        return _summarize_nexus(event.event_id, attributes, names)
    if kind in _UPDATE_SUMMARIES:
        return _UPDATE_SUMMARIES[kind](attributes, names)
    summary = _SUMMARIES.get(kind)
    return summary(attributes) if summary else ""


def _summarize_nexus(event_id: int, attributes: _Attributes, names: Names) -> str:
    scheduled_event_id = getattr(attributes, "scheduled_event_id", event_id)
    operation = names.operations.get(scheduled_event_id, f"of event {scheduled_event_id}")
    said = ""
    if hasattr(attributes, "failure"):
        said = summarize_failure(attributes.failure)
    elif hasattr(attributes, "result") or hasattr(attributes, "input"):
        payload = attributes.result if hasattr(attributes, "result") else attributes.input
        said = preview_payloads([payload]) if payload.metadata else ""
    return f"{operation}: {said}" if said else operation


def _word(enum: Any, number: int, prefix: str) -> str:
    """Return an enum value's name without its prefix; of one that a newer server knows, the number."""
    return str(enum.Name(number)).removeprefix(prefix) if number in enum.values() else str(number)


def _call(name: str, payloads: Any) -> str:
    return f"{name}({preview_payloads(payloads.payloads)})"


def _result(attributes: _Attributes) -> str:
    return _values(attributes.result)


def _values(payloads: Any) -> str:
    return preview_payloads(payloads.payloads)


def _fields(fields: Any) -> str:
    text = format_fields(fields)
    return text if len(text) <= 120 else text[:119] + "…"


def _update_accepted(attributes: _Attributes, names: Names) -> str:
    if attributes.HasField("accepted_request"):
        return _call(attributes.accepted_request.input.name, attributes.accepted_request.input.args)
    update_id: str = attributes.protocol_instance_id
    return names.updates.get(update_id, update_id)


def _update_completed(attributes: _Attributes, names: Names) -> str:
    name, outcome = names.updates.get(attributes.meta.update_id, attributes.meta.update_id), attributes.outcome
    result = summarize_failure(outcome.failure) if outcome.HasField("failure") else _values(outcome.success)
    return f"{name}: {result}" if result else name


def _activity_started(attributes: _Attributes) -> str:
    again = f", attempt {attributes.attempt}" if attributes.attempt > 1 else ""
    return f"{again}, by {attributes.identity}"


def _activity_failed(attributes: _Attributes) -> str:
    state = _word(RetryState, attributes.retry_state, "RETRY_STATE_").lower().replace("_", " ")
    return f"{summarize_failure(attributes.failure)} ({state})"


def _task_failed(attributes: _Attributes) -> str:
    cause = _word(WorkflowTaskFailedCause, attributes.cause, "WORKFLOW_TASK_FAILED_CAUSE_")
    message = summarize_failure(attributes.failure)
    return f"{cause}: {message}" if message else cause


def _task_timed_out(attributes: _Attributes) -> str:
    return _word(TimeoutType, attributes.timeout_type, "TIMEOUT_TYPE_").lower().replace("_", " ")


def _child(attributes: _Attributes) -> str:
    return f"{attributes.workflow_type.name} {attributes.workflow_execution.workflow_id}"


def _child_start_failed(attributes: _Attributes) -> str:
    prefix = "START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_"
    cause = _word(StartChildWorkflowExecutionFailedCause, attributes.cause, prefix)
    return f"{attributes.workflow_type.name} {attributes.workflow_id}: {cause}"


def _child_completed(attributes: _Attributes) -> str:
    result = _result(attributes)
    return f"{_child(attributes)}: {result}" if result else _child(attributes)


def _child_failed(attributes: _Attributes) -> str:
    return f"{_child(attributes)}: {summarize_failure(attributes.failure)}"


def _external(attributes: _Attributes) -> str:
    return str(attributes.workflow_execution.workflow_id)


def _signal_failed(attributes: _Attributes) -> str:
    prefix = "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_"
    return f"{_external(attributes)}: {_word(SignalExternalWorkflowExecutionFailedCause, attributes.cause, prefix)}"


def _cancel_failed(attributes: _Attributes) -> str:
    prefix = "CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_"
    return f"{_external(attributes)}: {_word(CancelExternalWorkflowExecutionFailedCause, attributes.cause, prefix)}"


_ACTIVITY_SUMMARIES: dict[str, Callable[[_Attributes], str]] = {
    "activity_task_started": _activity_started,
    "activity_task_completed": _result,
    "activity_task_failed": _activity_failed,
    "activity_task_timed_out": lambda a: summarize_failure(a.failure),
    "activity_task_canceled": lambda a: "",
    "activity_task_cancel_requested": lambda a: "",
}

_UPDATE_SUMMARIES: dict[str, Callable[[_Attributes, Names], str]] = {
    "workflow_execution_update_admitted": lambda a, names: _call(a.request.input.name, a.request.input.args),
    "workflow_execution_update_accepted": _update_accepted,
    "workflow_execution_update_completed": _update_completed,
}

_SUMMARIES: dict[str, Callable[[_Attributes], str]] = {
    "workflow_execution_started": lambda a: _call(a.workflow_type.name, a.input),
    "workflow_execution_completed": _result,
    "workflow_execution_failed": lambda a: summarize_failure(a.failure),
    "workflow_execution_terminated": lambda a: a.reason,
    "workflow_execution_cancel_requested": lambda a: a.cause,
    "workflow_execution_continued_as_new": lambda a: f"{a.workflow_type.name}, run {a.new_execution_run_id}",
    "workflow_execution_signaled": lambda a: _call(a.signal_name, a.input),
    "workflow_task_failed": _task_failed,
    "workflow_task_timed_out": _task_timed_out,
    "activity_task_scheduled": lambda a: _call(a.activity_type.name, a.input),
    "timer_started": lambda a: f"{a.timer_id}, {format_duration(a.start_to_fire_timeout)}",
    "timer_fired": lambda a: a.timer_id,
    "timer_canceled": lambda a: a.timer_id,
    "marker_recorded": lambda a: a.marker_name,
    "upsert_workflow_search_attributes": lambda a: _fields(a.search_attributes.indexed_fields),
    "workflow_properties_modified": lambda a: _fields(a.upserted_memo.fields),
    "workflow_execution_paused": lambda a: a.reason,
    "workflow_execution_unpaused": lambda a: a.reason,
    "start_child_workflow_execution_initiated": lambda a: f"{a.workflow_type.name} {a.workflow_id}",
    "start_child_workflow_execution_failed": _child_start_failed,
    "child_workflow_execution_started": _child,
    "child_workflow_execution_completed": _child_completed,
    "child_workflow_execution_failed": _child_failed,
    "child_workflow_execution_canceled": _child,
    "child_workflow_execution_timed_out": _child,
    "child_workflow_execution_terminated": _child,
    "signal_external_workflow_execution_initiated": lambda a: f"{a.signal_name} to {_external(a)}",
    "signal_external_workflow_execution_failed": _signal_failed,
    "external_workflow_execution_signaled": _external,
    "request_cancel_external_workflow_execution_initiated": _external,
    "request_cancel_external_workflow_execution_failed": _cancel_failed,
    "external_workflow_execution_cancel_requested": _external,
}
