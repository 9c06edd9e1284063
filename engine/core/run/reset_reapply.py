"""What a reset applies again in its new run: events that came from outside after the reset point.

Rules (temporal server ndc/workflow_resetter.go reapplyEvents):
- Signals and updates are applied again unless the request excludes them. Requests to cancel and terminations are not.
- An update is admitted again, by an event, however far it had come: the worker has not seen it yet.
- What was attached to the base run, and its options, come with it.
- What became of children that the new run has, too, is told to it.
- A run that continued as new goes on: what came to the next run is applied again too; what became of that run's own
  children is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from temporalio.api.enums.v1 import event_type_pb2 as et
from temporalio.api.enums.v1.reset_pb2 import (
    RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL,
    RESET_REAPPLY_EXCLUDE_TYPE_UNSPECIFIED,
    RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,
    RESET_REAPPLY_TYPE_NONE,
    RESET_REAPPLY_TYPE_SIGNAL,
    ResetReapplyExcludeType,
)
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from engine.core.events import workflow_execution as events
from engine.core.run.update import admit_by_event
from engine.core.transition import Transition

__all__ = ["REAPPLIED", "excluded_types", "excludes_everything", "reapply", "remember_request_ids"]


def excluded_types(request: ResetWorkflowExecutionRequest) -> frozenset[int]:
    """Return the ResetReapplyExcludeTypes that a request names, also by its older field."""
    older = {
        RESET_REAPPLY_TYPE_SIGNAL: (RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,),
        RESET_REAPPLY_TYPE_NONE: (RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL, RESET_REAPPLY_EXCLUDE_TYPE_UPDATE),
    }
    return frozenset((*request.reset_reapply_exclude_types, *older.get(request.reset_reapply_type, ())))


def excludes_everything(excluded: frozenset[int]) -> bool:
    """Say whether every type is excluded: then nothing before the end of the current run is looked at."""
    return excluded >= set(ResetReapplyExcludeType.values()) - {RESET_REAPPLY_EXCLUDE_TYPE_UNSPECIFIED}


def reapply(
    t: Transition, later: Iterable[HistoryEvent], excluded: frozenset[int], *, of_children: bool = True
) -> None:
    """Apply events again, in their order, each as a new event of this run.

    Args:
        of_children: what became of children, too; those of another run than the base run are not this run's.
    """
    for event in later:
        handler = REAPPLIED.get(event.event_type)
        if handler is not None and (of_children or event.event_type not in _OF_CHILDREN):
            handler(t, event, excluded)
            t.flush()


def remember_request_ids(t: Transition, events: Iterable[HistoryEvent]) -> None:
    """Remember the requests that started the run, and that attached a start to it."""
    for event in events:
        request_id = event.workflow_execution_options_updated_event_attributes.attached_request_id
        if event.event_type == et.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            request_id = t.state.start_request_id
        if request_id:
            t.state.request_ids[request_id] = t.new_request_ids[request_id] = event.event_id


def _signal(t: Transition, event: HistoryEvent, excluded: frozenset[int]) -> None:
    if RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL in excluded:
        return
    signal = event.workflow_execution_signaled_event_attributes
    again = events.workflow_execution_signaled(
        signal.signal_name,
        signal.input if signal.HasField("input") else None,
        signal.identity,
        signal.header if signal.HasField("header") else None,
        signal.request_id,
    )
    again.links.extend(event.links)
    t.add(again)


def _update_admitted(t: Transition, event: HistoryEvent, excluded: frozenset[int]) -> None:
    if RESET_REAPPLY_EXCLUDE_TYPE_UPDATE not in excluded:
        admit_by_event(t, event.workflow_execution_update_admitted_event_attributes.request)


def _update_accepted(t: Transition, event: HistoryEvent, excluded: frozenset[int]) -> None:
    accepted = event.workflow_execution_update_accepted_event_attributes
    # Without the request an UpdateAdmitted has come before it, and with it everything there is to do.
    if RESET_REAPPLY_EXCLUDE_TYPE_UPDATE not in excluded and accepted.HasField("accepted_request"):
        admit_by_event(t, accepted.accepted_request)


def _options_updated(t: Transition, event: HistoryEvent, excluded: frozenset[int]) -> None:
    options = event.workflow_execution_options_updated_event_attributes
    again = events.workflow_execution_options_updated(
        options.attached_request_id,
        options.priority if options.HasField("priority") else None,
        options.identity,
        options_updated=options.unset_versioning_override,
        time_skipping_config=options.time_skipping_config if options.HasField("time_skipping_config") else None,
        time_skipping_config_updated=options.time_skipping_config_updated,
    )
    again.links.extend(event.links)
    t.add(again)
    t.flush()
    remember_request_ids(t, [again])


def _child_started(t: Transition, event: HistoryEvent, excluded: frozenset[int]) -> None:
    attributes = event.child_workflow_execution_started_event_attributes
    child = t.state.children.get(attributes.initiated_event_id)
    if child is not None and child.started is None:
        t.add(_again(event))


def _child_ended(attributes_field: str) -> Callable[[Transition, HistoryEvent, frozenset[int]], None]:
    def handle(t: Transition, event: HistoryEvent, excluded: frozenset[int]) -> None:
        again = _again(event)
        attributes = getattr(again, attributes_field)
        child = t.state.children.get(attributes.initiated_event_id)
        if child is None:
            return
        if child.started is not None:
            attributes.started_event_id = child.started.event_id
        t.add(again)

    return handle


def _again(event: HistoryEvent) -> HistoryEvent:
    """Return a copy that gets an id and a time of its own."""
    again = HistoryEvent()
    again.CopyFrom(event)
    again.event_id = 0
    return again


_OF_CHILDREN: dict[int, Callable[[Transition, HistoryEvent, frozenset[int]], None]] = {
    et.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED: _child_ended(
        "start_child_workflow_execution_failed_event_attributes"
    ),
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: _child_started,
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: _child_ended(
        "child_workflow_execution_completed_event_attributes"
    ),
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: _child_ended("child_workflow_execution_failed_event_attributes"),
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED: _child_ended("child_workflow_execution_canceled_event_attributes"),
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT: _child_ended(
        "child_workflow_execution_timed_out_event_attributes"
    ),
    et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED: _child_ended(
        "child_workflow_execution_terminated_event_attributes"
    ),
}

REAPPLIED: dict[int, Callable[[Transition, HistoryEvent, frozenset[int]], None]] = {
    et.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: _signal,
    et.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: _update_admitted,
    et.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: _update_accepted,
    et.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: _options_updated,
    **_OF_CHILDREN,
}
