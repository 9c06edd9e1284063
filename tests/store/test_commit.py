"""Writing and loading runs: all or nothing, one transaction for many runs, and what is loaded is what was in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.api.common.v1 import TimeSkippingConfig, WorkflowExecution
from temporalio.api.enums.v1.command_type_pb2 import COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION
from temporalio.api.enums.v1.event_type_pb2 import (
    EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
)
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest

from engine.core.inputs import (
    DeadlineDue,
    MessageAnswered,
    RecordChildWorkflowExecutionClosed,
    RunRef,
    SignalWorkflowExecution,
    WorkflowTaskDispatched,
)
from engine.core.run.state import RunState
from engine.core.transition import Transition
from engine.runtime.reads import Reads
from engine.store.commit import commit
from engine.store.history import load_event_blobs, load_event_blobs_reverse
from engine.store.namespaces import delete_namespace
from engine.store.runs import (
    find_current_run_key,
    find_run_key,
    load_run,
    load_run_keys_due,
    load_tasks_to_dispatch,
    max_run_key,
)
from tests.sim.script import activity_command, child_command, complete_command, timer_command
from tests.store.stored_runs import NAMESPACE_ID, StoredRuns, loads_equal

TABLES = ("runs", "events", "activities", "buffered_events", "request_ids")


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[StoredRuns]:
    with StoredRuns(tmp_path / "history.db") as runs:
        yield runs


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


def signal(stored: StoredRuns, state: RunState, name: str) -> None:
    request = SignalWorkflowExecutionRequest(namespace="default", signal_name=name, request_id=name)
    stored.apply(state, SignalWorkflowExecution(RunRef(NAMESPACE_ID, run_key=state.run_key), request))


def start_workflow_task(stored: StoredRuns, state: RunState) -> None:
    run, task = RunRef(NAMESPACE_ID, run_key=state.run_key), state.workflow_task
    assert task is not None
    stored.apply(state, WorkflowTaskDispatched(run, task.scheduled_event_id, task.attempt, "q", False, "worker"))


def test_run_is_loaded_as_it_was_in_memory(stored: StoredRuns) -> None:
    state = stored.start("w")
    loads_equal(stored, state)
    commands = [activity_command("a"), activity_command("b"), timer_command("t", 60)]
    stored.run_workflow_task(state, *commands)
    loads_equal(stored, state)
    stored.start_activity(state, 5)
    loads_equal(stored, state)
    signal(stored, state, "s")
    start_workflow_task(stored, state)
    signal(stored, state, "buffered")
    loads_equal(stored, state)
    assert len(state.buffered) == 1
    assert set(state.activities) == {5, 6}


def test_closed_run_still_shows_the_activities_it_closed_over(stored: StoredRuns) -> None:
    state = stored.start("w")
    stored.run_workflow_task(state, activity_command("a"), activity_command("b"), complete_command())
    rows = counts(stored.database.writer)
    assert (rows["activities"], rows["buffered_events"]) == (2, 0)
    loaded = load_run(stored.database.writer, state.run_key)
    assert loaded is not None
    assert (loaded.status, loaded.close_time_ns) == (state.status, state.close_time_ns)
    assert not loaded.running
    assert list(loaded.activity_ids) == ["a", "b"]
    assert load_run_keys_due(stored.database.writer, 2**62) == []
    assert load_tasks_to_dispatch(stored.database.writer) == ([], [])


def test_a_run_that_skips_time_is_looked_at_by_the_clock_and_keeps_its_time_when_closed(stored: StoredRuns) -> None:
    state = stored.start("w", config=TimeSkippingConfig(enabled=True))
    stored.run_workflow_task(state, timer_command("t", 3600))
    loaded = loads_equal(stored, state)
    assert loaded.skipped_ns == 3600 * 10**9
    ((due_ns, _),) = load_run_keys_due(stored.database.writer, 2**62)
    assert due_ns == state.timers["t"].expiry_time_ns - state.skipped_ns
    stored.apply(state, DeadlineDue(RunRef(NAMESPACE_ID, run_key=state.run_key)))
    stored.run_workflow_task(state, complete_command())
    closed = load_run(stored.database.writer, state.run_key)
    assert closed is not None
    assert closed.time_skipping == state.time_skipping is not None


def test_a_closed_run_costs_the_same_to_load_however_long_it_is(stored: StoredRuns) -> None:
    """Counted in steps of SQLite's machine: nothing is searched for among the events."""
    steps: dict[int, int] = {}
    request = SignalWorkflowExecutionRequest(namespace="default", signal_name="s")
    for signals in (1, 500):
        state = stored.start(f"{signals} signals")
        stored.run_workflow_task(state)
        for _ in range(signals):
            stored.apply(state, SignalWorkflowExecution(RunRef(NAMESPACE_ID, run_key=state.run_key), request))
        stored.run_workflow_task(state, complete_command())
        noted: list[None] = []
        stored.database.writer.set_progress_handler(lambda noted=noted: noted.append(None), 1)
        assert load_run(stored.database.writer, state.run_key) is not None
        stored.database.writer.set_progress_handler(None, 1)
        steps[signals] = len(noted)
    assert steps[1] == steps[500] > 0


def with_started_child(stored: StoredRuns) -> RunState:
    """Return a run whose child of event 5 has started, and that of event 6 has not yet."""
    state = stored.start("w")
    stored.run_workflow_task(state, child_command("a"), child_command("b"))
    child_started(stored, state, 5)
    return state


def child_started(stored: StoredRuns, state: RunState, initiated_event_id: int) -> None:
    run, run_id = RunRef(NAMESPACE_ID, run_key=state.run_key), f"run-of-{initiated_event_id}"
    stored.apply(state, MessageAnswered(run, COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION, initiated_event_id, run_id))


def child_closed(stored: StoredRuns, state: RunState, initiated_event_id: int, workflow_id: str) -> None:
    run, run_id = RunRef(NAMESPACE_ID, run_key=state.run_key), f"run-of-{initiated_event_id}"
    close = HistoryEvent(event_type=EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED)
    close.workflow_execution_terminated_event_attributes.SetInParent()
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    stored.apply(state, RecordChildWorkflowExecutionClosed(run, initiated_event_id, execution, run_id, close))


def test_run_with_children_is_loaded_as_it_was_in_memory(stored: StoredRuns) -> None:
    state = with_started_child(stored)
    loads_equal(stored, state)
    assert [(key, child.started_run_id) for key, child in state.children.items()] == [(5, "run-of-5"), (6, "")]
    child_closed(stored, state, 5, "a")
    loads_equal(stored, state)
    assert list(state.children) == [6]


def test_buffered_events_of_children_survive_a_reload(stored: StoredRuns) -> None:
    """A start and the end of that child come while the workflow task is started, each followed by a reload."""
    state = with_started_child(stored)
    start_workflow_task(stored, state)
    child_started(stored, state, 6)
    state = loads_equal(stored, state)
    child_closed(stored, state, 5, "a")
    state = loads_equal(stored, state)
    child_closed(stored, state, 6, "b")
    state = loads_equal(stored, state)
    assert (len(state.buffered), state.children) == (3, {})
    stored.complete_workflow_task(state)
    closes = [
        HistoryEvent.FromString(blob).child_workflow_execution_terminated_event_attributes
        for blob in load_event_blobs(stored.database.writer, state.run_key, 12, 14)
    ]
    assert [(close.initiated_event_id, close.started_event_id) for close in closes] == [(5, 7), (6, 11)]


def test_closed_parent_still_shows_the_children_it_closed_over(stored: StoredRuns) -> None:
    state = with_started_child(stored)
    stored.run_workflow_task(state, complete_command())
    loaded = load_run(stored.database.writer, state.run_key)
    assert loaded is not None
    assert not loaded.running
    assert loaded.children == state.children
    assert [(key, child.started_run_id) for key, child in loaded.children.items()] == [(5, "run-of-5"), (6, "")]


def test_only_the_ends_are_read_of_a_parent_whose_children_have_all_ended(stored: StoredRuns) -> None:
    state = with_started_child(stored)
    child_started(stored, state, 6)
    child_closed(stored, state, 5, "a")
    child_closed(stored, state, 6, "b")
    stored.run_workflow_task(state, complete_command())
    loaded = load_run(stored.database.writer, state.run_key)
    assert loaded is not None
    assert (loaded.children, loaded.updates_loaded) == ({}, False)


def test_many_runs_are_one_transaction(stored: StoredRuns) -> None:
    transitions = [stored.started(f"w{number}") for number in range(50)]
    statements: list[str] = []
    stored.database.writer.set_trace_callback(statements.append)
    commit(stored.database.writer, [stored.write(t) for t in transitions])
    stored.database.writer.set_trace_callback(None)
    assert [statement for statement in statements if statement.startswith(("BEGIN", "COMMIT"))] == [
        "BEGIN IMMEDIATE",
        "COMMIT",
    ]
    assert counts(stored.database.writer)["runs"] == 50


@pytest.mark.parametrize("position", [0, 1, 2])
def test_commit_is_all_or_nothing(stored: StoredRuns, position: int) -> None:
    """One run of three can't be written (its row is there already): none is."""
    taken = stored.start("taken")
    before = counts(stored.database.writer)
    transitions = [stored.started("x"), stored.started("y")]
    transitions.insert(position, stored.started("z", run_key=taken.run_key))
    with pytest.raises(sqlite3.IntegrityError):
        stored.commit(*transitions)
    assert not stored.database.writer.in_transaction
    assert counts(stored.database.writer) == before


def test_full_disk_changes_nothing(stored: StoredRuns) -> None:
    stored.start("w")
    before = counts(stored.database.writer)
    (pages,) = stored.database.writer.execute("PRAGMA page_count").fetchone()
    stored.database.writer.execute(f"PRAGMA max_page_count = {pages}")
    transitions = [stored.started(f"many-{number}") for number in range(500)]
    with pytest.raises(sqlite3.OperationalError, match="full"):
        stored.commit(*transitions)
    assert counts(stored.database.writer) == before
    stored.database.writer.execute("PRAGMA max_page_count = 1000000")
    stored.commit(*transitions)
    assert counts(stored.database.writer)["runs"] == 501


def test_transitions_of_one_batch_are_merged(stored: StoredRuns) -> None:
    """Start, task started, a signal buffered, terminated by a deadline: what is written is where it ended."""
    t = stored.started("w")
    write = stored.write(t)
    run = RunRef(NAMESPACE_ID, run_key=t.state.run_key)
    for item in (
        WorkflowTaskDispatched(run, 2, 1, "q", False, "worker"),
        SignalWorkflowExecution(run, SignalWorkflowExecutionRequest(signal_name="s", request_id="s")),
        DeadlineDue(run),
    ):
        stored.handle(t.state, item, write)
    commit(stored.database.writer, [write])
    assert counts(stored.database.writer) == {
        "runs": 1, "events": 3, "activities": 0, "buffered_events": 1, "request_ids": 1,
    }  # fmt: skip
    loads_equal(stored, t.state)


def test_rows_are_those_of_the_moment_they_were_taken(stored: StoredRuns) -> None:
    """What a later transition does to the state is not written, since it may have to be thrown away."""
    t = stored.started("w")
    write = stored.write(t)
    later = Transition(stored.context, t.state)
    later.state.sticky_task_queue = "never committed"
    commit(stored.database.writer, [write])
    loaded = load_run(stored.database.writer, t.state.run_key)
    assert loaded is not None
    assert loaded.sticky_task_queue == ""


def test_history_is_read_in_both_directions(stored: StoredRuns) -> None:
    state = stored.start("w")
    for number in range(5):
        signal(stored, state, f"s{number}")
    reads = Reads(stored.database)
    forward = load_event_blobs(stored.database.writer, state.run_key, 3, 7)
    events = [HistoryEvent.FromString(blob) for blob in forward]
    assert [event.event_id for event in events] == [3, 4, 5, 6]
    assert {event.event_type for event in events} == {EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED}
    assert reads.load_events(state.run_key, 3, 7) == forward
    assert reads.load_events_reverse(state.run_key, 6, 4) == forward[::-1]
    assert load_event_blobs_reverse(stored.database.writer, state.run_key, 2, 10)[::-1] == state.tail[:2]
    reads.close()


def test_runs_are_found_by_their_ids(stored: StoredRuns) -> None:
    connection, key = stored.database.writer, stored.namespace.namespace_key
    first, other = stored.start("w"), stored.start("other")
    assert max_run_key(connection) == other.run_key
    assert find_current_run_key(connection, key, "w") == first.run_key
    assert find_current_run_key(connection, key, "nobody") is None
    assert find_run_key(connection, key, "w", first.run_id) == first.run_key
    assert find_run_key(connection, key, "w", other.run_id) is None
    assert load_run(connection, 99) is None


def test_deadlines_and_tasks_are_found_without_loading_a_run(stored: StoredRuns) -> None:
    state = stored.start("w")
    connection = stored.database.writer
    assert load_tasks_to_dispatch(connection)[0] == [(state.run_key, NAMESPACE_ID, 2, 1, "q", None)]
    stored.run_workflow_task(state, activity_command("a"), timer_command("t", 60))
    assert load_tasks_to_dispatch(connection) == ([], [(state.run_key, NAMESPACE_ID, 5, 1, "q", None)])
    ((due_ns, run_key),) = load_run_keys_due(connection, 2**62)
    assert run_key == state.run_key
    assert due_ns <= state.timers["t"].expiry_time_ns  # too early is fine, too late never
    assert load_run_keys_due(connection, due_ns - 1) == []
    stored.start_activity(state, 5)
    assert load_tasks_to_dispatch(connection) == ([], [])


def test_deleted_namespace_takes_everything_with_it(stored: StoredRuns) -> None:
    state = stored.start("w")
    stored.run_workflow_task(state, activity_command("a"))
    signal(stored, state, "s")
    delete_namespace(stored.database.writer, stored.namespace)
    assert set(counts(stored.database.writer).values()) == {0}
    assert stored.database.writer.execute("SELECT count(*) FROM namespaces").fetchone() == (0,)
