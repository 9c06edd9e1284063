"""What must hold after every step, after every crash and at the end."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.history.v1 import HistoryEvent

from engine.core.matching.task_queue import WaitingPoller
from engine.core.policy.durations import timestamp_to_ns
from engine.core.run.buffer import NEVER_BUFFERED
from engine.core.run.deadlines import next_deadline_ns
from engine.core.run.state import RunState
from engine.runtime.engine import Engine
from engine.store.runs import load_run, load_tasks_to_dispatch
from tests.support.stored_views import NEVER_STORED, stored_view

__all__ = ["BrokenInvariantError", "check_engine", "check_file", "check_history", "check_run", "load_histories"]

_MEMORY_ONLY = {"deadlines", "buffered_stored", "tail", "tail_bytes"} | NEVER_STORED
_OF_CLOSED_RUNS = {
    "run_key", "namespace_id", "namespace", "workflow_id", "run_id", "status", "started", "start_links",
    "user_metadata", "start_time_ns", "execution_time_ns", "close_time_ns", "run_expiration_time_ns",
    "execution_expiration_time_ns", "next_event_id", "history_size_bytes", "workflow_task",
    "completed_any_workflow_task", "memo", "search_attributes", "new_execution_run_id", "request_ids",
    "start_request_id", "children", "reset_run_id", "original_start_time_ns", "priority",
    "time_skipping",
}  # fmt: skip
_STICKINESS = {"sticky_task_queue", "sticky_schedule_to_start_timeout_ns"}
_FIELDS = [each.name for each in dataclasses.fields(RunState)]
_OVERDUE_NS = 12 * 1_000_000_000

_CLOSES = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
}
_ACTIVITY_CLOSES = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: "activity_task_completed_event_attributes",
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: "activity_task_failed_event_attributes",
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: "activity_task_timed_out_event_attributes",
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED: "activity_task_canceled_event_attributes",
}
_WORKFLOW_TASK_ENDS = {
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED: "workflow_task_completed_event_attributes",
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED: "workflow_task_failed_event_attributes",
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: "workflow_task_timed_out_event_attributes",
}


class BrokenInvariantError(AssertionError):
    """An invariant does not hold."""


def require(holds: object, what: str) -> None:
    """Raise unless it holds."""
    if not holds:
        raise BrokenInvariantError(what)


def check_run(engine: Engine, run_key: int) -> RunState:
    """Compare what is cached of a run with what the file gives, and the file's rows with each other; return the run."""
    connection = engine.database.writer
    fresh = load_run(connection, run_key)
    require(fresh is not None, f"run {run_key} is not in the file")
    assert fresh is not None
    cached = engine.runs._runs.get(run_key)
    if cached is not None:
        _compare(cached[0], fresh)
        first = cached[0].tail_first_event_id
        rows = connection.execute(
            "SELECT data FROM events WHERE run_key = ? AND event_id >= ? ORDER BY event_id", (run_key, first)
        )
        require(cached[0].tail == [row[0] for row in rows], f"run {run_key}: the cached tail is not the history's")
    (stored_ns,) = connection.execute("SELECT next_deadline_ns FROM runs WHERE run_key = ?", (run_key,)).fetchone()
    true_ns = next_deadline_ns(fresh)
    require(
        true_ns is None or (stored_ns is not None and stored_ns <= true_ns),
        f"run {run_key}: next_deadline_ns is {stored_ns}, the earliest deadline {true_ns} {fresh.deadlines[:1]}",
    )
    for table, expected in (("activities", len(fresh.activities)), ("buffered_events", len(fresh.buffered))):
        (count,) = connection.execute(f"SELECT count(*) FROM {table} WHERE run_key = ?", (run_key,)).fetchone()
        require(count == expected, f"run {run_key}: {count} rows of {table}, {expected} expected")
    return fresh


def _compare(cached: RunState, fresh: RunState) -> None:
    for name in _FIELDS:
        if name in _MEMORY_ONLY or (not fresh.running and name not in _OF_CLOSED_RUNS):
            continue
        if name in _STICKINESS and cached.workflow_task is not None and cached.workflow_task.speculative:
            continue  # a speculative task that went to another worker is not written, nor what it changed
        ours, theirs = stored_view(cached, name), getattr(fresh, name)
        if name == "updates":
            # A rejection is no event: one of an update that an event had admitted is forgotten with the memory.
            theirs = {key: each for key, each in theirs.items() if key in ours or not each.admitted_by_event}
        if ours != theirs:
            require(False, f"run {cached.run_key}: {name} is cached as\n{_text(ours)}\nand loaded as\n{_text(theirs)}")


def _text(value: Any) -> str:
    return str(value).replace("\n", " ")


def check_engine(engine: Engine) -> None:
    """Check that every task of the file is offered, nobody waits beside a task, and no deadline was missed."""
    workflow_tasks, activity_tasks = load_tasks_to_dispatch(engine.database.writer)
    queues = engine.task_queues._queues
    offered = {
        (key[2], task.run_key, task.scheduled_event_id, task.attempt)
        for key, queue in queues.items()
        for task in queue.tasks
    }
    for run_key, _, scheduled_event_id, attempt, *_ in workflow_tasks:
        require(
            (False, run_key, scheduled_event_id, attempt) in offered,
            f"the workflow task {scheduled_event_id} (attempt {attempt}) of run {run_key} is offered to nobody",
        )
    for run_key, _, scheduled_event_id, attempt, *_ in activity_tasks:
        require(
            (True, run_key, scheduled_event_id, attempt) in offered,
            f"the activity task {scheduled_event_id} (attempt {attempt}) of run {run_key} is offered to nobody",
        )
    if not any(isinstance(item, WaitingPoller) for item, _ in engine._queue):
        for key, queue in queues.items():
            waiting = [each for each in queue.pollers if not each.gone and not each.waiter.done()]  # type: ignore[attr-defined]
            require(not (waiting and queue.tasks), f"a poller of {key[1]} waits beside {len(queue.tasks)} tasks")
    # A run that a reset has just made may have timers that were due long before it.
    (earliest_ns,) = engine.database.writer.execute(
        "SELECT min(max(next_deadline_ns, start_time_ns)) FROM runs"
    ).fetchone()
    require(
        earliest_ns is None or earliest_ns > engine.env.now_ns() - _OVERDUE_NS,
        f"a deadline was missed by {(engine.env.now_ns() - (earliest_ns or 0)) / 1e9} s",
    )


def load_histories(connection: Any) -> dict[int, list[HistoryEvent]]:
    """Return every run's events, in order."""
    histories: dict[int, list[HistoryEvent]] = {
        row[0]: [] for row in connection.execute("SELECT run_key FROM runs ORDER BY run_key")
    }
    for run_key, event_id, data in connection.execute(
        "SELECT run_key, event_id, data FROM events ORDER BY run_key, event_id"
    ):
        require(run_key in histories, f"event {event_id} belongs to no run")
        event = HistoryEvent.FromString(data)
        require(event.event_id == event_id, f"run {run_key}: event {event.event_id} is stored as {event_id}")
        histories[run_key].append(event)
    return histories


def check_file(connection: Any) -> None:
    """Check every history, and the chains of runs."""
    histories = load_histories(connection)
    rows = connection.execute(
        "SELECT run_key, workflow_id, run_id, status, next_event_id, history_size_bytes FROM runs ORDER BY run_key"
    ).fetchall()
    by_run_id = {row[2]: row for row in rows}
    newest = {row[1]: row[0] for row in rows}
    for run_key, workflow_id, run_id, status, next_event_id, size_bytes in rows:
        events = histories[run_key]
        where = f"run {run_key}"
        check_history(where, events)
        require(len(events) == next_event_id - 1, f"{where}: {len(events)} events, next_event_id {next_event_id}")
        require(size_bytes == sum(event.ByteSize() for event in events), f"{where}: history_size_bytes is wrong")
        closed = events[-1].event_type in _CLOSES
        require(closed == (status != 1), f"{where}: status {status} but the last event is {events[-1].event_type}")
        require(closed or newest[workflow_id] == run_key, f"{where} is open but not the current run of {workflow_id}")
        next_run_id = _next_run_id(events[-1])
        if next_run_id:
            require(next_run_id in by_run_id, f"{where}: its next run {next_run_id} does not exist")
            started = histories[by_run_id[next_run_id][0]][0].workflow_execution_started_event_attributes
            require(started.continued_execution_run_id == run_id, f"{where}: its next run continues another one")
        first = events[0].workflow_execution_started_event_attributes
        continued, original = first.continued_execution_run_id, first.original_execution_run_id
        if continued:
            require(continued in by_run_id, f"{where} continues {continued}, which does not exist")
            before = histories[by_run_id[continued][0]][-1]
            require(_next_run_id(before) == original, f"{where}: the run before it names another next run")


def _next_run_id(close: HistoryEvent) -> str:
    name = close.WhichOneof("attributes")
    return str(getattr(getattr(close, name), "new_execution_run_id", "")) if name else ""


def check_history(where: str, events: list[HistoryEvent]) -> None:
    """Check one history by itself."""
    require(events, f"{where} has no events")
    require(events[0].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, f"{where}: begins with another")
    types = [event.event_type for event in events]
    require(types.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED) == 1, f"{where}: started twice")
    require([event.event_id for event in events] == list(range(1, len(events) + 1)), f"{where}: event ids have gaps")
    closes = [event.event_id for event in events if event.event_type in _CLOSES]
    require(closes in ([], [len(events)]), f"{where}: {len(events)} events, closed by {closes}")
    _check_times(where, events)
    _check_activities(where, events)
    _check_timers(where, events)
    _check_workflow_tasks(where, events)
    signals = Counter(
        event.workflow_execution_signaled_event_attributes.request_id
        for event in events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    )
    signals.pop("", None)
    # A reset forgets the request ids of signals.
    after_reset = any(event.workflow_task_failed_event_attributes.base_run_id for event in events)
    require(after_reset or all(count == 1 for count in signals.values()), f"{where}: a signal was recorded twice")
    require(
        types.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED) <= 1, f"{where}: cancel requested twice"
    )


def _check_times(where: str, events: list[HistoryEvent]) -> None:
    """An event that may not be buffered is never older than one before it; a transient task's two keep their times."""
    latest_ns = 0
    for event in events:
        time_ns = timestamp_to_ns(event.event_time)
        transient = event.workflow_task_scheduled_event_attributes.attempt > 1 or (
            event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED
            and events[event.event_id - 2].workflow_task_scheduled_event_attributes.attempt > 1
        )
        if event.event_type in NEVER_BUFFERED and not transient:
            require(time_ns >= latest_ns, f"{where}: the time goes backwards at event {event.event_id}")
        latest_ns = max(latest_ns, time_ns)


def _check_activities(where: str, events: list[HistoryEvent]) -> None:
    open_activities: dict[int, str] = {}
    started: dict[int, int] = {}
    for event in events:
        here = f"{where}, event {event.event_id}"
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            activity_id = event.activity_task_scheduled_event_attributes.activity_id
            require(activity_id not in open_activities.values(), f"{here}: {activity_id} is pending already")
            open_activities[event.event_id] = activity_id
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            scheduled = event.activity_task_started_event_attributes.scheduled_event_id
            require(scheduled in open_activities, f"{here}: starts an activity that is not pending")
            require(scheduled not in started, f"{here}: starts an activity again")
            started[scheduled] = event.event_id
        elif event.event_type in _ACTIVITY_CLOSES:
            attributes = getattr(event, _ACTIVITY_CLOSES[event.event_type])
            scheduled = attributes.scheduled_event_id
            require(scheduled in open_activities, f"{here}: closes an activity that is not pending")
            require(attributes.started_event_id == started.get(scheduled, 0), f"{here}: wrong started_event_id")
            del open_activities[scheduled]


def _check_timers(where: str, events: list[HistoryEvent]) -> None:
    open_timers: dict[str, int] = {}
    for event in events:
        here = f"{where}, event {event.event_id}"
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
            timer_id = event.timer_started_event_attributes.timer_id
            require(timer_id not in open_timers, f"{here}: timer {timer_id} is pending already")
            open_timers[timer_id] = event.event_id
        elif event.event_type in (EventType.EVENT_TYPE_TIMER_FIRED, EventType.EVENT_TYPE_TIMER_CANCELED):
            attributes = (
                event.timer_fired_event_attributes
                if event.event_type == EventType.EVENT_TYPE_TIMER_FIRED
                else event.timer_canceled_event_attributes
            )
            require(
                open_timers.pop(attributes.timer_id, 0) == attributes.started_event_id,
                f"{here}: timer {attributes.timer_id} is not pending",
            )


def _check_workflow_tasks(where: str, events: list[HistoryEvent]) -> None:
    scheduled = started = 0
    for event in events:
        here = f"{where}, event {event.event_id}"
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
            require(not scheduled, f"{here}: a second pending workflow task")
            scheduled = event.event_id
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
            require(scheduled and not started, f"{here}: starts no pending workflow task")
            require(event.workflow_task_started_event_attributes.scheduled_event_id == scheduled, f"{here}: wrong id")
            started = event.event_id
        elif event.event_type in _WORKFLOW_TASK_ENDS:
            attributes = getattr(event, _WORKFLOW_TASK_ENDS[event.event_type])
            require(scheduled == attributes.scheduled_event_id, f"{here}: wrong scheduled_event_id")
            require(started == attributes.started_event_id, f"{here}: wrong started_event_id")
            scheduled = started = 0
        elif started and event.event_type not in _CLOSES:
            require(False, f"{here}: an event while a workflow task is started")
