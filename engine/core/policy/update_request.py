"""What the requests about updates may say, and what they say once their defaults are set.

The checks run in the reference server's order, so that a request with two faults gets the same answer.
"""

from __future__ import annotations

from temporalio.api.enums.v1.update_pb2 import (
    UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED,
    UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED,
    UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
    UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED,
    UpdateWorkflowExecutionLifecycleStage,
)
from temporalio.api.workflowservice.v1.request_response_pb2 import (
    PollWorkflowExecutionUpdateRequest,
    UpdateWorkflowExecutionRequest,
)

from engine.core.errors import InvalidArgument, PermissionDenied, Unimplemented
from engine.core.policy.fields import exceeds, is_uuid, validate_execution, validate_links
from engine.core.policy.limits import Limits

_DISABLED = "UpdateWorkflowExecution operation is disabled on this namespace."


def validate_update_workflow_execution(request: UpdateWorkflowExecutionRequest, limits: Limits) -> None:
    """Check an update and set the stage to wait for, in place.

    Without a stage it is COMPLETED, for an unknown one ADMITTED. The caller sets a missing update id.

    Raises:
        InvalidArgument: the first fault.
        PermissionDenied: waiting for a stage that nobody may wait for.
        Unimplemented: a feature that this server does not have.
    """
    validate_execution(request.workflow_execution if request.HasField("workflow_execution") else None)
    update = request.request
    if not update.HasField("meta"):
        raise InvalidArgument("Update meta is not set on request.")
    if exceeds(update.meta.update_id, limits):
        raise InvalidArgument("UpdateId length exceeds limit.")
    if not update.HasField("input"):
        raise InvalidArgument("Update input is not set on request.")
    if not update.input.name:
        raise InvalidArgument("Update name is not set on request.")
    if not limits.updates:
        raise PermissionDenied(_DISABLED)
    policy = request.wait_policy
    if policy.lifecycle_stage == UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED:
        policy.lifecycle_stage = UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
    if policy.lifecycle_stage == UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED:
        raise PermissionDenied(
            "UpdateWorkflowExecution issued asynchronously and waiting on update admitted is not supported."
        )
    if policy.lifecycle_stage == UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED and not limits.updates_accepted:
        raise PermissionDenied(
            "UpdateWorkflowExecution issued asynchronously and waiting on update accepted is disabled on this "
            "namespace."
        )
    if policy.lifecycle_stage not in UpdateWorkflowExecutionLifecycleStage.values():
        policy.lifecycle_stage = UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED
    if update.completion_callbacks:
        if not update.request_id:
            raise InvalidArgument("invalid *update.Request: request_id is required when completion_callbacks are set")
        raise Unimplemented("Completion callbacks are not supported.")
    validate_links(update.links, limits)


def validate_poll_workflow_execution_update(request: PollWorkflowExecutionUpdateRequest, limits: Limits) -> None:
    """Check a poll for an update; without a stage, or with an unknown one, it is answered at once.

    Raises:
        InvalidArgument: the first fault.
        PermissionDenied: updates are disabled.
    """
    if not request.HasField("update_ref"):
        raise InvalidArgument("UpdateRef is not set on request.")
    if not limits.updates:
        raise PermissionDenied(_DISABLED)
    execution = request.update_ref.workflow_execution
    if not execution.workflow_id:
        raise InvalidArgument("Can't load workflow execution.  WorkflowId not set.")
    if execution.run_id and not is_uuid(execution.run_id):
        raise InvalidArgument("RunId is not valid UUID.")
    if request.wait_policy.lifecycle_stage not in UpdateWorkflowExecutionLifecycleStage.values():
        request.ClearField("wait_policy")
