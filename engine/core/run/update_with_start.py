"""Update-with-start: an update of the running execution of a workflow id, or a start whose first task brings it.

Rules (temporal server multioperation):
- A completed update of the current run is the answer, even if that run is closed, whatever the policies say.
- The running execution takes the update when the same request started it, when it knows the update, or by the policy
  USE_EXISTING. Else the start's own rules decide; a start that starts nothing is tried again by the caller.
- Start and update are in one step: if the update is refused, nothing is started.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio.api.enums.v1.workflow_pb2 import WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionResponse

from engine.core.errors import MultiOperationAborted, MultiOperationExecution, ServiceError, Unavailable
from engine.core.inputs import ExecuteMultiOperation
from engine.core.policy.links import started_link
from engine.core.run import update
from engine.core.run.start import Started, start_workflow
from engine.core.run.state import RunState
from engine.core.run.update import AdmittedUpdate
from engine.core.transition import Context, Transition

__all__ = ["UpdateWithStartReply", "update_with_start"]


@dataclass(frozen=True, slots=True)
class UpdateWithStartReply:
    """The answer to the start, and the update to wait for; `answered` says that it was completed before."""

    start: StartWorkflowExecutionResponse
    update: AdmittedUpdate
    answered: bool = False


def update_with_start(
    context: Context, current: RunState | None, item: ExecuteMultiOperation
) -> Started[UpdateWithStartReply]:
    """Find or start the run, and admit the update.

    Args:
        current: the newest run of the workflow id, with all its updates, if any.
    Raises: MultiOperationExecution with the error of the start or of the update.
    """
    if current is not None:
        update_id = item.update.request.meta.update_id
        if update_id in current.completed_updates:
            stage = item.update.wait_policy.lifecycle_stage
            response = StartWorkflowExecutionResponse(run_id=current.run_id, status=current.status)  # type: ignore[arg-type]
            admitted = AdmittedUpdate(current.run_key, current.workflow_id, current.run_id, update_id, stage)
            return Started(UpdateWithStartReply(response, admitted, answered=True))
        if current.running and _takes_update(current, item):
            return _update_existing(context, current, item)
    admitted_updates: list[AdmittedUpdate] = []

    def admit(t: Transition) -> None:
        admitted_updates.append(_admit(t, item))

    try:
        started = start_workflow(context, current, item.start, admit)
    except MultiOperationExecution:
        raise
    except ServiceError as error:
        raise MultiOperationExecution([error, MultiOperationAborted()]) from None
    if not admitted_updates:
        raise MultiOperationExecution([Unavailable("Workflow was not started: StartDeduped"), MultiOperationAborted()])
    return Started(UpdateWithStartReply(started.reply.response, admitted_updates[0]), started.transitions)


def _takes_update(current: RunState, item: ExecuteMultiOperation) -> bool:
    return (
        item.start.request_id == current.start_request_id
        or update.is_known(current, item.update.request.meta.update_id)
        or item.start.workflow_id_conflict_policy == WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
    )


def _update_existing(context: Context, current: RunState, item: ExecuteMultiOperation) -> Started[UpdateWithStartReply]:
    t = Transition(context, current)
    admitted = _admit(t, item)
    response = StartWorkflowExecutionResponse(
        run_id=current.run_id,
        status=current.status,  # type: ignore[arg-type]
        link=started_link(item.start.namespace, current.workflow_id, current.run_id),
    )
    return Started(UpdateWithStartReply(response, admitted), [t])


def _admit(t: Transition, item: ExecuteMultiOperation) -> AdmittedUpdate:
    try:
        return update.admit_request(t, item.update)
    except ServiceError as error:
        raise MultiOperationExecution([MultiOperationAborted(), error]) from None
