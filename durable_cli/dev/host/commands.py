"""How events of a history and commands of the SDK's core correspond, and one line of text for each."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

LOCAL_ACTIVITY_MARKER = "core_local_activity"
PATCH_MARKER = "core_patch"

# The core's command -> the name of the server's command, the event it becomes, and what it is about.
_COMMANDS: dict[str, tuple[str, str, Callable[[Any], str]]] = {
    "start_timer": ("StartTimer", "TIMER_STARTED", lambda it: _duration(it.start_to_fire_timeout)),
    "cancel_timer": ("CancelTimer", "TIMER_CANCELED", lambda it: ""),
    "schedule_activity": ("ScheduleActivityTask", "ACTIVITY_TASK_SCHEDULED", lambda it: it.activity_type),
    "request_cancel_activity": ("RequestCancelActivityTask", "ACTIVITY_TASK_CANCEL_REQUESTED", lambda it: ""),
    "schedule_local_activity": ("RecordMarker", "MARKER_RECORDED", lambda it: f"local activity {it.activity_type}"),
    "set_patch_marker": ("RecordMarker", "MARKER_RECORDED", lambda it: f"patch {it.patch_id}"),
    "start_child_workflow_execution": (
        "StartChildWorkflowExecution",
        "START_CHILD_WORKFLOW_EXECUTION_INITIATED",
        lambda it: it.workflow_type,
    ),
    "cancel_child_workflow_execution": (
        "RequestCancelExternalWorkflowExecution",
        "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
        lambda it: "of a child",
    ),
    "request_cancel_external_workflow_execution": (
        "RequestCancelExternalWorkflowExecution",
        "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
        lambda it: it.workflow_execution.workflow_id,
    ),
    "signal_external_workflow_execution": (
        "SignalExternalWorkflowExecution",
        "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
        lambda it: it.signal_name,
    ),
    "upsert_workflow_search_attributes": (
        "UpsertWorkflowSearchAttributes",
        "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        lambda it: "",
    ),
    "modify_workflow_properties": ("ModifyWorkflowProperties", "WORKFLOW_PROPERTIES_MODIFIED", lambda it: ""),
    "schedule_nexus_operation": (
        "ScheduleNexusOperation",
        "NEXUS_OPERATION_SCHEDULED",
        lambda it: f"{it.service}.{it.operation}",
    ),
    "request_cancel_nexus_operation": (
        "RequestCancelNexusOperation",
        "NEXUS_OPERATION_CANCEL_REQUESTED",
        lambda it: "",
    ),
    "complete_workflow_execution": ("CompleteWorkflowExecution", "WORKFLOW_EXECUTION_COMPLETED", lambda it: ""),
    "fail_workflow_execution": (
        "FailWorkflowExecution",
        "WORKFLOW_EXECUTION_FAILED",
        lambda it: it.failure.message,
    ),
    "cancel_workflow_execution": ("CancelWorkflowExecution", "WORKFLOW_EXECUTION_CANCELED", lambda it: ""),
    "continue_as_new_workflow_execution": (
        "ContinueAsNewWorkflowExecution",
        "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
        lambda it: it.workflow_type,
    ),
}

_EVENT_SUBJECTS: dict[str, Callable[[Any], str]] = {
    "TIMER_STARTED": lambda it: _duration(it.start_to_fire_timeout),
    "ACTIVITY_TASK_SCHEDULED": lambda it: it.activity_type.name,
    "START_CHILD_WORKFLOW_EXECUTION_INITIATED": lambda it: it.workflow_type.name,
    "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": lambda it: it.workflow_execution.workflow_id,
    "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": lambda it: it.signal_name,
    "NEXUS_OPERATION_SCHEDULED": lambda it: f"{it.service}.{it.operation}",
    "WORKFLOW_EXECUTION_STARTED": lambda it: it.workflow_type.name,
    "WORKFLOW_EXECUTION_FAILED": lambda it: it.failure.message,
    "WORKFLOW_EXECUTION_CONTINUED_AS_NEW": lambda it: it.workflow_type.name,
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": lambda it: it.accepted_request.input.name,
    "MARKER_RECORDED": lambda it: _marker_subject(it),
}

COMMAND_EVENTS = frozenset(event for _, event, _ in _COMMANDS.values())
"""The events that a command makes, by their names in EventType without the prefix."""


def event_name(event: HistoryEvent) -> str:
    """Return an event's name as in EventType, without the prefix."""
    return EventType.Name(event.event_type)[len("EVENT_TYPE_") :]


def event_type(event: HistoryEvent) -> str:
    """Return an event's type in the form of the official command line, as `ActivityTaskScheduled`."""
    return "".join(word.capitalize() for word in event_name(event).split("_"))


def event_subject(event: HistoryEvent) -> str:
    """Return what an event is about: the name of an activity, the time of a timer."""
    describe = _EVENT_SUBJECTS.get(event_name(event))
    if describe is None:
        return ""
    return describe(getattr(event, event.WhichOneof("attributes") or ""))


def event_summary(event: HistoryEvent) -> str:
    """Return an event in one line, as `ActivityTaskScheduled charge_payment`."""
    return f"{event_type(event)} {event_subject(event)}".strip()


def command_type(command: Any) -> str:
    """Return the name of the server's command that a command of the core becomes."""
    return _COMMANDS[command.WhichOneof("variant")][0]


def command_subject(command: Any) -> str:
    """Return what a command is about."""
    variant = command.WhichOneof("variant")
    return _COMMANDS[variant][2](getattr(command, variant))


def command_summary(command: Any) -> str:
    """Return a command in one line, as `ScheduleActivityTask charge_payment`."""
    return f"{command_type(command)} {command_subject(command)}".strip()


def becomes_event(command: Any) -> str | None:
    """Return the name of the event that a command becomes, or None when it becomes none."""
    known = _COMMANDS.get(command.WhichOneof("variant") or "")
    return known[1] if known else None


def patch_of(event: HistoryEvent) -> str | None:
    """Return the id of the patch whose marker an event is, or None."""
    attributes = event.marker_recorded_event_attributes
    return _patch_id(attributes) if attributes.marker_name == PATCH_MARKER else None


def _marker_subject(attributes: Any) -> str:
    if attributes.marker_name == PATCH_MARKER:
        return f"patch {_patch_id(attributes)}"
    if attributes.marker_name == LOCAL_ACTIVITY_MARKER:
        return f"local activity {_detail(attributes, 'data', 'activity_type')}"
    return str(attributes.marker_name)


def _patch_id(attributes: Any) -> str:
    return _detail(attributes, "patch-data", "id")


def _detail(attributes: Any, name: str, key: str) -> str:
    """Return a value from the JSON that the core keeps in a marker; a patch id may be the JSON itself."""
    for payload in attributes.details[name].payloads if name in attributes.details else ():
        try:
            value = json.loads(payload.data)
        except ValueError:
            continue
        return str(value.get(key, "")) if isinstance(value, dict) else str(value)
    return ""


def _duration(value: Any) -> str:
    seconds = value.ToTimedelta() / timedelta(seconds=1)
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"
