"""How much the cached runs are counted for."""

from __future__ import annotations

from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.history.v1 import (
    ActivityTaskScheduledEventAttributes,
    HistoryEvent,
    StartChildWorkflowExecutionInitiatedEventAttributes,
)
from temporalio.api.history.v1 import WorkflowExecutionStartedEventAttributes as Started

from engine.core.run.evolve import evolve
from engine.core.run.state import RunState
from engine.runtime.run_cache import RunCache

LARGE = Payloads(payloads=[Payload(data=b"x" * 100_000)])


def _run(run_key: int, *, start_input: Payloads | None = None, activity_input: Payloads | None = None) -> RunState:
    state = RunState(run_key, "namespace-id", "default", f"workflow-{run_key}", f"run-{run_key}")
    started = HistoryEvent(event_id=1, event_type="EVENT_TYPE_WORKFLOW_EXECUTION_STARTED")
    started.workflow_execution_started_event_attributes.CopyFrom(Started(input=start_input))
    evolve(state, started)
    scheduled = HistoryEvent(event_id=5, event_type="EVENT_TYPE_ACTIVITY_TASK_SCHEDULED")
    scheduled.activity_task_scheduled_event_attributes.CopyFrom(
        ActivityTaskScheduledEventAttributes(activity_id="a", input=activity_input)
    )
    evolve(state, scheduled)
    return state


def _kept(*runs: RunState) -> int:
    cache = RunCache(maximum_bytes=250_000)
    for run in runs:
        cache.put(run)
    cache.shrink()
    return len(cache)


def test_the_input_of_the_start_counts() -> None:
    assert _kept(*(_run(key) for key in range(5))) == 5
    assert _kept(*(_run(key, start_input=LARGE) for key in range(5))) == 2


def test_the_inputs_of_pending_activities_count_until_they_close() -> None:
    runs = [_run(key, activity_input=LARGE) for key in range(5)]
    assert _kept(*runs) == 2
    for run in runs:
        closed = HistoryEvent(event_id=7, event_type="EVENT_TYPE_ACTIVITY_TASK_COMPLETED")
        closed.activity_task_completed_event_attributes.scheduled_event_id = 5
        evolve(run, closed)
    assert _kept(*runs) == 5


def test_pending_children_count_and_their_inputs_until_they_start() -> None:
    runs = [_run(key) for key in range(5)]
    for run in runs:
        for event_id in range(10, 60):
            evolve(run, _child(event_id, LARGE if event_id == 10 else None))
    assert _kept(*runs) == 1
    for run in runs:
        started = HistoryEvent(event_id=70, event_type="EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED")
        started.child_workflow_execution_started_event_attributes.initiated_event_id = 10
        evolve(run, started)
    assert _kept(*runs) == 4


def _child(event_id: int, child_input: Payloads | None) -> HistoryEvent:
    initiated = HistoryEvent(event_id=event_id, event_type="EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED")
    initiated.start_child_workflow_execution_initiated_event_attributes.CopyFrom(
        StartChildWorkflowExecutionInitiatedEventAttributes(workflow_id=f"child-{event_id}", input=child_input)
    )
    return initiated


def test_request_ids_and_deadlines_count() -> None:
    runs = [_run(key) for key in range(5)]
    for run in runs:
        run.request_ids = {str(number): number for number in range(500)}
        run.deadlines = [(number, 1, 1, 1, "") for number in range(100)]
    assert _kept(*runs) == 2
