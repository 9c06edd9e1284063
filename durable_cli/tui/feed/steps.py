"""What an event does to its group, as a step for the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent

from durable_cli.output.payload_text import failure_words, preview_payloads, summarize_failure
from durable_cli.output.times import format_duration
from durable_cli.tui.feed.from_protos import duration_ns, timestamp_ns
from durable_cli.tui.feed.markers import read_marker
from durable_cli.tui.history.kinds import Kind, State, find_role
from durable_cli.tui.history.steps import Step
from durable_cli.tui.lines import show_controls, without_marks

__all__ = ["make_step"]

_Attributes = Any
_Facts = dict[str, Any]


def make_step(event: HistoryEvent, name: str, admitted: dict[str, int]) -> Step:
    """Make the step of an event.

    Args:
        name: the event's type as the SDKs name it.
        admitted: ids of the events that admitted updates, by update id; this event is added where it is one.
    """
    role = find_role(name)
    attributes_field = event.WhichOneof("attributes")
    attributes = getattr(event, attributes_field) if attributes_field else None
    time_ns = timestamp_ns(event.event_time)
    opened = _find_opened(event.event_id, role.kind, attributes)
    if role.kind is Kind.UPDATE:
        opened = _find_admitted(event.event_id, opened, attributes, admitted)
    facts: _Facts = {}
    make_facts = _FACTS.get(name)
    if make_facts is not None:
        facts = make_facts(attributes, time_ns)
    kind, state = facts.pop("kind", role.kind), facts.pop("state", role.state)
    if event.HasField("user_metadata") and event.user_metadata.HasField("summary"):
        facts["label"] = _label(event.user_metadata.summary)
    return Step(event.event_id, time_ns, kind, state, opened, **facts)


_OPENED_FIELDS = {
    Kind.WORKFLOW_TASK: "scheduled_event_id",
    Kind.ACTIVITY: "scheduled_event_id",
    Kind.NEXUS: "scheduled_event_id",
    Kind.TIMER: "started_event_id",
    Kind.CHILD: "initiated_event_id",
    Kind.EXTERNAL_SIGNAL: "initiated_event_id",
    Kind.EXTERNAL_CANCEL: "initiated_event_id",
    Kind.UPDATE: "accepted_event_id",
}


def _find_opened(event_id: int, kind: Kind, attributes: _Attributes) -> int:
    """Return the event that opened the group; an event that names none opens one itself."""
    if kind is Kind.RUN:
        return 1
    field = _OPENED_FIELDS.get(kind)
    return (getattr(attributes, field, 0) if field else 0) or event_id


def _find_admitted(event_id: int, opened: int, attributes: _Attributes, admitted: dict[str, int]) -> int:
    if hasattr(attributes, "request"):
        admitted[attributes.request.meta.update_id] = event_id
    elif hasattr(attributes, "protocol_instance_id"):
        return admitted.get(attributes.protocol_instance_id, opened)
    return opened


def _label(payload: Payload) -> str:
    try:
        value = json.loads(payload.data)
    except ValueError:
        return ""
    return show_controls(without_marks(value)) if isinstance(value, str) else ""


def _fingerprint(payloads: Any) -> int:
    return hash(tuple(payload.data for payload in payloads)) if payloads else 0


def _failure_fingerprint(failure: Failure) -> int:
    words = [failure_words(failure)[0], failure.application_failure_info.type]
    while failure.HasField("cause"):
        failure = failure.cause
        words += failure_words(failure)[0], failure.application_failure_info.type
    return hash(tuple(words))


def _given(payloads: Any, **facts: Any) -> _Facts:
    """Return what a group was given."""
    return {"detail": preview_payloads(payloads), "fingerprint": _fingerprint(payloads), **facts}


def _failed(failure: Failure, **facts: Any) -> _Facts:
    return {"failure": summarize_failure(failure), "fingerprint": _failure_fingerprint(failure), **facts}


def _run_started(a: _Attributes, time_ns: int) -> _Facts:
    backoff = duration_ns(a.first_workflow_task_backoff)
    parent = a.parent_workflow_execution
    return _given(
        a.input.payloads,
        name=a.workflow_type.name,
        attempt=a.attempt,
        due_time_ns=time_ns + backoff if backoff else 0,
        workflow_id=parent.workflow_id,
        run_id=parent.run_id,
    )


def _next_run(a: _Attributes) -> _Facts:
    return {"next_run_id": a.new_execution_run_id}


def _scheduled(a: _Attributes, time_ns: int) -> _Facts:
    return _given(a.input.payloads, name=a.activity_type.name, item_id=a.activity_id)


def _attempt_started(a: _Attributes, time_ns: int) -> _Facts:
    facts: _Facts = {"attempt": a.attempt}
    if a.HasField("last_failure"):
        facts["failure"] = summarize_failure(a.last_failure)
    return facts


def _timer_started(a: _Attributes, time_ns: int) -> _Facts:
    return {
        "name": format_duration(a.start_to_fire_timeout),
        "item_id": a.timer_id,
        "due_time_ns": time_ns + duration_ns(a.start_to_fire_timeout),
    }


def _child_initiated(a: _Attributes, time_ns: int) -> _Facts:
    return _given(a.input.payloads, name=a.workflow_type.name, workflow_id=a.workflow_id)


def _child_started(a: _Attributes, time_ns: int) -> _Facts:
    execution = a.workflow_execution
    return {"workflow_id": execution.workflow_id, "run_id": execution.run_id}


def _signaled(a: _Attributes, time_ns: int) -> _Facts:
    sender = a.external_workflow_execution
    return _given(a.input.payloads, name=a.signal_name, workflow_id=sender.workflow_id, run_id=sender.run_id)


def _signals_other(a: _Attributes, time_ns: int) -> _Facts:
    target = a.workflow_execution
    name = f"{target.workflow_id}: {a.signal_name}"
    return _given(a.input.payloads, name=name, workflow_id=target.workflow_id, run_id=target.run_id)


def _cancels_other(a: _Attributes, time_ns: int) -> _Facts:
    target = a.workflow_execution
    return {"name": target.workflow_id, "workflow_id": target.workflow_id, "run_id": target.run_id}


def _cause(a: _Attributes, time_ns: int) -> _Facts:
    descriptor = a.DESCRIPTOR.fields_by_name["cause"].enum_type
    value = descriptor.values_by_number.get(a.cause)
    word = value.name.split("_CAUSE_")[-1].lower().replace("_", " ") if value else str(a.cause)
    return {"failure": word, "fingerprint": hash(word)}


def _update_requested(request: Any) -> _Facts:
    if not request.HasField("input"):
        return {}
    return _given(request.input.args.payloads, name=request.input.name, item_id=request.meta.update_id)


def _update_completed(a: _Attributes, time_ns: int) -> _Facts:
    if a.outcome.HasField("failure"):
        return _failed(a.outcome.failure, state=State.FAILED)
    return _given(a.outcome.success.payloads)


def _task_failed(a: _Attributes, time_ns: int) -> _Facts:
    facts = _cause(a, time_ns)
    message = summarize_failure(a.failure)
    return {**facts, "failure": f"{facts['failure']}: {message}"} if message else facts


def _nexus_scheduled(a: _Attributes, time_ns: int) -> _Facts:
    return _given([a.input] if a.HasField("input") else [], name=f"{a.service}.{a.operation}")


def _attributes_set(fields: Any, word: str) -> _Facts:
    names = ", ".join(sorted(fields))
    return {"name": word, "detail": names, "fingerprint": hash(names)}


def _marker(a: _Attributes, time_ns: int) -> _Facts:
    marker = read_marker(a)
    facts = _given(marker.result, kind=marker.kind, name=marker.name, attempt=marker.attempt)
    if marker.start_time_ns:
        facts["start_time_ns"] = min(time_ns, marker.start_time_ns)
    if a.HasField("failure"):
        facts.update(_failed(a.failure, state=State.FAILED))
    return facts


def _request(word: str, *fields: str) -> Callable[[_Attributes, int], _Facts]:
    def facts(a: _Attributes, time_ns: int) -> _Facts:
        return {"name": word, "detail": " ".join(str(getattr(a, field)) for field in fields if getattr(a, field))}

    return facts


def _with_result(a: _Attributes, time_ns: int) -> _Facts:
    return _given(a.result.payloads)


def _with_failure(a: _Attributes, time_ns: int) -> _Facts:
    return _failed(a.failure)


_FACTS: dict[str, Callable[[_Attributes, int], _Facts]] = {
    "WorkflowExecutionStarted": _run_started,
    "WorkflowExecutionCompleted": lambda a, t: _given(a.result.payloads, **_next_run(a)),
    "WorkflowExecutionFailed": lambda a, t: _failed(a.failure, **_next_run(a)),
    "WorkflowExecutionTimedOut": lambda a, t: {"failure": "the run timed out", **_next_run(a)},
    "WorkflowExecutionTerminated": lambda a, t: {"failure": a.reason or "terminated"},
    "WorkflowExecutionContinuedAsNew": lambda a, t: _given(a.input.payloads, **_next_run(a)),
    "WorkflowTaskFailed": _task_failed,
    "WorkflowTaskTimedOut": lambda a, t: {"failure": "the worker did not answer in time"},
    "ActivityTaskScheduled": _scheduled,
    "ActivityTaskStarted": _attempt_started,
    "ActivityTaskCompleted": _with_result,
    "ActivityTaskFailed": _with_failure,
    "ActivityTaskTimedOut": _with_failure,
    "TimerStarted": _timer_started,
    "StartChildWorkflowExecutionInitiated": _child_initiated,
    "StartChildWorkflowExecutionFailed": _cause,
    "ChildWorkflowExecutionStarted": _child_started,
    "ChildWorkflowExecutionCompleted": lambda a, t: _given(a.result.payloads),
    "ChildWorkflowExecutionFailed": _with_failure,
    "WorkflowExecutionSignaled": _signaled,
    "SignalExternalWorkflowExecutionInitiated": _signals_other,
    "SignalExternalWorkflowExecutionFailed": _cause,
    "RequestCancelExternalWorkflowExecutionInitiated": _cancels_other,
    "RequestCancelExternalWorkflowExecutionFailed": _cause,
    "WorkflowExecutionUpdateAdmitted": lambda a, t: _update_requested(a.request),
    "WorkflowExecutionUpdateAccepted": lambda a, t: _update_requested(a.accepted_request),
    "WorkflowExecutionUpdateRejected": _with_failure,
    "WorkflowExecutionUpdateCompleted": _update_completed,
    "NexusOperationScheduled": _nexus_scheduled,
    "NexusOperationCompleted": lambda a, t: _given([a.result]),
    "NexusOperationFailed": _with_failure,
    "NexusOperationCanceled": _with_failure,
    "NexusOperationTimedOut": _with_failure,
    "MarkerRecorded": _marker,
    "UpsertWorkflowSearchAttributes": lambda a, t: _attributes_set(
        a.search_attributes.indexed_fields, "search attributes"
    ),
    "WorkflowPropertiesModified": lambda a, t: _attributes_set(a.upserted_memo.fields, "memo"),
    "WorkflowPropertiesModifiedExternally": lambda a, t: _attributes_set(a.upserted_memo.fields, "memo"),
    "WorkflowExecutionCancelRequested": _request("cancel requested", "cause"),
    "WorkflowExecutionOptionsUpdated": _request("options changed", "identity"),
    "WorkflowExecutionPaused": _request("paused", "reason", "identity"),
    "WorkflowExecutionUnpaused": _request("unpaused", "reason", "identity"),
    "WorkflowExecutionTimeSkippingTransitioned": _request("time skipped"),
}
