"""Reset: a new run goes on from an earlier event of its base run, and the current run ends.

Rules (temporal server resetworkflow, ndc/workflow_resetter.go):
- The new run begins with the base run's events before the reset point, as they are: it is the fold of them. The
  workflow task that is pending there fails, what came later is applied again where that makes sense
  (run/reset_reapply.py), and a new workflow task follows.
- The new run counts its time from the reset on. Its pending activities are first attempts, as if they had just been
  scheduled; its timers keep their times.
- The base run stays as it is, unless it is the current one; the current run is terminated if it is open.
- Children that were started before the reset point are the new run's: how they end is told to it (`reset_run_id` leads
  there), and the parent close policy is only for those of a current run that is not the base run.
- The request id is only compared with that of the current run's start, which the new run inherits from its base run:
  the same reset asked twice is done twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.api.enums.v1 import event_type_pb2 as et
from temporalio.api.enums.v1.failed_cause_pb2 import WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
from temporalio.api.enums.v1.workflow_pb2 import TIMEOUT_TYPE_START_TO_CLOSE
from temporalio.api.failure.v1 import Failure, ResetWorkflowFailureInfo
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest, ResetWorkflowExecutionResponse

from engine.core.errors import InvalidArgument
from engine.core.events.workflow_execution import workflow_execution_terminated
from engine.core.events.workflow_task import workflow_task_failed
from engine.core.policy.durations import timestamp_to_ns
from engine.core.run import activity_task, child_workflow, deadlines, external_workflow, workflow_task
from engine.core.run.event_batches import RESET_REQUEST_ID, ends_batch
from engine.core.run.evolve import evolve
from engine.core.run.reset_reapply import excluded_types, reapply, remember_request_ids
from engine.core.run.state import RunState
from engine.core.run.workflow_options import (
    apply_post_reset_operations,
    check_post_reset_operations,
    validate_post_reset_operations,
)
from engine.core.transition import Context, Transition

__all__ = ["BaseHistory", "Reset", "find_answer", "reset_workflow"]

_SERVER = "history-service"
_RESETTER = "history-resetter"


@dataclass(frozen=True, slots=True)
class BaseHistory:
    """What the file holds of a reset's base run and of the runs that it continued as.

    Args:
        events: the base run's events before the reset point.
        size_bytes: how large they are.
        following: the next two events, or the one that there is.
        later: what may be applied again, in order: events from the reset point on (run/reset_reapply.py REAPPLIED).
        later_runs: the same of the runs that the base run continued as.
        last_run_id: the last run of which `later` and `later_runs` have events.
    """

    events: Sequence[HistoryEvent]
    size_bytes: int
    following: Sequence[HistoryEvent]
    later: Sequence[HistoryEvent]
    later_runs: Sequence[HistoryEvent]
    last_run_id: str


@dataclass(frozen=True, slots=True)
class Reset:
    """The answer to a reset, and the transitions that it takes: of the runs that are there, then of the new one."""

    reply: ResetWorkflowExecutionResponse
    transitions: list[Transition]


def find_answer(
    base: RunState, current: RunState, request: ResetWorkflowExecutionRequest
) -> ResetWorkflowExecutionResponse | None:
    """Check where the reset is to go; return the answer to one that counts as done.

    Raises: InvalidArgument.
    """
    if not 1 < request.workflow_task_finish_event_id < base.next_event_id:
        raise InvalidArgument("Workflow task finish ID must be > 1 && <= workflow last event ID.")
    check_post_reset_operations(request.post_reset_operations)
    if request.request_id == current.start_request_id:
        return ResetWorkflowExecutionResponse(run_id=current.run_id)
    return None


def reset_workflow(
    context: Context, base: RunState, current: RunState, request: ResetWorkflowExecutionRequest, history: BaseHistory
) -> Reset:
    """Make the new run and end the current one; `find_answer` has found nothing to say.

    Emits: event WorkflowExecutionTerminated of an open current run; in the new run events WorkflowTaskFailed, those
        that are applied again, WorkflowTaskScheduled; effects for its pending activities.
    Raises: InvalidArgument where the reset point is none, before anything is changed.
    """
    state = _fork(context, base, request, history)
    validate_post_reset_operations(request.post_reset_operations)
    later, later_runs = list(history.later), list(history.later_runs)
    transitions = []
    if current.running:
        terminated = _terminate(context, base, current, request.reason)
        transitions.append(terminated)
        if history.last_run_id == current.run_id:
            (later if current is base else later_runs).extend(terminated.new_events)
    if base is not current or not transitions:
        transitions.append(Transition(context, base, touched=True))
    base.reset_run_id = state.run_id
    transitions[-1].attributes_changed = True

    t = Transition(context, state, is_new=True, copied_from=(base.run_key, state.next_event_id))
    remember_request_ids(t, history.events)
    _fail_workflow_task(t, base.run_id, request.reason)
    for activity in state.activities.values():
        t.activities[activity.scheduled_event_id] = True
        activity_task.enqueue(t, activity)
    reapply(t, later, excluded_types(request))
    reapply(t, later_runs, excluded_types(request), of_children=False)
    apply_post_reset_operations(t, request.post_reset_operations)
    _send_again(t)
    workflow_task.ensure_scheduled(t)
    deadlines.rebuild(state)
    return Reset(ResetWorkflowExecutionResponse(run_id=state.run_id), [*transitions, t])


def _fork(context: Context, base: RunState, request: ResetWorkflowExecutionRequest, history: BaseHistory) -> RunState:
    """Fold the events before the reset point to the state of a new run.

    Raises: InvalidArgument.
    """
    last = history.events[-1]
    if not ends_batch(history.events, history.following):
        raise InvalidArgument(
            f"StateRebuilder unable to Rebuild mutable state to event ID: {last.event_id}, version: 0, "
            "this event must be at the boundary"
        )
    state = RunState(
        run_key=context.env.new_run_key(),
        namespace_id=base.namespace_id,
        namespace=base.namespace,
        workflow_id=base.workflow_id,
        run_id=context.env.new_id(),
        start_request_id=base.start_request_id,
    )
    for event in history.events:
        evolve(state, event)
        state.last_event_time_ns = max(state.last_event_time_ns, timestamp_to_ns(event.event_time))
    state.next_event_id = last.event_id + 1
    state.history_size_bytes = history.size_bytes
    if state.workflow_task is None and not _is_followed_by_another_attempt(last):
        raise InvalidArgument(
            "Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, WorkflowTaskStarted + 1]: "
            f"{request.workflow_task_finish_event_id}"
        )
    return state


def _terminate(context: Context, base: RunState, current: RunState, reason: str) -> Transition:
    """End the current run.

    Its parent does not hear of it if the new run takes its place. A run of another chain has none.

    Emits: event WorkflowTaskFailed for a started task, then WorkflowExecutionTerminated; effects SendToRun.
    """
    t = Transition(context, current)
    workflow_task.fail_before_forced_close(t)
    event = t.add(workflow_execution_terminated(reason, None, _RESETTER))
    if current.started.first_execution_run_id != base.started.first_execution_run_id:
        child_workflow.tell_parent(t, event)
    if current is not base:
        child_workflow.close_children(t)
    return t


def _is_followed_by_another_attempt(event: HistoryEvent) -> bool:
    """Say whether the workflow task's next attempt, which writes no events until it ends, is pending after `event`."""
    if event.event_type == et.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
        return event.workflow_task_timed_out_event_attributes.timeout_type == TIMEOUT_TYPE_START_TO_CLOSE
    return event.event_type == et.EVENT_TYPE_WORKFLOW_TASK_FAILED


def _fail_workflow_task(t: Transition, base_run_id: str, reason: str) -> None:
    """Fail the workflow task that is pending at the reset point; one that no worker has is started for it."""
    state = t.state
    if state.workflow_task is None:
        state.workflow_task_attempt = 1
        workflow_task.schedule(t, enqueue=False)
    task = state.workflow_task
    assert task is not None
    if not task.started:
        workflow_task.record_started(t, RESET_REQUEST_ID, _SERVER, None)
    failure = Failure(message=reason, reset_workflow_failure_info=ResetWorkflowFailureInfo())
    t.add(
        workflow_task_failed(
            task.scheduled_event_id,
            task.started_event_id,
            WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
            failure,
            _SERVER,
            base_run_id=base_run_id,
            new_run_id=state.run_id,
        )
    )


def _send_again(t: Transition) -> None:
    """Send what the run still waits for an answer to: its base run got the answers after the reset point.

    Emits: effects SendToRun.
    """
    state = t.state
    for child in list(state.children.values()):
        if child.started is None:
            child_workflow.start(t, child.initiated_event_id)
    for initiated_event_id in state.external_signals:
        external_workflow.signal(t, initiated_event_id)
    for initiated_event_id in state.external_cancels:
        external_workflow.request_cancel(t, initiated_event_id)
