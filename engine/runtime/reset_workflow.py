"""Read what a reset needs to know of histories, and let the core carry it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.api.enums.v1.event_type_pb2 import EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
from temporalio.api.history.v1 import HistoryEvent

from engine.core.inputs import ResetWorkflowExecution
from engine.core.run import reset
from engine.core.run.reset import BaseHistory, Reset
from engine.core.run.reset_reapply import REAPPLIED, excluded_types, excludes_everything
from engine.core.run.state import RunState
from engine.store.history import load_event_blobs, load_events_of
from engine.store.runs import find_run_key

if TYPE_CHECKING:
    from engine.runtime.engine import Engine

__all__ = ["reset_workflow"]

_READ = (*REAPPLIED, EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW)


def reset_workflow(engine: Engine, item: ResetWorkflowExecution, changed: dict[int, RunState]) -> Reset:
    """Reset a run whose events are all in the file.

    Args:
        changed: takes the runs that may be changed, by key.
    Raises: NotFound; InvalidArgument.
    """
    base, request = engine.load_run(item.run), item.request
    current = engine.find_current_run(base.namespace_id, base.workflow_id) or base
    changed |= {base.run_key: base, current.run_key: current}
    if (answer := reset.find_answer(base, current, request)) is not None:
        return Reset(answer, [])
    first_later_event_id = request.workflow_task_finish_event_id
    blobs = load_event_blobs(engine.database.writer, base.run_key, 1, first_later_event_id + 2)
    events = [HistoryEvent.FromString(blob) for blob in blobs]
    later: list[HistoryEvent] = []
    last_run_id = base.run_id
    if not excludes_everything(excluded_types(request)):
        later, last_run_id = _load_later(engine, base, first_later_event_id)
    history = BaseHistory(
        events=events[: first_later_event_id - 1],
        size_bytes=sum(map(len, blobs[: first_later_event_id - 1])),
        following=events[first_later_event_id - 1 :],
        later=later,
        last_run_id=last_run_id,
    )
    return reset.reset_workflow(engine.context(base.namespace_id), base, current, request, history)


def _load_later(engine: Engine, base: RunState, first_event_id: int) -> tuple[list[HistoryEvent], str]:
    """Return what may be applied again of the base run and of those that it continued as, and the last run's id."""
    connection = engine.database.writer
    namespace_key = engine.namespaces.get_by_id(base.namespace_id).namespace_key
    later: list[HistoryEvent] = []
    run_key: int | None = base.run_key
    last_run_id = next_run_id = base.run_id
    while run_key is not None:
        last_run_id, next_run_id = next_run_id, ""
        for event in load_events_of(connection, run_key, first_event_id, _READ):
            if event.event_type == EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
                next_run_id = event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
            else:
                later.append(event)
        first_event_id = 1
        run_key = find_run_key(connection, namespace_key, base.workflow_id, next_run_id) if next_run_id else None
    return later, last_run_id
