"""Reset a run as the runtime does: read the stored histories, then let the core do it."""

from __future__ import annotations

from typing import Any

from temporalio.api.enums.v1.event_type_pb2 import EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from engine.core.run import reset
from engine.core.run.reset import BaseHistory
from engine.core.run.reset_reapply import excluded_types, excludes_everything
from tests.core.support.core import Run

REASON = "again"


def reset_run(base: Run, event_id: int, **fields: Any) -> Run:
    """Reset `base` to the end of the workflow task with the event `event_id`; return the new run."""
    core = base.core
    current = core.current(base.state.workflow_id)
    assert current is not None
    fields = {"reason": REASON, "request_id": core.env.new_id(), "workflow_task_finish_event_id": event_id} | fields
    request = ResetWorkflowExecutionRequest(**fields)
    answer = reset.find_answer(base.state, current.state, request)
    if answer is not None:
        return _by_id(base, answer.run_id)
    before = [run.stored.blobs[:] for run in core.runs.values()]
    try:
        outcome = reset.reset_workflow(core.context, base.state, current.state, request, _history(base, request))
    except Exception:
        assert [run.stored.blobs for run in core.runs.values()] == before
        for run in core.runs.values():
            run.stored.check(run.state)
        raise
    core.finish_all(outcome.transitions)
    return _by_id(base, outcome.reply.run_id)


def _by_id(base: Run, run_id: str) -> Run:
    return next(run for run in base.core.runs.values() if run.state.run_id == run_id)


def _history(base: Run, request: ResetWorkflowExecutionRequest) -> BaseHistory:
    count = request.workflow_task_finish_event_id - 1
    events = base.events
    later: list[HistoryEvent] = []
    later_runs: list[HistoryEvent] = []
    last = base
    if not excludes_everything(excluded_types(request)):
        later = events[count:]
        while last.events[-1].event_type == EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
            last = last.next_run
            later_runs += last.events
    size_bytes = sum(map(len, base.stored.blobs[:count]))
    following = events[count : count + 2]
    return BaseHistory(events[:count], size_bytes, following, later, later_runs, last.state.run_id)
