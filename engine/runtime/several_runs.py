"""Inputs that are for more than one run: starts by workflow id, and resets.

Each function loads what the core needs to know and lets the core carry it out. It names the runs that may be changed in
`changed`, by key, before anything is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from temporalio.api.enums.v1.event_type_pb2 import EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
from temporalio.api.history.v1 import HistoryEvent

from engine.core.inputs import (
    ExecuteMultiOperation,
    ResetWorkflowExecution,
    SignalWithStartWorkflowExecution,
    StartChildWorkflowExecution,
    StartWorkflowExecution,
)
from engine.core.run import reset, start
from engine.core.run.reset import BaseHistory, Reset
from engine.core.run.reset_reapply import REAPPLIED, excluded_types, excludes_everything
from engine.core.run.state import RunState
from engine.core.run.update_with_start import update_with_start
from engine.core.transition import Transition
from engine.store.history import load_event_blobs, load_events_of
from engine.store.runs import find_run_key, load_updates

if TYPE_CHECKING:
    from engine.runtime.engine import Engine

__all__ = ["SEVERAL_RUNS", "SeveralRuns"]

_READ = (*REAPPLIED, EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW)


SeveralRuns = (
    StartWorkflowExecution
    | SignalWithStartWorkflowExecution
    | StartChildWorkflowExecution
    | ExecuteMultiOperation
    | ResetWorkflowExecution
)


class Outcome(Protocol):
    """What the core says: the reply, and the transitions in their order."""

    @property
    def reply(self) -> Any: ...

    @property
    def transitions(self) -> list[Transition]: ...


def _start_workflow(engine: Engine, item: StartWorkflowExecution, changed: set[int]) -> Outcome:
    current = _find_current(engine, item.namespace_id, item.request.workflow_id, changed)
    return start.start_workflow(engine.context(item.namespace_id), current, item.request)


def _signal_with_start(engine: Engine, item: SignalWithStartWorkflowExecution, changed: set[int]) -> Outcome:
    current = _find_current(engine, item.namespace_id, item.request.workflow_id, changed)
    return start.signal_with_start_workflow(engine.context(item.namespace_id), current, item.request)


def _start_child(engine: Engine, item: StartChildWorkflowExecution, changed: set[int]) -> Outcome:
    parent = engine.load_run(item.parent)
    current = _find_current(engine, item.namespace_id, item.workflow_id, changed)
    return start.start_child_workflow(engine.context(item.namespace_id), current, parent, item.initiated_event_id)


def _update_with_start(engine: Engine, item: ExecuteMultiOperation, changed: set[int]) -> Outcome:
    current = _find_current(engine, item.namespace_id, item.workflow_id, changed)
    if current is not None:
        load_updates(engine.database.writer, current)
    return update_with_start(engine.context(item.namespace_id), current, item)


def _find_current(engine: Engine, namespace_id: str, workflow_id: str, changed: set[int]) -> RunState | None:
    current = engine.find_current_run(namespace_id, workflow_id)
    if current is not None:
        changed.add(current.run_key)
    return current


def _reset_workflow(engine: Engine, item: ResetWorkflowExecution, changed: set[int]) -> Outcome:
    """Reset a run whose events are all in the file."""
    base, request = engine.load_run(item.run), item.request
    current = engine.find_current_run(base.namespace_id, base.workflow_id) or base
    changed |= {base.run_key, current.run_key}
    if (answer := reset.find_answer(base, current, request)) is not None:
        return Reset(answer, [])
    first_later_event_id = request.workflow_task_finish_event_id
    blobs = load_event_blobs(engine.database.writer, base.run_key, 1, first_later_event_id + 2)
    events = [HistoryEvent.FromString(blob) for blob in blobs]
    later: list[HistoryEvent] = []
    later_runs: list[HistoryEvent] = []
    last_run_id = base.run_id
    if not excludes_everything(excluded_types(request)):
        later, next_run_id = _load_later(engine, base.run_key, first_later_event_id)
        while (run_key := _find_run_key(engine, base, next_run_id)) is not None:
            last_run_id = next_run_id
            more, next_run_id = _load_later(engine, run_key, 1)
            later_runs += more
    history = BaseHistory(
        events=events[: first_later_event_id - 1],
        size_bytes=sum(map(len, blobs[: first_later_event_id - 1])),
        following=events[first_later_event_id - 1 :],
        later=later,
        later_runs=later_runs,
        last_run_id=last_run_id,
    )
    return reset.reset_workflow(engine.context(base.namespace_id), base, current, request, history)


def _find_run_key(engine: Engine, base: RunState, run_id: str) -> int | None:
    if not run_id:
        return None
    namespace_key = engine.namespaces.get_by_id(base.namespace_id).namespace_key
    return find_run_key(engine.database.writer, namespace_key, base.workflow_id, run_id)


def _load_later(engine: Engine, run_key: int, first_event_id: int) -> tuple[list[HistoryEvent], str]:
    """Return what may be applied again of a run, and the id of the one that it continued as."""
    later: list[HistoryEvent] = []
    next_run_id = ""
    for event in load_events_of(engine.database.writer, run_key, first_event_id, _READ):
        if event.event_type == EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
            next_run_id = event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        else:
            later.append(event)
    return later, next_run_id


SEVERAL_RUNS: dict[type, Callable[[Engine, Any, set[int]], Outcome]] = {
    StartWorkflowExecution: _start_workflow,
    SignalWithStartWorkflowExecution: _signal_with_start,
    StartChildWorkflowExecution: _start_child,
    ExecuteMultiOperation: _update_with_start,
    ResetWorkflowExecution: _reset_workflow,
}
"""Inputs that have no handler in `core.dispatch`."""
