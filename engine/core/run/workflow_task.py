"""The workflow task's life: scheduled, started, then completed, failed or timed out.

Rules (temporal server workflow_task_state_machine.go):
- There is at most one pending workflow task. Scheduling one flushes the buffer first.
- Attempt 1 writes its events as they happen. A later attempt is *transient*: its Scheduled and Started are written
  only when it completes, and neither its failure nor its time-out is. Events that come in between make it normal.
- A failure while a sticky queue is set clears the stickiness and counts as no attempt.
"""

from __future__ import annotations

from typing import NamedTuple

from temporalio.api.common.v1 import WorkerVersionStamp
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
    WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause,
)
from temporalio.api.enums.v1.workflow_pb2 import (
    SUGGEST_CONTINUE_AS_NEW_REASON_HISTORY_SIZE_TOO_LARGE,
    SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_HISTORY_EVENTS,
    SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES,
    TIMEOUT_TYPE_SCHEDULE_TO_START,
    TIMEOUT_TYPE_START_TO_CLOSE,
    SuggestContinueAsNewReason,
)
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.protocol.v1 import Message

from engine.core.effects import EnqueueWorkflowTask, SetDeadline
from engine.core.errors import InvariantViolated, NotFound
from engine.core.events import workflow_task as events
from engine.core.inputs import WorkflowTaskUndelivered
from engine.core.matching.task_token import WorkflowTaskToken
from engine.core.policy.durations import duration_to_ns, ns_to_duration
from engine.core.run.deadlines import push_workflow_task_deadline
from engine.core.run.evolve import fail_workflow_task as drop_failed_task
from engine.core.run.state import RunState, WorkflowTask
from engine.core.run.unwritten_task import current_task_queue, unwritten_events, write_events
from engine.core.run.update_messages import suggests_continue_as_new, take_messages
from engine.core.transition import Transition

__all__ = [
    "StartedWorkflowTask",
    "check_token",
    "dispatch",
    "ensure_scheduled",
    "fail",
    "fail_before_forced_close",
    "on_undelivered",
    "record_started",
    "schedule",
    "schedule_to_start_timed_out",
    "set_deadline",
    "start_to_close_timed_out",
    "start_to_close_timeout_ns",
    "started_reply",
]

_RETRY_BACKOFF_AFTER_ATTEMPTS = 3
_RETRY_INITIAL_INTERVAL_NS = 5_000_000_000
_RETRY_MAXIMUM_INTERVAL_NS = 600_000_000_000

_SIZE_TOO_LARGE = SUGGEST_CONTINUE_AS_NEW_REASON_HISTORY_SIZE_TOO_LARGE
_TOO_MANY_EVENTS = SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_HISTORY_EVENTS


class StartedWorkflowTask(NamedTuple):
    """What a worker needs to run the task: history [first_event_id, next_event_id), then `unwritten_events`.

    `messages` are the updates that it is to see.
    """

    run_key: int
    namespace_id: str
    workflow_id: str
    run_id: str
    workflow_type: str
    task_queue: str
    token: WorkflowTaskToken
    previous_started_event_id: int
    first_event_id: int
    next_event_id: int
    scheduled_time_ns: int
    unwritten_events: tuple[HistoryEvent, ...]
    messages: tuple[Message, ...]


def ensure_scheduled(t: Transition) -> None:
    """Schedule a workflow task unless one is pending or the run is closed.

    A started one is failed when too much is held back for it, so that the buffer stays small.
    """
    state, task = t.state, t.state.workflow_task
    if not state.running:
        return
    if task is None:
        schedule(t)
    elif task.started and _holds_back_too_much(t):
        fail(t, task, WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND, None, "history-service")
        t.flush()
        schedule(t)


def _holds_back_too_much(t: Transition) -> bool:
    state, limits = t.state, t.context.limits
    return len(state.buffered) > limits.buffered_events or state.measure_buffered() > limits.buffered_events_size_bytes


def schedule(t: Transition, *, original_scheduled_time_ns: int = 0, enqueue: bool = True) -> WorkflowTask:
    """Schedule the next workflow task, on the sticky queue if one is set.

    Args:
        original_scheduled_time_ns: carried over by a heartbeating task, else now.
        enqueue: False when the caller starts the task itself.
    Emits: event WorkflowTaskScheduled unless the task is transient; effect EnqueueWorkflowTask.
    """
    state = t.state
    if state.buffered:
        # With new events the task is a fresh one, however often the last one failed.
        state.workflow_task_attempt = 1
        t.flush()
    attempt = state.workflow_task_attempt
    timeout_ns = start_to_close_timeout_ns(state, attempt)
    if attempt == 1:
        t.add(events.workflow_task_scheduled(current_task_queue(state), ns_to_duration(timeout_ns), attempt))
    else:
        t.touched = True
        state.workflow_task = WorkflowTask(
            scheduled_event_id=state.next_event_id,
            attempt=attempt,
            scheduled_time_ns=t.now_ns,
            original_scheduled_time_ns=t.now_ns,
            start_to_close_timeout_ns=timeout_ns,
            task_queue=state.sticky_task_queue or state.task_queue,
            sticky=bool(state.sticky_task_queue),
        )
    task = _pending(state)
    if original_scheduled_time_ns:
        task.original_scheduled_time_ns = original_scheduled_time_ns
    if enqueue:
        set_deadline(t)
        dispatch(t)
    return task


def dispatch(t: Transition) -> None:
    """Offer the pending workflow task to its task queue."""
    state, task = t.state, _pending(t.state)
    t.effects.append(
        EnqueueWorkflowTask(
            run_key=state.run_key,
            namespace_id=state.namespace_id,
            task_queue=task.task_queue,
            sticky=task.sticky,
            normal_task_queue=state.task_queue,
            scheduled_event_id=task.scheduled_event_id,
            attempt=task.attempt,
            priority=state.priority,
        )
    )


def record_started(
    t: Transition,
    request_id: str,
    identity: str,
    worker_version: WorkerVersionStamp | None,
    *,
    inline: bool = False,
    heartbeat: bool = False,
) -> StartedWorkflowTask:
    """Start the pending workflow task.

    Args:
        inline: the worker gets it as the answer to its last completion, so it has the history up to there.
        heartbeat: the worker still works on the updates that it has got.

    Emits: event WorkflowTaskStarted unless the task is unwritten; the start-to-close deadline.
    """
    state, task = t.state, _pending(t.state)
    reasons = _suggest_continue_as_new_reasons(t)
    history_size_bytes = state.history_size_bytes
    if task.transient and task.scheduled_event_id != state.next_event_id:
        # Events came since it was scheduled: it becomes a normal task.
        state.workflow_task_attempt = 1
        timeout = ns_to_duration(task.start_to_close_timeout_ns)
        t.add(events.workflow_task_scheduled(current_task_queue(state), timeout, 1))
        task = _pending(state)
    if not task.unwritten:
        t.add(
            events.workflow_task_started(
                task.scheduled_event_id, request_id, identity, history_size_bytes, reasons, worker_version
            )
        )
    else:
        if task.speculative:
            t.changed_in_memory = True
        else:
            t.touched = True
        task.started_event_id = task.scheduled_event_id + 1
        task.started_time_ns = t.now_ns
        task.request_id = request_id
        task.identity = identity
        task.worker_version = worker_version
        task.history_size_bytes = history_size_bytes
        task.suggest_continue_as_new_reasons = tuple(reasons)
    set_deadline(t)
    messages = take_messages(state, task.started_event_id, again=not heartbeat) if state.updates else ()
    return started_reply(state, task, messages, has_history=inline or bool(state.sticky_task_queue))


def set_deadline(t: Transition) -> None:
    """Set the deadline of the pending workflow task."""
    due_ns = push_workflow_task_deadline(t.state)
    if due_ns is not None and _pending(t.state).speculative:
        t.effects.append(SetDeadline(t.state.run_key, due_ns - t.state.skipped_ns))


def on_undelivered(t: Transition, undelivered: WorkflowTaskUndelivered) -> None:
    """Take a task back at once instead of waiting for its time-out; a speculative one is offered again.

    Emits: as a time-out does.
    """
    task = t.state.workflow_task
    token = undelivered.token
    if task is None or (task.started_event_id, task.started_time_ns) != (token.started_event_id, token.started_time_ns):
        return
    if not task.speculative:
        start_to_close_timed_out(t, task.scheduled_event_id, "")
        return
    t.changed_in_memory = True
    task.started_event_id = task.started_time_ns = 0
    set_deadline(t)
    dispatch(t)


def check_token(state: RunState, token: WorkflowTaskToken) -> WorkflowTask:
    """Return the started task that `token` is for.

    Raises:
        NotFound: it is not the pending one any more.
    """
    task = state.workflow_task
    if (
        not state.running
        or task is None
        or not task.started
        or task.scheduled_event_id != token.scheduled_event_id
        or task.started_event_id != token.started_event_id
        or task.attempt != token.attempt
        or task.started_time_ns != token.started_time_ns
        or state.run_id != token.run_id
    ):
        raise NotFound("Workflow task not found.")
    return task


def fail(
    t: Transition,
    task: WorkflowTask,
    cause: WorkflowTaskFailedCause.ValueType,
    failure: Failure | None,
    identity: str,
    binary_checksum: str = "",
    worker_version: WorkerVersionStamp | None = None,
) -> None:
    """Fail the started task; the caller schedules the next one.

    Emits: event WorkflowTaskFailed unless the task is transient.
    """
    if task.speculative:
        task = write_events(t, task, identity, worker_version)
    if task.transient:
        t.touched = True
        drop_failed_task(t.state, increment_attempt=True)
    else:
        t.add(
            events.workflow_task_failed(
                task.scheduled_event_id, task.started_event_id, cause, failure, identity, binary_checksum
            )
        )
    t.state.close_attempted = cause == WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND


def fail_before_forced_close(t: Transition) -> None:
    """Fail a started task because the run ends under it (terminated, timed out), and flush what it held back."""
    task = t.state.workflow_task
    if task is not None and task.started:
        fail(t, task, WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND, None, "history-service")
    t.flush()


def start_to_close_timed_out(t: Transition, event_id: int, key: str) -> None:
    """Time out the started task and schedule it again.

    Emits: event WorkflowTaskTimedOut unless the task is transient.
    """
    task = _pending(t.state)
    t.state.close_attempted = False
    if task.speculative:
        task = write_events(t, task, "", None)
    if task.transient:
        t.touched = True
        drop_failed_task(t.state, increment_attempt=True)
    else:
        t.add(
            events.workflow_task_timed_out(task.scheduled_event_id, task.started_event_id, TIMEOUT_TYPE_START_TO_CLOSE)
        )
    schedule(t)


def schedule_to_start_timed_out(t: Transition, event_id: int, key: str) -> None:
    """Move a task that the sticky worker did not fetch in time to the normal queue.

    Emits: events WorkflowTaskTimedOut, WorkflowTaskScheduled.
    """
    task = _pending(t.state)
    if task.speculative:
        task = write_events(t, task, "", None)
    t.add(events.workflow_task_timed_out(task.scheduled_event_id, 0, TIMEOUT_TYPE_SCHEDULE_TO_START))
    schedule(t)


def _pending(state: RunState) -> WorkflowTask:
    if state.workflow_task is None:
        raise InvariantViolated(f"no workflow task in run {state.run_id}")
    return state.workflow_task


def start_to_close_timeout_ns(state: RunState, attempt: int) -> int:
    """Return a task's timeout: the run's, and more for one that keeps failing, to pace a broken worker."""
    timeout_ns = duration_to_ns(state.started.workflow_task_timeout)
    over = attempt - _RETRY_BACKOFF_AFTER_ATTEMPTS
    if over <= 0:
        return timeout_ns
    return timeout_ns + min(_RETRY_INITIAL_INTERVAL_NS << min(over - 1, 10), _RETRY_MAXIMUM_INTERVAL_NS)


def _suggest_continue_as_new_reasons(t: Transition) -> list[SuggestContinueAsNewReason.ValueType]:
    state, limits = t.state, t.context.limits
    reasons: list[SuggestContinueAsNewReason.ValueType] = []
    if state.history_size_bytes >= limits.history_size_suggest_continue_as_new_bytes:
        reasons.append(_SIZE_TOO_LARGE)
    if state.next_event_id >= limits.history_count_suggest_continue_as_new:
        reasons.append(_TOO_MANY_EVENTS)
    if suggests_continue_as_new(state, limits):
        reasons.append(SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES)
    return reasons


def started_reply(
    state: RunState, task: WorkflowTask, messages: tuple[Message, ...], *, has_history: bool
) -> StartedWorkflowTask:
    """Return what the worker of a started task needs; with `has_history` it knows what came before the last one."""
    token = WorkflowTaskToken(
        run_key=state.run_key,
        run_id=state.run_id,
        scheduled_event_id=task.scheduled_event_id,
        started_event_id=task.started_event_id,
        attempt=task.attempt,
        started_time_ns=task.started_time_ns,
    )
    return StartedWorkflowTask(
        run_key=state.run_key,
        namespace_id=state.namespace_id,
        workflow_id=state.workflow_id,
        run_id=state.run_id,
        workflow_type=state.workflow_type,
        task_queue=state.task_queue,
        token=token,
        previous_started_event_id=state.previous_started_event_id,
        first_event_id=state.previous_started_event_id + 1 if has_history else 1,
        next_event_id=state.next_event_id,
        scheduled_time_ns=task.scheduled_time_ns,
        unwritten_events=unwritten_events(state, task) if task.unwritten else (),
        messages=messages,
    )
