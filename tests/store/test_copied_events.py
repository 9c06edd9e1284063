"""What a reset writes: the first events of the new run are those of the other, and both are loaded as they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Priority
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PostResetOperation, WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    ResetWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)

from engine.core.inputs import RunRef, SignalWorkflowExecution, TerminateWorkflowExecution
from engine.core.run.reset import BaseHistory, reset_workflow
from engine.core.run.state import RunState
from engine.core.transition import Transition
from engine.store.commit import commit
from engine.store.history import load_event_blobs
from engine.store.runs import find_current_run_key, load_run
from tests.sim.script import activity_command, child_command, timer_command
from tests.store.stored_runs import NAMESPACE_ID, StoredRuns, loads_equal

COMPLETED = 4


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[StoredRuns]:
    with StoredRuns(tmp_path / "history.db") as runs:
        yield runs


def blobs(stored: StoredRuns, state: RunState) -> list[bytes]:
    return load_event_blobs(stored.database.writer, state.run_key, 1, state.next_event_id)


def fork(stored: StoredRuns, base: RunState, event_id: int, *operations: PostResetOperation) -> list[Transition]:
    """Return the transitions of a reset, closed but not written."""
    first = blobs(stored, base)[: event_id - 1]
    events = [HistoryEvent.FromString(blob) for blob in blobs(stored, base)]
    history = BaseHistory(events[: event_id - 1], sum(map(len, first)), events[event_id - 1 :], [], [], base.run_id)
    request = ResetWorkflowExecutionRequest(
        namespace="default", workflow_task_finish_event_id=event_id, post_reset_operations=operations
    )
    outcome = reset_workflow(stored.context, base, base, request, history)
    for t in outcome.transitions:
        t.close()
    return outcome.transitions


def reset(stored: StoredRuns, base: RunState, event_id: int, *operations: PostResetOperation) -> RunState:
    """Reset a run; return the new one."""
    transitions = fork(stored, base, event_id, *operations)
    stored.commit(*transitions)
    return transitions[-1].state


def test_the_first_events_are_copied_as_they_are(stored: StoredRuns) -> None:
    base = stored.start("w")
    stored.run_workflow_task(base, timer_command("t", 60))
    before = blobs(stored, base)
    new = reset(stored, base, COMPLETED)
    assert blobs(stored, new)[: COMPLETED - 1] == before[: COMPLETED - 1]
    assert blobs(stored, base)[: len(before)] == before
    ids = [HistoryEvent.FromString(blob).event_id for blob in blobs(stored, new)]
    assert ids == list(range(1, new.next_event_id))
    assert new.history_size_bytes == sum(map(len, blobs(stored, new)))
    assert find_current_run_key(stored.database.writer, stored.namespace.namespace_key, "w") == new.run_key


def test_both_runs_are_loaded_as_they_were_in_memory(stored: StoredRuns) -> None:
    """What the first run waits for is the new run's; the activity that a worker has is a first attempt again."""
    base = stored.start("w")
    stored.run_workflow_task(base, activity_command("a"), timer_command("t", 60), child_command("c"))
    stored.start_activity(base, 5)
    request = SignalWorkflowExecutionRequest(namespace="default", signal_name="s")
    stored.apply(base, SignalWorkflowExecution(RunRef(NAMESPACE_ID, run_key=base.run_key), request))
    stored.run_workflow_task(base)
    new = reset(stored, base, base.next_event_id - 1)
    loads_equal(stored, new)
    assert (set(new.activities), set(new.timers), set(new.children)) == ({5}, {"t"}, {7})
    assert new.activities[5].attempt == 1
    loaded = load_run(stored.database.writer, base.run_key)
    assert loaded is not None
    assert (loaded.status, loaded.reset_run_id, loaded.made_by_reset) == (base.status, new.run_id, False)


def test_the_new_run_shows_the_same_when_it_has_closed(stored: StoredRuns) -> None:
    base = stored.start("w")
    stored.run_workflow_task(base)
    operation = PostResetOperation()
    operation.update_workflow_options.update_mask.paths.append("priority")
    options = WorkflowExecutionOptions(priority=Priority(priority_key=2))
    operation.update_workflow_options.workflow_execution_options.CopyFrom(options)
    new = reset(stored, base, COMPLETED, operation)
    terminate = TerminateWorkflowExecutionRequest(namespace="default")
    stored.apply(new, TerminateWorkflowExecution(RunRef(NAMESPACE_ID, run_key=new.run_key), terminate))
    loaded = load_run(stored.database.writer, new.run_key)
    assert loaded is not None
    assert loaded.made_by_reset
    assert loaded.priority == Priority(priority_key=2)
    for name in ("start_time_ns", "original_start_time_ns", "execution_time_ns", "close_time_ns", "auto_reset_points"):
        assert getattr(loaded, name) == getattr(new, name), name
    assert loaded.original_start_time_ns < loaded.start_time_ns


def test_a_commit_that_fails_leaves_neither(stored: StoredRuns) -> None:
    base = stored.start("w")
    stored.run_workflow_task(base)
    before = blobs(stored, base)
    ended, made = fork(stored, base, COMPLETED)
    write = stored.write(made)
    write.event_rows.append(write.event_rows[-1])
    with pytest.raises(Exception, match="UNIQUE"):
        commit(stored.database.writer, [stored.write(ended), write])
    assert load_run(stored.database.writer, made.state.run_key) is None
    assert load_event_blobs(stored.database.writer, made.state.run_key, 1, 100) == []
    assert load_event_blobs(stored.database.writer, base.run_key, 1, 100) == before
