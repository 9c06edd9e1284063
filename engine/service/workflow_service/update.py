"""UpdateWorkflowExecution and PollWorkflowExecutionUpdate."""

from __future__ import annotations

from temporalio.api.common.v1 import Link, WorkflowExecution
from temporalio.api.enums.v1.event_type_pb2 import EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
from temporalio.api.enums.v1.update_pb2 import (
    UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED,
    UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
)
from temporalio.api.update.v1 import UpdateRef
from temporalio.api.workflowservice.v1 import (
    PollWorkflowExecutionUpdateRequest,
    PollWorkflowExecutionUpdateResponse,
    UpdateWorkflowExecutionRequest,
    UpdateWorkflowExecutionResponse,
)

from engine.core.inputs import RunRef, UpdateWorkflowExecution
from engine.core.policy.links import request_id_link
from engine.core.policy.update_request import (
    validate_poll_workflow_execution_update,
    validate_update_workflow_execution,
)
from engine.core.run.update import AdmittedUpdate, UpdateStatus
from engine.runtime.update_workflow import poll_update, update_workflow
from engine.service.service import Call, Service, get_namespace

__all__ = ["complete_update_request", "poll_workflow_execution_update", "update_response", "update_workflow_execution"]


async def update_workflow_execution(
    service: Service, request: UpdateWorkflowExecutionRequest, call: Call
) -> UpdateWorkflowExecutionResponse:
    """Update a workflow and wait until the update is accepted, or has its outcome."""
    namespace = get_namespace(service, request.namespace)
    complete_update_request(service, request)
    execution = request.workflow_execution
    run = RunRef(namespace.namespace_id, execution.workflow_id, execution.run_id)
    item = UpdateWorkflowExecution(run, request)
    update, status = await update_workflow(service.engine, item, call.time_remaining())
    return update_response(request, update, status)


async def poll_workflow_execution_update(
    service: Service, request: PollWorkflowExecutionUpdateRequest, call: Call
) -> PollWorkflowExecutionUpdateResponse:
    """Wait for an update that was sent before."""
    namespace = get_namespace(service, request.namespace)
    validate_poll_workflow_execution_update(request, service.engine.limits)
    reference, stage = request.update_ref, request.wait_policy.lifecycle_stage
    update, status = await poll_update(
        service.engine, namespace, reference.workflow_execution, reference.update_id, stage, call.time_remaining()
    )
    return PollWorkflowExecutionUpdateResponse(
        outcome=status.outcome, stage=status.stage, update_ref=_reference(update)
    )


def complete_update_request(service: Service, request: UpdateWorkflowExecutionRequest) -> None:
    """Check an update and set its defaults, an id of its own among them."""
    validate_update_workflow_execution(request, service.engine.limits)
    if not request.request.meta.update_id:
        request.request.meta.update_id = service.engine.env.new_id()


def update_response(
    request: UpdateWorkflowExecutionRequest | None, update: AdmittedUpdate, status: UpdateStatus
) -> UpdateWorkflowExecutionResponse:
    """Build the reply to an update; without the request it has no link."""
    link = None if request is None else _link(request, update, status)
    return UpdateWorkflowExecutionResponse(
        update_ref=_reference(update), outcome=status.outcome, stage=status.stage, link=link
    )


def _reference(update: AdmittedUpdate) -> UpdateRef:
    execution = WorkflowExecution(workflow_id=update.workflow_id, run_id=update.run_id)
    return UpdateRef(workflow_execution=execution, update_id=update.update_id)


def _link(request: UpdateWorkflowExecutionRequest, update: AdmittedUpdate, status: UpdateStatus) -> Link | None:
    """Link to the acceptance; an update that failed may have been rejected, without an event: link to the workflow."""
    namespace, workflow_id, run_id = request.namespace, update.workflow_id, update.run_id
    completed = status.stage == UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
    # A rejection that says nothing is not told from a success.
    if completed and status.outcome is not None and status.outcome.failure.ByteSize():
        workflow = Link.Workflow(namespace=namespace, workflow_id=workflow_id, run_id=run_id, reason="Update rejected")
        return Link(workflow=workflow)
    if completed or status.stage == UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED:
        accepted = EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
        return request_id_link(namespace, workflow_id, run_id, request.request.request_id, accepted)
    return None
