"""What an event says, in one short line: the column that makes a history readable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from temporalio.api.enums.v1 import (
    RetryState,
    TimeoutType,
    WorkflowTaskFailedCause,
)
from temporalio.api.history.v1 import HistoryEvent

from durable_cli.output.payload_text import format_payloads, summarize_failure
from durable_cli.output.times import format_duration

__all__ = ["name_event", "summarize_event"]

_Attributes = Any


def name_event(event: HistoryEvent) -> str:
    """Return the event's type as the SDKs name it, such as `ActivityTaskScheduled`."""
    field = event.WhichOneof("attributes")
    if field is None:
        return f"EventType{event.event_type}"
    return "".join(word.capitalize() for word in field.removesuffix("_event_attributes").split("_"))


def summarize_event(event: HistoryEvent, names: Mapping[int, str]) -> str:
    """Say what happened: which activity, which signal with what, which failure.

    `names` holds the activity's type by the id of the event that scheduled it.
    """
    field = event.WhichOneof("attributes")
    if field is None:
        return ""
    kind = field.removesuffix("_event_attributes")
    attributes = getattr(event, field)
    if kind in _ACTIVITY_SUMMARIES:
        subject = names.get(attributes.scheduled_event_id, f"of event {attributes.scheduled_event_id}")
        rest = _ACTIVITY_SUMMARIES[kind](attributes)
        return f"{subject}{rest}" if rest.startswith(",") else f"{subject}: {rest}" if rest else subject
    summary = _SUMMARIES.get(kind)
    return summary(attributes) if summary else ""


def _call(name: str, payloads: Any) -> str:
    arguments = format_payloads(payloads.payloads)
    return f"{name}({arguments if len(arguments) <= 120 else arguments[:119] + '…'})"


def _result(attributes: _Attributes) -> str:
    text = format_payloads(attributes.result.payloads)
    return text if len(text) <= 120 else text[:119] + "…"


def _activity_started(attributes: _Attributes) -> str:
    again = f", attempt {attributes.attempt}" if attributes.attempt > 1 else ""
    return f"{again}, by {attributes.identity}"


def _activity_failed(attributes: _Attributes) -> str:
    state = RetryState.Name(attributes.retry_state).removeprefix("RETRY_STATE_").lower().replace("_", " ")
    return f"{summarize_failure(attributes.failure)} ({state})"


def _task_failed(attributes: _Attributes) -> str:
    cause = WorkflowTaskFailedCause.Name(attributes.cause).removeprefix("WORKFLOW_TASK_FAILED_CAUSE_")
    message = summarize_failure(attributes.failure)
    return f"{cause}: {message}" if message else cause


def _task_timed_out(attributes: _Attributes) -> str:
    return TimeoutType.Name(attributes.timeout_type).removeprefix("TIMEOUT_TYPE_").lower().replace("_", " ")


def _child(attributes: _Attributes) -> str:
    return f"{attributes.workflow_type.name} {attributes.workflow_execution.workflow_id}"


def _child_failed(attributes: _Attributes) -> str:
    return f"{_child(attributes)}: {summarize_failure(attributes.failure)}"


def _external(attributes: _Attributes) -> str:
    return str(attributes.workflow_execution.workflow_id)


_ACTIVITY_SUMMARIES: dict[str, Callable[[_Attributes], str]] = {
    "activity_task_started": _activity_started,
    "activity_task_completed": _result,
    "activity_task_failed": _activity_failed,
    "activity_task_timed_out": lambda a: summarize_failure(a.failure),
    "activity_task_canceled": lambda a: "",
    "activity_task_cancel_requested": lambda a: "",
}

_SUMMARIES: dict[str, Callable[[_Attributes], str]] = {
    "workflow_execution_started": lambda a: _call(a.workflow_type.name, a.input),
    "workflow_execution_completed": _result,
    "workflow_execution_failed": lambda a: summarize_failure(a.failure),
    "workflow_execution_terminated": lambda a: a.reason,
    "workflow_execution_cancel_requested": lambda a: a.cause,
    "workflow_execution_continued_as_new": lambda a: f"{a.workflow_type.name}, run {a.new_execution_run_id}",
    "workflow_execution_signaled": lambda a: _call(a.signal_name, a.input),
    "workflow_execution_update_accepted": lambda a: _call(a.accepted_request.input.name, a.accepted_request.input.args),
    "workflow_task_failed": _task_failed,
    "workflow_task_timed_out": _task_timed_out,
    "activity_task_scheduled": lambda a: _call(a.activity_type.name, a.input),
    "timer_started": lambda a: f"{a.timer_id}, {format_duration(a.start_to_fire_timeout)}",
    "timer_fired": lambda a: a.timer_id,
    "timer_canceled": lambda a: a.timer_id,
    "marker_recorded": lambda a: a.marker_name,
    "start_child_workflow_execution_initiated": lambda a: f"{a.workflow_type.name} {a.workflow_id}",
    "start_child_workflow_execution_failed": lambda a: f"{a.workflow_type.name} {a.workflow_id}",
    "child_workflow_execution_started": _child,
    "child_workflow_execution_completed": _child,
    "child_workflow_execution_failed": _child_failed,
    "child_workflow_execution_canceled": _child,
    "child_workflow_execution_timed_out": _child,
    "child_workflow_execution_terminated": _child,
    "signal_external_workflow_execution_initiated": lambda a: f"{a.signal_name} to {_external(a)}",
    "request_cancel_external_workflow_execution_initiated": _external,
}
