"""The deadlines of one run: a heap in memory, rebuilt from the state, of which only the earliest due time is stored.

Rules:
- An entry is (due_time_ns, kind, event_id, attempt, key); the last three are its stamp. A workflow task's key is when
  it was scheduled or started: a speculative task leaves its ids to the next one.
- `current_due_ns` looks the stamp up in the state: None says that the entry is stale and is dropped, a later time
  that it moved (a heartbeat came). So a deadline is never cancelled, it just stops being true.
- The stored due time may be too early (a run looked at in vain), never too late. It is the clock's; all other
  times here are the run's own (run/time_skipping.py).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from heapq import heappop, heappush

from engine.core.policy.durations import duration_to_ns
from engine.core.run.state import ActivityInfo, RunState, WorkflowTask

__all__ = [
    "DeadlineKind",
    "add_activity_deadlines",
    "find_next",
    "next_deadline_ns",
    "push",
    "push_fast_forward",
    "rebuild",
    "take_due",
]


class DeadlineKind(IntEnum):
    """What falls due; the order breaks ties between deadlines of one instant."""

    FAST_FORWARD = 0
    FIRST_WORKFLOW_TASK = 1
    USER_TIMER = 2
    ACTIVITY_RETRY = 3
    ACTIVITY_SCHEDULE_TO_START = 4
    ACTIVITY_SCHEDULE_TO_CLOSE = 5
    ACTIVITY_START_TO_CLOSE = 6
    ACTIVITY_HEARTBEAT = 7
    WORKFLOW_TASK_SCHEDULE_TO_START = 8
    WORKFLOW_TASK_START_TO_CLOSE = 9
    WORKFLOW_RUN_TIMEOUT = 10
    WORKFLOW_EXECUTION_TIMEOUT = 11


Entry = tuple[int, int, int, int, str]


def push(state: RunState, due_ns: int, kind: DeadlineKind, event_id: int = 0, attempt: int = 0, key: str = "") -> None:
    """Add a deadline of this run."""
    heappush(state.deadlines, (due_ns, int(kind), event_id, attempt, key))


def push_fast_forward(state: RunState) -> None:
    """Push the end of the run's fast-forward, if one is pending."""
    skipping = state.time_skipping
    if skipping is not None and skipping.fast_forward_pending:
        push(state, skipping.fast_forward_target_ns, DeadlineKind.FAST_FORWARD)


def next_deadline_ns(state: RunState) -> int | None:
    """Return when by the clock the run has to be looked at next, or None."""
    due_ns = _earliest_due_ns(state)
    return None if due_ns is None else due_ns - state.skipped_ns


def _earliest_due_ns(state: RunState) -> int | None:
    """Return when the earliest true deadline is due, or None; drops stale entries at the top."""
    heap = state.deadlines
    while heap:
        due_ns = current_due_ns(state, heap[0])
        if due_ns is not None and due_ns <= heap[0][0]:
            return heap[0][0]
        entry = heappop(heap)
        if due_ns is not None:
            heappush(heap, (due_ns, *entry[1:]))
    return None


def find_next(state: RunState) -> tuple[DeadlineKind, int, str] | None:
    """Return what the run has to be looked at for next: (kind, event_id, key), or None."""
    if next_deadline_ns(state) is None:
        return None
    _, kind, event_id, _, key = state.deadlines[0]
    return DeadlineKind(kind), event_id, key


def take_due(state: RunState, now_ns: int) -> tuple[DeadlineKind, int, str] | None:
    """Remove and return the earliest true deadline that has passed: (kind, event_id, key), or None."""
    due_ns = _earliest_due_ns(state)
    if due_ns is None or due_ns > now_ns:
        return None
    _, kind, event_id, _, key = heappop(state.deadlines)
    return DeadlineKind(kind), event_id, key


def current_due_ns(state: RunState, entry: Entry) -> int | None:
    """Return when the entry is due by the state as it is now; None when it no longer holds."""
    if not state.running:
        return None
    return _CURRENT_DUE[entry[1]](state, entry)


def add_activity_deadlines(state: RunState, activity: ActivityInfo) -> None:
    """Push every deadline that the activity's current attempt has."""
    for kind, due in _ACTIVITY_DUE.items():
        due_ns = due(activity)
        if due_ns is not None:
            push(state, due_ns, DeadlineKind(kind), activity.scheduled_event_id, activity.attempt)


def rebuild(state: RunState) -> None:
    """Fill the heap of a run that was just loaded."""
    state.deadlines.clear()
    if not state.running:
        return
    if state.pending_first_workflow_task_backoff:
        push(state, state.execution_time_ns, DeadlineKind.FIRST_WORKFLOW_TASK)
    for timer in state.timers.values():
        push(state, timer.expiry_time_ns, DeadlineKind.USER_TIMER, timer.started_event_id, 0, timer.timer_id)
    for activity in state.activities.values():
        add_activity_deadlines(state, activity)
    push_workflow_task_deadline(state)
    if state.run_expiration_time_ns:
        push(state, state.run_expiration_time_ns, DeadlineKind.WORKFLOW_RUN_TIMEOUT)
    if state.execution_expiration_time_ns:
        push(state, state.execution_expiration_time_ns, DeadlineKind.WORKFLOW_EXECUTION_TIMEOUT)
    push_fast_forward(state)


def push_workflow_task_deadline(state: RunState) -> int | None:
    """Push the pending workflow task's deadline: schedule-to-start if it has one, start-to-close once started."""
    task = state.workflow_task
    if task is None:
        return None
    due_ns: int | None
    if task.started:
        kind, since_ns = DeadlineKind.WORKFLOW_TASK_START_TO_CLOSE, task.started_time_ns
        due_ns = since_ns + task.start_to_close_timeout_ns
    else:
        kind, since_ns = DeadlineKind.WORKFLOW_TASK_SCHEDULE_TO_START, task.scheduled_time_ns
        due_ns = _schedule_to_start_due_ns(state, task)
    if due_ns is not None:
        push(state, due_ns, kind, task.scheduled_event_id, task.attempt, str(since_ns))
    return due_ns


def _schedule_to_start_due_ns(state: RunState, task: WorkflowTask) -> int | None:
    timeout_ns = state.sticky_schedule_to_start_timeout_ns if task.sticky else task.schedule_to_start_timeout_ns
    return task.scheduled_time_ns + timeout_ns if timeout_ns else None


def _fast_forward(state: RunState, entry: Entry) -> int | None:
    skipping = state.time_skipping
    return skipping.fast_forward_target_ns if skipping is not None and skipping.fast_forward_pending else None


def _first_workflow_task(state: RunState, entry: Entry) -> int | None:
    return entry[0] if state.pending_first_workflow_task_backoff else None


def _user_timer(state: RunState, entry: Entry) -> int | None:
    timer = state.timers.get(entry[4])
    return timer.expiry_time_ns if timer is not None and timer.started_event_id == entry[2] else None


def _workflow_task_schedule_to_start(state: RunState, entry: Entry) -> int | None:
    task = state.workflow_task
    if (
        task is None
        or task.started
        or (task.scheduled_event_id, task.attempt, str(task.scheduled_time_ns)) != entry[2:]
    ):
        return None
    return _schedule_to_start_due_ns(state, task)


def _workflow_task_start_to_close(state: RunState, entry: Entry) -> int | None:
    task = state.workflow_task
    if task is None or (task.scheduled_event_id, task.attempt, str(task.started_time_ns)) != entry[2:]:
        return None
    return task.started_time_ns + task.start_to_close_timeout_ns


def _run_timeout(state: RunState, entry: Entry) -> int | None:
    return state.run_expiration_time_ns or None


def _execution_timeout(state: RunState, entry: Entry) -> int | None:
    return state.execution_expiration_time_ns or None


def _activity_retry(activity: ActivityInfo) -> int | None:
    return activity.attempt_scheduled_time_ns if activity.backing_off else None


def _schedule_to_start(activity: ActivityInfo) -> int | None:
    timeout_ns = duration_to_ns(activity.attributes.schedule_to_start_timeout)
    if activity.started or not timeout_ns:
        return None
    return activity.attempt_scheduled_time_ns + timeout_ns


def _schedule_to_close(activity: ActivityInfo) -> int | None:
    timeout_ns = duration_to_ns(activity.attributes.schedule_to_close_timeout)
    return activity.scheduled_time_ns + timeout_ns if timeout_ns else None


def _start_to_close(activity: ActivityInfo) -> int | None:
    timeout_ns = duration_to_ns(activity.attributes.start_to_close_timeout)
    return activity.started_time_ns + timeout_ns if activity.started and timeout_ns else None


def _heartbeat(activity: ActivityInfo) -> int | None:
    timeout_ns = duration_to_ns(activity.attributes.heartbeat_timeout)
    if not activity.started or not timeout_ns:
        return None
    return max(activity.started_time_ns, activity.last_heartbeat_time_ns) + timeout_ns


_ACTIVITY_DUE: dict[int, Callable[[ActivityInfo], int | None]] = {
    DeadlineKind.ACTIVITY_RETRY: _activity_retry,
    DeadlineKind.ACTIVITY_SCHEDULE_TO_START: _schedule_to_start,
    DeadlineKind.ACTIVITY_SCHEDULE_TO_CLOSE: _schedule_to_close,
    DeadlineKind.ACTIVITY_START_TO_CLOSE: _start_to_close,
    DeadlineKind.ACTIVITY_HEARTBEAT: _heartbeat,
}


def _activity(state: RunState, entry: Entry) -> int | None:
    activity = state.activities.get(entry[2])
    if activity is None or activity.attempt != entry[3]:
        return None
    return _ACTIVITY_DUE[entry[1]](activity)


_CURRENT_DUE: dict[int, Callable[[RunState, Entry], int | None]] = {
    DeadlineKind.FAST_FORWARD: _fast_forward,
    DeadlineKind.FIRST_WORKFLOW_TASK: _first_workflow_task,
    DeadlineKind.USER_TIMER: _user_timer,
    DeadlineKind.WORKFLOW_TASK_SCHEDULE_TO_START: _workflow_task_schedule_to_start,
    DeadlineKind.WORKFLOW_TASK_START_TO_CLOSE: _workflow_task_start_to_close,
    DeadlineKind.WORKFLOW_RUN_TIMEOUT: _run_timeout,
    DeadlineKind.WORKFLOW_EXECUTION_TIMEOUT: _execution_timeout,
    **dict.fromkeys((int(kind) for kind in _ACTIVITY_DUE), _activity),
}
