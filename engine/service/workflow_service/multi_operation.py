"""ExecuteMultiOperation: update-with-start, the only list of operations that there is."""

from __future__ import annotations

from temporalio.api.workflowservice.v1 import (
    ExecuteMultiOperationRequest,
    ExecuteMultiOperationResponse,
    StartWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)

from engine.core.errors import (
    InvalidArgument,
    MultiOperationAborted,
    MultiOperationExecution,
    NamespaceNotFound,
    ServiceError,
)
from engine.core.inputs import ExecuteMultiOperation
from engine.core.namespace import Namespace
from engine.core.policy.durations import duration_to_ns
from engine.runtime.update_with_start import update_with_start
from engine.service.service import Call, Service, get_namespace
from engine.service.workflow_service.start import complete_start_request
from engine.service.workflow_service.update import complete_update_request, update_response

__all__ = ["execute_multi_operation"]

_Operation = ExecuteMultiOperationResponse.Response


async def execute_multi_operation(
    service: Service, request: ExecuteMultiOperationRequest, call: Call
) -> ExecuteMultiOperationResponse:
    """Update the running execution of a workflow id, or start one and update it."""
    namespace = get_namespace(service, request.namespace, for_start=True)
    kinds = [operation.WhichOneof("operation") for operation in request.operations]
    if kinds != ["start_workflow", "update_workflow"]:
        raise InvalidArgument("Operations have to be exactly [Start, Update].")
    start, update = request.operations[0].start_workflow, request.operations[1].update_workflow
    errors = [_complete_start(service, namespace, start), _complete_update(service, namespace, update)]
    if errors == [None, None] and start.workflow_id != update.workflow_execution.workflow_id:
        errors[1] = InvalidArgument("WorkflowId is not consistent with previous operation(s).")
    if errors != [None, None]:
        raise MultiOperationExecution([error or MultiOperationAborted() for error in errors])
    item = ExecuteMultiOperation(namespace.namespace_id, start, update)
    reply, status = await update_with_start(service.engine, item, call.time_remaining())
    updated = update_response(None if reply.answered else update, reply.update, status)
    return ExecuteMultiOperationResponse(
        responses=[_Operation(start_workflow=reply.start), _Operation(update_workflow=updated)]
    )


def _complete_start(
    service: Service, namespace: Namespace, start: StartWorkflowExecutionRequest
) -> ServiceError | None:
    """Check the start and set its defaults; return its fault."""
    try:
        _check_namespace(namespace, start.namespace)
        complete_start_request(service, start, namespace)
        if not start.namespace:
            raise NamespaceNotFound("")
        if start.cron_schedule:
            raise InvalidArgument("CronSchedule is not allowed.")
        if start.request_eager_execution:
            raise InvalidArgument("RequestEagerExecution is not supported.")
        if duration_to_ns(start.workflow_start_delay):
            raise InvalidArgument("WorkflowStartDelay is not supported.")
    except ServiceError as error:
        return error
    return None


def _complete_update(
    service: Service, namespace: Namespace, update: UpdateWorkflowExecutionRequest
) -> ServiceError | None:
    """Check the update and set its defaults; return its fault."""
    try:
        _check_namespace(namespace, update.namespace)
        complete_update_request(service, update)
        if update.first_execution_run_id:
            raise InvalidArgument("FirstExecutionRunId is not allowed.")
        if update.workflow_execution.run_id:
            raise InvalidArgument("RunId is not allowed.")
    except ServiceError as error:
        return error
    return None


def _check_namespace(namespace: Namespace, name: str) -> None:
    if name and name != namespace.name:
        raise InvalidArgument("Operation namespace did not match request's namespace.")
