"""Workflow updates: admitted by a client, taken to the worker, accepted or rejected by it, completed.

Rules (temporal server service/history/workflow/update, api/updateworkflow):
- An update is known by its id: the same id again is the same update, for as long as the run keeps it.
- Admission is in memory only. A crash, or a run that is evicted, loses it: whoever waits admits it again.
- Acceptance and completion are events. A rejection is not: its update is forgotten, and the id is free again.
- When the run closes, an accepted update has failed; an admitted one is given up, or to be sent to the next run.
- When a completion fails its workflow task, updates that came with the task are given up, others stay.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio.api.enums.v1.failed_cause_pb2 import (
    RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT,
    RESOURCE_EXHAUSTED_SCOPE_NAMESPACE,
)
from temporalio.api.enums.v1.update_pb2 import (
    UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY,
    UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED,
    UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED,
    UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
    UpdateWorkflowExecutionLifecycleStage,
)
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.update.v1 import Outcome, Request
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionRequest

from engine.core.effects import AnswerUpdate
from engine.core.errors import (
    FailedPrecondition,
    NotFound,
    ResourceExhausted,
    ServiceError,
    UpdateAbortedByClosingWorkflow,
    WorkflowClosing,
    WorkflowNotReady,
)
from engine.core.events.update import workflow_execution_update_admitted
from engine.core.inputs import UpdateWorkflowExecution
from engine.core.policy.limits import Limits
from engine.core.run import speculative_task
from engine.core.run.state import RunState, UnstoredState, UpdateInfo, WorkflowTask
from engine.core.transition import Transition

__all__ = [
    "AdmittedUpdate",
    "UpdateStatus",
    "admit_by_event",
    "admit_request",
    "check_total",
    "find_status",
    "is_known",
    "on_update",
    "reject_unprocessed",
    "restore",
    "unstored_state",
]

_FAILING_TASK_ATTEMPTS = 3

_UNPROCESSED = Failure(
    message="Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow Update is not "
    "supported by the worker.",
    source="Server",
    application_failure_info=ApplicationFailureInfo(type="UnprocessedUpdate", non_retryable=True),
)
_WORKFLOW_COMPLETED = Failure(
    message="Workflow Update failed because the Workflow completed before the Update completed.",
    source="Server",
    application_failure_info=ApplicationFailureInfo(type="AcceptedUpdateCompletedWorkflow", non_retryable=True),
)


@dataclass(frozen=True, slots=True)
class AdmittedUpdate:
    """Which update of which run a caller may wait for, and until which stage."""

    run_key: int
    workflow_id: str
    run_id: str
    update_id: str
    stage: UpdateWorkflowExecutionLifecycleStage.ValueType


@dataclass(frozen=True, slots=True)
class UpdateStatus:
    """How far an update has come; the outcome of a completed one may still have to be read from its event."""

    stage: UpdateWorkflowExecutionLifecycleStage.ValueType
    outcome: Outcome | None = None
    completed_event_id: int = 0


def on_update(t: Transition, update: UpdateWorkflowExecution) -> AdmittedUpdate:
    """Admit an update, or find the one with its id; its caller then waits.

    Emits: a speculative workflow task when none is pending.
    Raises: NotFound for a closed run or one of another chain; WorkflowNotReady while workflow tasks keep failing;
        ResourceExhausted and FailedPrecondition at the limits.
    """
    return admit_request(t, update.request)


def admit_request(t: Transition, request: UpdateWorkflowExecutionRequest) -> AdmittedUpdate:
    """Admit an update as `on_update` does."""
    state = t.state
    update_id = request.request.meta.update_id
    stage = request.wait_policy.lifecycle_stage
    admitted = AdmittedUpdate(state.run_key, state.workflow_id, state.run_id, update_id, stage)
    if request.first_execution_run_id and state.started.first_execution_run_id != request.first_execution_run_id:
        raise NotFound("workflow execution not found")
    if not state.running:
        if not is_known(state, update_id):
            raise NotFound("workflow execution already completed")
        return admitted
    if state.workflow_task_attempt >= _FAILING_TASK_ATTEMPTS:
        raise WorkflowNotReady("Unable to perform workflow execution update due to Workflow Task in failed state.")
    if state.close_attempted and state.workflow_task_started:
        raise WorkflowClosing
    if not is_known(state, update_id):
        _admit(t, request.request)
        if state.workflow_task is None:
            speculative_task.schedule_speculative(t)
    return admitted


def admit_by_event(t: Transition, request: Request) -> None:
    """Admit an update that another run had, unless this one knows its id; the caller schedules a workflow task.

    Emits: event WorkflowExecutionUpdateAdmitted, which takes the request to the worker.
    """
    if not is_known(t.state, request.meta.update_id):
        t.add(workflow_execution_update_admitted(request, UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY))


def find_status(state: RunState, update_id: str) -> UpdateStatus | ServiceError | None:
    """Return how far an update has come, the error for whoever waits for it, or None for an unknown id."""
    completed_event_id = state.completed_updates.get(update_id)
    if completed_event_id is not None:
        return UpdateStatus(UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED, completed_event_id=completed_event_id)
    update = state.updates.get(update_id)
    if update is None:
        return None
    if state.running:
        if update.accepted:
            return UpdateStatus(UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED)
        return UpdateStatus(UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED)
    if update.accepted:
        outcome = Outcome(failure=_WORKFLOW_COMPLETED)
        return UpdateStatus(UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED, outcome)
    return WorkflowClosing() if state.new_execution_run_id else UpdateAbortedByClosingWorkflow()


def is_known(state: RunState, update_id: str) -> bool:
    """Say whether the run has an update with this id."""
    return update_id in state.updates or update_id in state.completed_updates


def check_total(state: RunState, limits: Limits) -> None:
    """Check that the run may have one more update.

    Raises: FailedPrecondition.
    """
    maximum = limits.updates_total
    if 0 < maximum <= len(state.updates) + len(state.completed_updates):
        raise FailedPrecondition(
            f"The limit on the total number of distinct updates in this workflow has been reached ({maximum}). Make "
            "sure any duplicate updates share an Update ID so the server can deduplicate them, and consider rejecting "
            "updates that you aren't going to process. You can also Continue-as-New to avoid this; we recommend you "
            "check Continue-as-New Suggested in your Workflow."
        )


def unstored_state(state: RunState, task: WorkflowTask) -> UnstoredState:
    """Return what the run would lose if it were loaded again while a worker has `task`."""
    waiting = tuple(update for update in state.updates.values() if not update.accepted)
    return UnstoredState(waiting, task if task.speculative else None)


def restore(t: Transition, unstored: UnstoredState) -> None:
    """Put back what the run lost when it was loaded again, since a completion fails its workflow task.

    Updates that came with that task are given up: with another one the worker would fail again.

    Emits: effect AnswerUpdate.
    """
    state = t.state
    if unstored.speculative_task is not None:
        t.changed_in_memory = True
        state.workflow_task = unstored.speculative_task
    for update in unstored.admitted_updates:
        t.changed_in_memory = True
        if update.sent:
            message = "Unable to perform workflow execution update due to unexpected workflow task failure."
            t.effects.append(AnswerUpdate(state.run_key, update.update_id, WorkflowNotReady(message)))
        elif not update.admitted_by_event:
            state.updates[update.update_id] = update


def reject_unprocessed(t: Transition) -> None:
    """Reject what was sent with the completed task and not answered: the worker can't handle updates.

    Emits: effect AnswerUpdate.
    """
    state = t.state
    for update in [each for each in state.updates.values() if each.sent and not each.accepted]:
        t.changed_in_memory = True
        del state.updates[update.update_id]
        t.effects.append(AnswerUpdate(state.run_key, update.update_id, _UNPROCESSED))


def _admit(t: Transition, request: Request) -> None:
    state, limits = t.state, t.context.limits
    maximum = limits.updates_in_flight
    if 0 < maximum <= len(state.updates):
        raise _too_many(f"limit on number of concurrent in-flight updates has been reached ({maximum})")
    check_total(state, limits)
    maximum = limits.update_payloads_in_flight_bytes
    if 0 < maximum <= sum(map(_size_bytes, state.updates.values())) + request.ByteSize():
        raise _too_many(f"limit on total payload size of in-flight updates has been reached ({maximum} bytes)")
    t.changed_in_memory = True
    state.updates[request.meta.update_id] = UpdateInfo.admit(request.meta.update_id, request)


def _size_bytes(update: UpdateInfo) -> int:
    return 2 * len(update.update_id.encode()) + (0 if update.body is None else update.body.ByteSize())


def _too_many(message: str) -> ResourceExhausted:
    return ResourceExhausted(RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT, message, RESOURCE_EXHAUSTED_SCOPE_NAMESPACE)
