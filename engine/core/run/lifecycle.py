"""How runs begin and end: creation, the close events, and the next run of a chain (retry, cron, continue-as-new).

Rules:
- A new run is a transition of its own, added to `new_runs` of the one that causes it: both are in one commit.
- A chain keeps `first_execution_run_id` and the execution expiration; retry counts `attempt` up, cron and
  continue-as-new start again at 1.
- A run younger than `continue_as_new_min_interval_ns` holds its successor back for the rest of it, so that a chain
  can't spin.
"""

from __future__ import annotations

from collections.abc import Iterable

from temporalio.api.common.v1 import Link, Payloads
from temporalio.api.enums.v1.task_queue_pb2 import TASK_QUEUE_KIND_NORMAL
from temporalio.api.enums.v1.workflow_pb2 import (
    CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE,
    CONTINUE_AS_NEW_INITIATOR_RETRY,
    CONTINUE_AS_NEW_INITIATOR_UNSPECIFIED,
    RETRY_STATE_TIMEOUT,
    TIMEOUT_TYPE_START_TO_CLOSE,
    ContinueAsNewInitiator,
    RetryState,
)
from temporalio.api.failure.v1 import Failure, TimeoutFailureInfo
from temporalio.api.history.v1 import (
    HistoryEvent,
    WorkflowExecutionContinuedAsNewEventAttributes,
    WorkflowExecutionStartedEventAttributes,
)
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.api.taskqueue.v1 import TaskQueue

from engine.core.events import workflow_execution as events
from engine.core.policy.cron import next_cron_backoff
from engine.core.policy.durations import duration_to_ns, ns_to_duration, ns_to_timestamp
from engine.core.policy.retry import next_workflow_retry
from engine.core.run import child_workflow, workflow_task
from engine.core.run.build_ids import reset_points_for_next_run
from engine.core.run.deadlines import DeadlineKind, push, push_fast_forward
from engine.core.run.state import RunState
from engine.core.run.time_skipping import for_next_run
from engine.core.transition import Context, Transition

__all__ = [
    "cancel",
    "complete",
    "continue_as_new",
    "create_run",
    "fail",
    "first_workflow_task_due",
    "run_timed_out",
    "schedule_first_workflow_task",
    "terminate",
]


def create_run(
    context: Context,
    workflow_id: str,
    run_id: str,
    attributes: WorkflowExecutionStartedEventAttributes,
    *,
    links: Iterable[Link] = (),
    user_metadata: UserMetadata | None = None,
    request_id: str = "",
) -> Transition:
    """Begin a run with its WorkflowExecutionStarted and its run deadlines; the first workflow task comes after."""
    state = RunState(
        run_key=context.env.new_run_key(),
        namespace_id=context.namespace.namespace_id,
        namespace=context.namespace.name,
        workflow_id=workflow_id,
        run_id=run_id,
    )
    t = Transition(context, state, is_new=True)
    t.now_ns += duration_to_ns(attributes.time_skipping_state_propagation.initial_skipped_duration)
    if request_id:
        t.add_request_id(request_id)
        state.start_request_id = request_id
    event = events.workflow_execution_started(attributes)
    event.links.extend(links)
    if user_metadata is not None:
        event.user_metadata.CopyFrom(user_metadata)
    t.add(event)
    if state.run_expiration_time_ns:
        push(state, state.run_expiration_time_ns, DeadlineKind.WORKFLOW_RUN_TIMEOUT)
    if state.execution_expiration_time_ns:
        push(state, state.execution_expiration_time_ns, DeadlineKind.WORKFLOW_EXECUTION_TIMEOUT)
    push_fast_forward(state)
    return t


def schedule_first_workflow_task(t: Transition) -> None:
    """Schedule the first workflow task, or its deadline when a delay or backoff holds it back."""
    state = t.state
    if state.execution_time_ns > state.start_time_ns:
        push(state, state.execution_time_ns, DeadlineKind.FIRST_WORKFLOW_TASK)
    else:
        workflow_task.schedule(t)


def first_workflow_task_due(t: Transition, event_id: int, key: str) -> None:
    """Schedule the first workflow task at the end of its delay or backoff; a speculative one becomes that task."""
    t.touched = True
    workflow_task.ensure_scheduled(t)


def complete(t: Transition, result: Payloads | None, workflow_task_completed_event_id: int) -> HistoryEvent:
    """Close the run as completed; a cron schedule starts the next one.

    Emits: event WorkflowExecutionCompleted.
    """
    backoff_ns = _cron_backoff_ns(t)
    new_run_id = "" if backoff_ns is None else t.context.env.new_id()
    event = t.add(events.workflow_execution_completed(result, workflow_task_completed_event_id, new_run_id))
    if backoff_ns is not None:
        _start_next(t, new_run_id, CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE, backoff_ns, result, None)
    _tell_relatives(t, event)
    return event


def cancel(t: Transition, details: Payloads | None, workflow_task_completed_event_id: int) -> HistoryEvent:
    """Close the run as cancelled.

    Emits: event WorkflowExecutionCanceled.
    """
    event = t.add(events.workflow_execution_canceled(details, workflow_task_completed_event_id))
    _tell_relatives(t, event)
    return event


def fail(t: Transition, failure: Failure, workflow_task_completed_event_id: int) -> HistoryEvent:
    """Close the run as failed; its retry policy or cron schedule may start the next one.

    Emits: event WorkflowExecutionFailed.
    """
    initiator, backoff_ns, retry_state = _next_after_failure(t, failure)
    new_run_id = t.context.env.new_id() if initiator else ""
    event = t.add(events.workflow_execution_failed(failure, retry_state, workflow_task_completed_event_id, new_run_id))
    if initiator:
        _start_next(t, new_run_id, initiator, backoff_ns, _last_result(t.state, initiator), failure)
    _tell_relatives(t, event)
    return event


def run_timed_out(t: Transition, event_id: int, key: str) -> None:
    """Close the run at its run timeout; unless the whole execution has expired it may be followed by another.

    Emits: event WorkflowTaskFailed for a started task, then WorkflowExecutionTimedOut.
    """
    state = t.state
    failure = Failure(
        message="workflow timeout",
        source="Server",
        timeout_failure_info=TimeoutFailureInfo(timeout_type=TIMEOUT_TYPE_START_TO_CLOSE),
    )
    expired = 0 < state.execution_expiration_time_ns <= t.now_ns
    initiator, backoff_ns, retry_state = (
        (CONTINUE_AS_NEW_INITIATOR_UNSPECIFIED, 0, RETRY_STATE_TIMEOUT) if expired else _next_after_failure(t, failure)
    )
    new_run_id = t.context.env.new_id() if initiator else ""
    workflow_task.fail_before_forced_close(t)
    event = t.add(events.workflow_execution_timed_out(retry_state, new_run_id))
    if initiator:
        last_result = state.started.last_completion_result if state.started.HasField("last_completion_result") else None
        _start_next(t, new_run_id, initiator, backoff_ns, last_result, failure)
    _tell_relatives(t, event)


def terminate(t: Transition, reason: str, details: Payloads | None, identity: str, links: Iterable[Link] = ()) -> None:
    """End the run at once.

    Emits: event WorkflowTaskFailed for a started task, then WorkflowExecutionTerminated.
    """
    workflow_task.fail_before_forced_close(t)
    event = t.add(events.workflow_execution_terminated(reason, details, identity))
    event.links.extend(links)
    _tell_relatives(t, event)


def continue_as_new(
    t: Transition,
    attributes: WorkflowExecutionContinuedAsNewEventAttributes,
    started: WorkflowExecutionStartedEventAttributes,
) -> HistoryEvent:
    """Close the run and start its successor with `started`, which the command has filled.

    Emits: event WorkflowExecutionContinuedAsNew.
    """
    backoff_ns = _at_least_minimal_interval(t, duration_to_ns(attributes.backoff_start_interval))
    if backoff_ns or attributes.HasField("backoff_start_interval"):
        started.first_workflow_task_backoff.CopyFrom(ns_to_duration(backoff_ns))
    event = t.add(events.workflow_execution_continued_as_new(attributes))
    _add_new_run(t, attributes.new_execution_run_id, started)
    _tell_relatives(t, event)
    return event


def _tell_relatives(t: Transition, close: HistoryEvent) -> None:
    """Tell the parent that the chain has ended, and the children that their parent has closed."""
    child_workflow.tell_parent(t, close)
    child_workflow.close_children(t)


def _next_after_failure(
    t: Transition, failure: Failure
) -> tuple[ContinueAsNewInitiator.ValueType, int, RetryState.ValueType]:
    """Return (initiator, backoff_ns, retry_state) of the run that follows; initiator 0 is none."""
    state = t.state
    policy = state.started.retry_policy if state.started.HasField("retry_policy") else None
    expiration_ns = state.execution_expiration_time_ns or None
    decision = next_workflow_retry(t.now_ns, expiration_ns, state.started.attempt, policy, failure)
    if decision.retries:
        return CONTINUE_AS_NEW_INITIATOR_RETRY, decision.interval_ns, decision.retry_state
    backoff_ns = _cron_backoff_ns(t)
    if backoff_ns is not None:
        return CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE, backoff_ns, decision.retry_state
    return CONTINUE_AS_NEW_INITIATOR_UNSPECIFIED, 0, decision.retry_state


def _last_result(state: RunState, initiator: int) -> Payloads | None:
    """Return the last successful result that a cron chain hands on over a failed run; a retry hands on none."""
    if initiator == CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE and state.started.HasField("last_completion_result"):
        return state.started.last_completion_result
    return None


def _cron_backoff_ns(t: Transition) -> int | None:
    state = t.state
    if not state.started.cron_schedule:
        return None
    return next_cron_backoff(state.started.cron_schedule, state.execution_time_ns, t.now_ns)


def _at_least_minimal_interval(t: Transition, backoff_ns: int) -> int:
    lifetime_ns = t.now_ns - t.state.execution_time_ns
    minimum_ns = t.context.limits.continue_as_new_min_interval_ns
    return minimum_ns - lifetime_ns if lifetime_ns + backoff_ns < minimum_ns else backoff_ns


def _start_next(
    t: Transition,
    new_run_id: str,
    initiator: ContinueAsNewInitiator.ValueType,
    backoff_ns: int,
    last_completion_result: Payloads | None,
    failure: Failure | None,
) -> None:
    """Start the next run of a retry or cron chain: this run's start again, with what the last one left."""
    previous = t.state.started
    started = WorkflowExecutionStartedEventAttributes()
    started.CopyFrom(previous)
    retry = initiator == CONTINUE_AS_NEW_INITIATOR_RETRY
    started.continued_execution_run_id = t.state.run_id
    started.original_execution_run_id = new_run_id
    started.initiator = initiator
    started.attempt = previous.attempt + 1 if retry else 1
    started.identity = ""
    started.eager_execution_accepted = False
    started.task_queue.CopyFrom(TaskQueue(name=previous.task_queue.name, kind=TASK_QUEUE_KIND_NORMAL))
    if t.state.priority is not None:
        started.priority.CopyFrom(t.state.priority)
    if t.state.execution_expiration_time_ns:
        expiration_time = ns_to_timestamp(t.state.execution_expiration_time_ns)
        started.workflow_execution_expiration_time.CopyFrom(expiration_time)
    backoff = ns_to_duration(_at_least_minimal_interval(t, backoff_ns))
    started.first_workflow_task_backoff.CopyFrom(backoff)
    started.ClearField("last_completion_result")
    if last_completion_result is not None:
        started.last_completion_result.CopyFrom(last_completion_result)
    started.ClearField("continued_failure")
    if failure is not None:
        started.continued_failure.CopyFrom(failure)
    _add_new_run(t, new_run_id, started)


def _add_new_run(t: Transition, run_id: str, started: WorkflowExecutionStartedEventAttributes) -> None:
    retention_ns = duration_to_ns(t.context.namespace.description.config.workflow_execution_retention_ttl)
    started.prev_auto_reset_points.CopyFrom(reset_points_for_next_run(t.state, t.now_ns, retention_ns))
    for_next_run(t.state, started)
    new_run = create_run(
        t.context, t.state.workflow_id, run_id, started, links=t.state.start_links, request_id=t.context.env.new_id()
    )
    schedule_first_workflow_task(new_run)
    t.new_runs.append(new_run)
