"""The id policies: what a start does about a run that is there.

Rule (temporal server workflow_id_dedup.go): the conflict policy decides over a running execution, the reuse policy over
a closed one.
"""

from __future__ import annotations

from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1.workflow_pb2 import (
    WORKFLOW_EXECUTION_STATUS_COMPLETED,
    WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
    WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
    WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
    WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
    WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING,
)
from temporalio.api.workflowservice.v1 import SignalWithStartWorkflowExecutionRequest, StartWorkflowExecutionRequest

from engine.core.errors import WorkflowExecutionAlreadyStarted
from engine.core.run import lifecycle
from engine.core.run.state import RunState
from engine.core.transition import Context, Transition

__all__ = ["StartRequest", "already_started", "resolve_policies", "terminate_current"]

StartRequest = StartWorkflowExecutionRequest | SignalWithStartWorkflowExecutionRequest


def resolve_policies(current: RunState, request: StartRequest) -> int:
    """Return what to do about `current`; 0 for a closed run that may be followed.

    Raises: WorkflowExecutionAlreadyStarted.
    """
    reuse, conflict = request.workflow_id_reuse_policy, request.workflow_id_conflict_policy
    if reuse == WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING:
        conflict = WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
    if current.running:
        if conflict in (
            WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
            WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
        ):
            return conflict
        raise already_started("Workflow execution is already running.", current)
    if (
        reuse == WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
        and current.status == WORKFLOW_EXECUTION_STATUS_COMPLETED
    ):
        raise already_started(
            "Workflow execution already finished successfully.",
            current,
            " Workflow Id reuse policy: allow duplicate workflow Id if last run failed.",
        )
    if reuse == WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE:
        raise already_started(
            "Workflow execution already finished.",
            current,
            " Workflow Id reuse policy: reject duplicate workflow Id.",
        )
    return 0


def already_started(what: str, current: RunState, policy: str = "") -> WorkflowExecutionAlreadyStarted:
    return WorkflowExecutionAlreadyStarted(
        f"{what} WorkflowId: {current.workflow_id}, RunId: {current.run_id}.{policy}",
        start_request_id=current.start_request_id,
        run_id=current.run_id,
        first_execution_run_id=current.started.first_execution_run_id,
    )


def terminate_current(context: Context, current: RunState | None, new_run_id: str) -> list[Transition]:
    """Terminate a running `current`; only reached when the policies say so."""
    if current is None or not current.running:
        return []
    t = Transition(context, current)
    details = Payload(metadata={"encoding": b"json/plain"}, data=f'"terminated by new runID: {new_run_id}"'.encode())
    lifecycle.terminate(t, "TerminateIfRunning WorkflowIdReusePolicy", Payloads(payloads=[details]), "history-service")
    return [t]
