"""Write one batch of transitions in one transaction: events, run rows and the transient rows.

Statements are few: what a run's several transitions of one batch change is merged before it is written, and the new
events of all runs go in together. Every statement costs more in handing Python's lock over and back than in SQLite.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

from temporalio.api.common.v1 import Memo, Priority, SearchAttributes
from temporalio.api.history.v1 import WorkflowTaskStartedEventAttributes
from temporalio.api.workflow.v1 import ResetPoints

from engine.core.run.deadlines import next_deadline_ns
from engine.core.run.state import SIGNAL_REQUEST, ActivityInfo, RunState, WorkflowTask
from engine.core.transition import EventRow, Transition
from engine.core.visibility.comparable_values import comparable_values, namespace_division
from engine.store.schema import OPEN_CLOSE_TIME_NS

__all__ = ["RunWrite", "commit"]

_EVENTS_AT_ONCE = 16
_INSERT_EVENTS = tuple(
    f"INSERT INTO events VALUES {', '.join(['(?, ?, ?, ?, ?)'] * count)}" for count in range(_EVENTS_AT_ONCE + 1)
)
_INSERT_RUN = f"INSERT INTO runs VALUES ({', '.join('?' * 38)})"
_UPDATE = """
UPDATE runs SET state_transition_count = ?, next_event_id = ?, history_size_bytes = ?,
    workflow_task_state = ?, workflow_task_attempt = ?, workflow_task_scheduled_event_id = ?,
    workflow_task_scheduled_time_ns = ?, workflow_task_original_scheduled_time_ns = ?,
    workflow_task_started_time_ns = ?, workflow_task_started = ?, sticky_task_queue = ?, sticky_timeout_ns = ?{more}
WHERE run_key = ?"""
_CLOSE_RUN = _UPDATE.format(
    more=", next_deadline_ns = ?, status = ?, close_time_ns = ?, closed_over_children = ?, "
    "closed_with_time_skipping = ?"
)
_UPDATE_RUN_AND_DEADLINE = _UPDATE.format(more=", next_deadline_ns = ?")
_UPDATE_RUN = _UPDATE.format(more="")
_UPDATE_ATTRIBUTES = """
UPDATE runs SET memo = ?, search_attributes = ?, auto_reset_points = ?, worker_version = ?, priority = ?,
    reset_run_id = ?, attribute_values = ?, namespace_division = ?
WHERE run_key = ?"""
_SAVE_ACTIVITY = f"INSERT OR REPLACE INTO activities VALUES ({', '.join('?' * 15)})"
_DELETE_ACTIVITY = "DELETE FROM activities WHERE run_key = ? AND scheduled_event_id = ?"
_COPY_EVENTS = """
INSERT INTO events SELECT ?, event_id, event_type, event_time_ns, data FROM events
WHERE run_key = ? AND event_id < ? ORDER BY event_id"""
_CLOSE_ACTIVITIES = "UPDATE activities SET state = 4 WHERE run_key = ?"
_DELETE_BUFFERED = "DELETE FROM buffered_events WHERE run_key = ?"
_INSERT_BUFFERED = "INSERT INTO buffered_events VALUES (?, ?, ?)"
_INSERT_REQUEST_ID = "INSERT OR REPLACE INTO request_ids VALUES (?, ?, ?)"


@dataclass(slots=True)
class RunWrite:
    """The rows that one batch writes of one run.

    Rows are taken from the state as each transition is added, so that what a later, failing transition does to the
    state is not in them.
    """

    run_key: int
    namespace_key: int
    new_run_row: tuple[object, ...] | None = None
    counters: tuple[object, ...] = ()
    next_deadline_ns: int | None = None
    deadline_changed: bool = False
    close_row: tuple[int, int, bool, bool] | None = None
    pending_activities_closed: bool = False
    attributes: tuple[object, ...] | None = None
    copied_from: tuple[int, int] | None = None
    event_rows: list[EventRow] = field(default_factory=list)
    activities: dict[int, tuple[object, ...] | None] = field(default_factory=dict)
    buffer_rewritten: bool = False
    buffered_rows: list[tuple[int, int, bytes]] = field(default_factory=list)
    request_ids: dict[str, int] = field(default_factory=dict)

    def add(self, t: Transition) -> None:
        """Take the rows of `t`, which is closed."""
        state = t.state
        self.event_rows += t.event_rows
        self.counters = _counters(state)
        self._set_deadline(t)
        if t.is_new or self.new_run_row is not None:
            self.new_run_row = _run_row(t, self.namespace_key, self.counters, self.next_deadline_ns)
        if not state.running:
            self.close_row = (state.status, state.close_time_ns, *_closed_over(state))
            self.pending_activities_closed = bool(state.activities)
        if t.attributes_changed:
            self.attributes = (
                *_attributes(state), _priority(state.priority), state.reset_run_id, *_filtered_by(t),
            )  # fmt: skip
        self.copied_from = self.copied_from or t.copied_from
        for scheduled_event_id in t.activities:
            activity = state.activities.get(scheduled_event_id)
            self.activities[scheduled_event_id] = (
                None if activity is None else _activity_row(self.run_key, activity, state.priority_of(activity))
            )
        if t.buffer_changed:
            self._add_buffered(t)
        for request_id, event_id in t.new_request_ids.items():
            # The start's own is in the row of the run; a signal-with-start's is the signal's as well.
            if request_id != state.start_request_id or event_id == SIGNAL_REQUEST:
                self.request_ids[request_id] = event_id

    def _set_deadline(self, t: Transition) -> None:
        """Store a deadline that comes earlier or takes the place of a passed one.

        One that is stored too early costs a look in vain, no more: the index is spared most changes. That look changes
        nothing of the run, and puts the stored one right.
        """
        state = t.state
        due_ns, stored_ns = next_deadline_ns(state), state.stored_deadline_ns
        if not t.touched or stored_ns is None or stored_ns + state.skipped_ns <= t.now_ns:
            changed = due_ns != stored_ns
        else:
            changed = not state.running or (due_ns is not None and due_ns < stored_ns)
        if changed:
            state.stored_deadline_ns = due_ns
            self.deadline_changed = True
        self.next_deadline_ns = state.stored_deadline_ns

    def _add_buffered(self, t: Transition) -> None:
        state = t.state
        if t.buffer_rewritten:
            self.buffer_rewritten = True
            self.buffered_rows.clear()
            state.buffered_stored = 0
        for position in range(state.buffered_stored, len(state.buffered)):
            self.buffered_rows.append((self.run_key, position, state.buffered[position].SerializeToString()))
        state.buffered_stored = len(state.buffered)


def commit(connection: sqlite3.Connection, writes: Iterable[RunWrite]) -> None:
    """Write every run's changes in one transaction, or none of them.

    Raises:
        sqlite3.Error: nothing was written (disk full, read-only file).
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        event_rows: list[tuple[object, ...]] = []
        for write in writes:
            _write_run(connection, write)
            event_rows += [(write.run_key, *row) for row in write.event_rows]
        _insert_events(connection, event_rows)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _write_run(connection: sqlite3.Connection, write: RunWrite) -> None:
    run_key = write.run_key
    if write.new_run_row is not None:
        connection.execute(_INSERT_RUN, write.new_run_row)
        if write.copied_from is not None:
            connection.execute(_COPY_EVENTS, (run_key, *write.copied_from))
    else:
        if write.close_row is not None:
            connection.execute(_CLOSE_RUN, (*write.counters, None, *write.close_row, run_key))
        elif write.deadline_changed:
            connection.execute(_UPDATE_RUN_AND_DEADLINE, (*write.counters, write.next_deadline_ns, run_key))
        else:
            connection.execute(_UPDATE_RUN, (*write.counters, run_key))
        if write.attributes is not None:
            connection.execute(_UPDATE_ATTRIBUTES, (*write.attributes, run_key))
    for scheduled_event_id, row in write.activities.items():
        if row is None:
            connection.execute(_DELETE_ACTIVITY, (run_key, scheduled_event_id))
        else:
            connection.execute(_SAVE_ACTIVITY, row)
    if write.buffer_rewritten:
        connection.execute(_DELETE_BUFFERED, (run_key,))
    if write.buffered_rows:
        connection.executemany(_INSERT_BUFFERED, write.buffered_rows)
    if write.request_ids:
        rows = [(run_key, request_id, event_id) for request_id, event_id in write.request_ids.items()]
        connection.executemany(_INSERT_REQUEST_ID, rows)
    if write.pending_activities_closed:
        connection.execute(_CLOSE_ACTIVITIES, (run_key,))


def _insert_events(connection: sqlite3.Connection, rows: list[tuple[object, ...]]) -> None:
    for start in range(0, len(rows), _EVENTS_AT_ONCE):
        chunk = rows[start : start + _EVENTS_AT_ONCE]
        connection.execute(_INSERT_EVENTS[len(chunk)], tuple(chain.from_iterable(chunk)))


def _counters(state: RunState) -> tuple[object, ...]:
    task = state.workflow_task
    if task is None or task.speculative:
        return (
            state.state_transition_count, state.next_event_id, state.history_size_bytes, 0,
            state.workflow_task_attempt, 0, 0, 0, 0, None,
            state.sticky_task_queue, state.sticky_schedule_to_start_timeout_ns,
        )  # fmt: skip
    return (
        state.state_transition_count, state.next_event_id, state.history_size_bytes,
        2 if task.started else 1, task.attempt, task.scheduled_event_id,
        task.scheduled_time_ns, task.original_scheduled_time_ns, task.started_time_ns, _started_workflow_task(task),
        state.sticky_task_queue, state.sticky_schedule_to_start_timeout_ns,
    )  # fmt: skip


def _started_workflow_task(task: WorkflowTask) -> bytes | None:
    """Return what the event of a started transient task will say: its worker has seen it already."""
    if not (task.transient and task.started):
        return None
    return WorkflowTaskStartedEventAttributes(
        request_id=task.request_id,
        identity=task.identity,
        history_size_bytes=task.history_size_bytes,
        suggest_continue_as_new_reasons=task.suggest_continue_as_new_reasons,
        worker_version=task.worker_version,
    ).SerializeToString()


def _run_row(
    t: Transition, namespace_key: int, counters: tuple[object, ...], next_deadline_ns: int | None
) -> tuple[object, ...]:
    state = t.state
    return (
        state.run_key, namespace_key, state.workflow_id, state.run_id, state.workflow_type, state.task_queue,
        state.status, state.start_time_ns, state.execution_time_ns, state.close_time_ns or OPEN_CLOSE_TIME_NS,
        *counters[1:3], state.start_request_id, *_attributes(state), counters[0],
        next_deadline_ns, *counters[3:], _priority(state.priority), state.reset_run_id,
        *_closed_over(state), *_filtered_by(t), *_relatives(state),
    )  # fmt: skip


def _attributes(state: RunState) -> tuple[bytes | None, ...]:
    memo = Memo(fields=state.memo).SerializeToString() if state.memo else None
    search_attributes = (
        SearchAttributes(indexed_fields=state.search_attributes).SerializeToString()
        if state.search_attributes
        else None
    )
    points = ResetPoints(points=state.auto_reset_points).SerializeToString() if state.auto_reset_points else None
    version = None if state.worker_version is None else state.worker_version.SerializeToString()
    return memo, search_attributes, points, version


def _filtered_by(t: Transition) -> tuple[str | None, str | None]:
    """Return what list filters compare the search attributes with, and the namespace division."""
    fields = t.state.search_attributes
    if not fields:
        return None, None
    return comparable_values(fields, t.context.namespace.custom_search_attributes), namespace_division(fields)


def _relatives(state: RunState) -> tuple[str | None, ...]:
    """Return the ids of the parent, and those of the root if it is another run."""
    started = state.started
    if not started.HasField("parent_workflow_execution"):
        return None, None, None, None
    parent, root = started.parent_workflow_execution, state.root_execution
    return parent.workflow_id, parent.run_id, root.workflow_id, root.run_id


def _priority(priority: Priority | None) -> bytes | None:
    return None if priority is None else priority.SerializeToString()


def _closed_over(state: RunState) -> tuple[bool, bool]:
    """Say whether a closed run had children, and a time of its own: such a run is loaded with all of its events."""
    return not state.running and bool(state.children), not state.running and state.time_skipping is not None


def _activity_row(run_key: int, activity: ActivityInfo, priority: Priority | None) -> tuple[object, ...]:
    state = 2 if activity.started else (3 if activity.backing_off else 1)
    details, failure = activity.heartbeat_details, activity.last_failure
    return (
        run_key, activity.scheduled_event_id, state, activity.attributes.task_queue.name, activity.attempt,
        activity.attempt_scheduled_time_ns, activity.started_time_ns, activity.last_started_time_ns,
        activity.last_attempt_complete_time_ns, activity.last_heartbeat_time_ns, activity.request_id,
        activity.identity, None if details is None else details.SerializeToString(),
        None if failure is None else failure.SerializeToString(), _priority(priority),
    )  # fmt: skip
