"""Find runs, and load one: fold its history, then put back what history does not say."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from temporalio.api.common.v1 import Memo, Payloads, Priority, SearchAttributes, WorkerVersionStamp
from temporalio.api.enums.v1.event_type_pb2 import (
    EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED,
    EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
    EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
)
from temporalio.api.enums.v1.workflow_pb2 import WORKFLOW_EXECUTION_STATUS_RUNNING
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent, WorkflowTaskStartedEventAttributes
from temporalio.api.workflow.v1 import ResetPoints

from engine.core.policy.durations import timestamp_to_ns
from engine.core.run import deadlines
from engine.core.run.evolve import begin_again, evolve
from engine.core.run.state import RunState, WorkflowTask
from engine.core.run.workflow_task import start_to_close_timeout_ns

__all__ = [
    "find_current_run_key",
    "find_deadline_after",
    "find_run_key",
    "load_run",
    "load_run_keys_due",
    "load_run_keys_with_tasks",
    "load_tasks_to_dispatch",
    "load_updates",
    "max_run_key",
]

_SELECT_RUN = """
SELECT r.*, n.namespace_id, n.name AS namespace FROM runs r JOIN namespaces n USING (namespace_key)
WHERE r.run_key = ?"""


def max_run_key(connection: sqlite3.Connection) -> int:
    """Return the largest run key in the file, 0 for none."""
    (key,) = connection.execute("SELECT max(run_key) FROM runs").fetchone()
    return int(key or 0)


def find_run_key(connection: sqlite3.Connection, namespace_key: int, workflow_id: str, run_id: str) -> int | None:
    """Return the key of a run by its ids, or None."""
    row = connection.execute(
        "SELECT run_key FROM runs WHERE run_id = ? AND namespace_key = ? AND workflow_id = ?",
        (run_id, namespace_key, workflow_id),
    ).fetchone()
    return None if row is None else int(row[0])


def find_current_run_key(connection: sqlite3.Connection, namespace_key: int, workflow_id: str) -> int | None:
    """Return the key of the newest run of a workflow id, or None; keys grow with creation."""
    (key,) = connection.execute(
        "SELECT max(run_key) FROM runs WHERE namespace_key = ? AND workflow_id = ?", (namespace_key, workflow_id)
    ).fetchone()
    return None if key is None else int(key)


def load_run_keys_due(connection: sqlite3.Connection, until_ns: int) -> list[tuple[int, int]]:
    """Return (next_deadline_ns, run_key) of the runs that have to be looked at by `until_ns`, the earliest first."""
    return connection.execute(
        "SELECT next_deadline_ns, run_key FROM runs WHERE next_deadline_ns <= ? ORDER BY next_deadline_ns", (until_ns,)
    ).fetchall()


def find_deadline_after(connection: sqlite3.Connection, time_ns: int) -> int | None:
    """Return the earliest `next_deadline_ns` after a time, or None."""
    (due_ns,) = connection.execute(
        "SELECT min(next_deadline_ns) FROM runs WHERE next_deadline_ns > ?", (time_ns,)
    ).fetchone()
    return None if due_ns is None else int(due_ns)


def load_run_keys_with_tasks(connection: sqlite3.Connection) -> list[int]:
    """Return the open runs with a workflow task or an activity that waits for a worker or is with one."""
    rows = connection.execute(
        "SELECT run_key FROM runs WHERE workflow_task_state != 0 AND status = ? "
        "UNION SELECT a.run_key FROM activities a JOIN runs r USING (run_key) WHERE a.state IN (1, 2) AND r.status = ?",
        (WORKFLOW_EXECUTION_STATUS_RUNNING, WORKFLOW_EXECUTION_STATUS_RUNNING),
    )
    return [run_key for (run_key,) in rows]


class WaitingTask(NamedTuple):
    """A scheduled task of the file; `priority` is a serialized Priority."""

    run_key: int
    namespace_id: str
    scheduled_event_id: int
    attempt: int
    task_queue: str
    priority: bytes | None


def load_tasks_to_dispatch(connection: sqlite3.Connection) -> tuple[list[WaitingTask], list[WaitingTask]]:
    """Return the workflow tasks and the activity tasks that wait for a poller, the oldest first."""
    workflow_tasks = connection.execute(
        "SELECT r.run_key, n.namespace_id, r.workflow_task_scheduled_event_id, r.workflow_task_attempt, r.task_queue, "
        "r.priority FROM runs r JOIN namespaces n USING (namespace_key) WHERE r.workflow_task_state = 1 "
        "ORDER BY r.run_key"
    )
    activity_tasks = connection.execute(
        "SELECT a.run_key, n.namespace_id, a.scheduled_event_id, a.attempt, a.task_queue, a.priority FROM activities a "
        "JOIN runs r USING (run_key) JOIN namespaces n USING (namespace_key) WHERE a.state = 1 "
        "ORDER BY a.run_key, a.scheduled_event_id"
    )
    return [WaitingTask(*row) for row in workflow_tasks], [WaitingTask(*row) for row in activity_tasks]


def load_run(connection: sqlite3.Connection, run_key: int) -> RunState | None:
    """Load a run: its folded history and its transient rows.

    Of a closed run only the first and the last event are read, unless it still shows what others say: pending
    activities and children that it closed over, and its own time.
    """
    cursor = connection.execute(_SELECT_RUN, (run_key,))
    cursor.row_factory = sqlite3.Row
    row = cursor.fetchone()
    if row is None:
        return None
    state = RunState(
        run_key=run_key,
        namespace_id=row["namespace_id"],
        namespace=row["namespace"],
        workflow_id=row["workflow_id"],
        run_id=row["run_id"],
        start_request_id=row["start_request_id"],
        reset_run_id=row["reset_run_id"],
    )
    closed = row["status"] != WORKFLOW_EXECUTION_STATUS_RUNNING
    ends_only = closed and not (
        row["closed_over_children"] or row["closed_with_time_skipping"] or _has_activities(connection, run_key)
    )
    for event in _load_events(connection, run_key, last_event_id=row["next_event_id"] - 1, ends_only=ends_only):
        evolve(state, event)
        state.last_event_time_ns = max(state.last_event_time_ns, timestamp_to_ns(event.event_time))
    state.next_event_id = row["next_event_id"]
    state.history_size_bytes = row["history_size_bytes"]
    state.state_transition_count = row["state_transition_count"]
    state.stored_deadline_ns = row["next_deadline_ns"]
    # Whether a point is resettable depends on events that were held back when it was made: the fold does not know.
    state.auto_reset_points = list(ResetPoints.FromString(row["auto_reset_points"] or b"").points)
    _load_request_ids(connection, state)
    if closed:
        if ends_only:
            state.updates_loaded = False
            _load_what_closed_runs_show(connection, state, row)
        else:
            _load_activities(connection, state)
            _drop_activities_without_row(connection, state)
        return state
    _load_buffered(connection, state)
    state.sticky_task_queue = row["sticky_task_queue"]
    state.sticky_schedule_to_start_timeout_ns = row["sticky_timeout_ns"]
    _load_workflow_task(state, row)
    _load_activities(connection, state)
    deadlines.rebuild(state)
    return state


def load_updates(connection: sqlite3.Connection, state: RunState) -> None:
    """Fold the updates of a closed run, if only its ends were read so far."""
    if state.updates_loaded:
        return
    rows = connection.execute(
        "SELECT data FROM events WHERE run_key = ? AND event_type IN (?, ?, ?) ORDER BY event_id",
        (
            state.run_key,
            EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED,
            EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
            EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
        ),
    )
    for (data,) in rows:
        evolve(state, HistoryEvent.FromString(data))
    state.updates_loaded = True


def _load_what_closed_runs_show(connection: sqlite3.Connection, state: RunState, row: sqlite3.Row) -> None:
    """Put back what the events between the first and the last would have folded to."""
    if row["worker_version"] is not None:
        state.worker_version = WorkerVersionStamp.FromString(row["worker_version"])
    if row["priority"] is not None:  # older files have it in the start alone
        state.priority = Priority.FromString(row["priority"])
    state.memo = dict(Memo.FromString(row["memo"] or b"").fields)
    state.search_attributes = dict(SearchAttributes.FromString(row["search_attributes"] or b"").indexed_fields)
    state.completed_any_workflow_task = _has_event(connection, state.run_key, EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    if state.made_by_reset:
        begin_again(state, row["start_time_ns"])


def _load_events(
    connection: sqlite3.Connection, run_key: int, *, last_event_id: int, ends_only: bool
) -> Iterator[HistoryEvent]:
    sql = "SELECT data FROM events WHERE run_key = ?"
    parameters: tuple[int, ...] = (run_key,)
    if ends_only:
        sql += " AND event_id IN (1, ?)"
        parameters = (run_key, last_event_id)
    for (data,) in connection.execute(sql + " ORDER BY event_id", parameters):
        yield HistoryEvent.FromString(data)


def _drop_activities_without_row(connection: sqlite3.Connection, state: RunState) -> None:
    """Drop activities whose close was still buffered when the run closed: such an event never gets into the history."""
    sql = "SELECT scheduled_event_id FROM activities WHERE run_key = ?"
    pending = {row[0] for row in connection.execute(sql, (state.run_key,))}
    state.activities = {key: activity for key, activity in state.activities.items() if key in pending}
    state.activity_ids = {activity.activity_id: key for key, activity in state.activities.items()}


def _has_activities(connection: sqlite3.Connection, run_key: int) -> bool:
    sql = "SELECT 1 FROM activities WHERE run_key = ? LIMIT 1"
    return connection.execute(sql, (run_key,)).fetchone() is not None


def _has_event(connection: sqlite3.Connection, run_key: int, event_type: int) -> bool:
    sql = "SELECT 1 FROM events WHERE run_key = ? AND event_type = ? LIMIT 1"
    return connection.execute(sql, (run_key, event_type)).fetchone() is not None


def _load_request_ids(connection: sqlite3.Connection, state: RunState) -> None:
    rows = connection.execute("SELECT request_id, event_id FROM request_ids WHERE run_key = ?", (state.run_key,))
    state.request_ids = dict(rows.fetchall())
    if state.start_request_id:
        state.request_ids.setdefault(state.start_request_id, 1)


def _load_buffered(connection: sqlite3.Connection, state: RunState) -> None:
    rows = connection.execute(
        "SELECT data FROM buffered_events WHERE run_key = ? ORDER BY position", (state.run_key,)
    ).fetchall()
    for (data,) in rows:
        event = HistoryEvent.FromString(data)
        state.buffered.append(event)
        evolve(state, event)
    state.buffered_stored = len(state.buffered)


def _load_workflow_task(state: RunState, row: sqlite3.Row) -> None:
    """Put back the workflow task's transient part; a transient task has no events to fold at all."""
    attempt = state.workflow_task_attempt = row["workflow_task_attempt"]
    if row["workflow_task_state"] == 0:
        state.workflow_task = None
        return
    if attempt > 1:
        scheduled_event_id = row["workflow_task_scheduled_event_id"]
        started_time_ns = row["workflow_task_started_time_ns"]
        started = WorkflowTaskStartedEventAttributes.FromString(row["workflow_task_started"] or b"")
        state.workflow_task = WorkflowTask(
            scheduled_event_id=scheduled_event_id,
            attempt=attempt,
            scheduled_time_ns=row["workflow_task_scheduled_time_ns"],
            original_scheduled_time_ns=row["workflow_task_original_scheduled_time_ns"],
            start_to_close_timeout_ns=start_to_close_timeout_ns(state, attempt),
            task_queue=state.task_queue,
            sticky=False,
            started_event_id=scheduled_event_id + 1 if started_time_ns else 0,
            started_time_ns=started_time_ns,
            request_id=started.request_id,
            identity=started.identity,
            worker_version=started.worker_version if started.HasField("worker_version") else None,
            history_size_bytes=started.history_size_bytes,
            suggest_continue_as_new_reasons=tuple(started.suggest_continue_as_new_reasons),
        )
    elif state.workflow_task is not None:
        state.workflow_task.original_scheduled_time_ns = row["workflow_task_original_scheduled_time_ns"]


def _load_activities(connection: sqlite3.Connection, state: RunState) -> None:
    rows = connection.execute("SELECT * FROM activities WHERE run_key = ?", (state.run_key,))
    for row in rows:
        activity = state.activities.get(row[1])
        if activity is None:
            continue
        activity.backing_off = row[2] == 3
        (
            activity.attempt,
            activity.attempt_scheduled_time_ns,
            activity.started_time_ns,
            activity.last_started_time_ns,
            activity.last_attempt_complete_time_ns,
            activity.last_heartbeat_time_ns,
            activity.request_id,
            activity.identity,
        ) = row[4:12]
        activity.heartbeat_details = None if row[12] is None else Payloads.FromString(row[12])
        activity.last_failure = None if row[13] is None else Failure.FromString(row[13])
        state.measure_progress(activity)
