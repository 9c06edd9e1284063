"""What reaches a workflow from outside: signal, cancel, terminate, reset, reset of its sticky task queue."""

from __future__ import annotations

from temporalio.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    RequestCancelWorkflowExecutionResponse,
    ResetStickyTaskQueueRequest,
    ResetStickyTaskQueueResponse,
    ResetWorkflowExecutionRequest,
    ResetWorkflowExecutionResponse,
    SignalWorkflowExecutionRequest,
    SignalWorkflowExecutionResponse,
    TerminateWorkflowExecutionRequest,
    TerminateWorkflowExecutionResponse,
    UpdateWorkflowExecutionOptionsRequest,
    UpdateWorkflowExecutionOptionsResponse,
)

from engine.core.inputs import (
    RequestCancelWorkflowExecution,
    ResetStickyTaskQueue,
    ResetWorkflowExecution,
    RunRef,
    SignalWorkflowExecution,
    TerminateWorkflowExecution,
    UpdateWorkflowExecutionOptions,
)
from engine.core.policy.client_requests import (
    validate_has_execution,
    validate_request_cancel_workflow_execution,
    validate_reset_workflow_execution,
    validate_signal_workflow_execution,
    validate_terminate_workflow_execution,
)
from engine.core.policy.workflow_options import validate_update_workflow_execution_options
from engine.service.service import Call, Service, get_namespace

__all__ = [
    "request_cancel_workflow_execution",
    "reset_sticky_task_queue",
    "reset_workflow_execution",
    "signal_workflow_execution",
    "terminate_workflow_execution",
    "update_workflow_execution_options",
]


async def signal_workflow_execution(
    service: Service, request: SignalWorkflowExecutionRequest, call: Call
) -> SignalWorkflowExecutionResponse:
    """Signal a workflow."""
    namespace = get_namespace(service, request.namespace)
    validate_signal_workflow_execution(request, service.engine.limits)
    execution = request.workflow_execution
    run = RunRef(namespace.namespace_id, execution.workflow_id, execution.run_id)
    reply: SignalWorkflowExecutionResponse = await service.engine.submit(SignalWorkflowExecution(run, request))
    return reply


async def request_cancel_workflow_execution(
    service: Service, request: RequestCancelWorkflowExecutionRequest, call: Call
) -> RequestCancelWorkflowExecutionResponse:
    """Ask a workflow to cancel itself."""
    namespace = get_namespace(service, request.namespace)
    validate_request_cancel_workflow_execution(request, service.engine.limits)
    execution = request.workflow_execution
    # A request for a chain goes to whichever of its runs is the current one.
    run_id = "" if request.first_execution_run_id else execution.run_id
    run = RunRef(namespace.namespace_id, execution.workflow_id, run_id)
    reply: RequestCancelWorkflowExecutionResponse = await service.engine.submit(
        RequestCancelWorkflowExecution(run, request)
    )
    return reply


async def terminate_workflow_execution(
    service: Service, request: TerminateWorkflowExecutionRequest, call: Call
) -> TerminateWorkflowExecutionResponse:
    """End a workflow at once."""
    namespace = get_namespace(service, request.namespace)
    validate_terminate_workflow_execution(request, service.engine.limits)
    execution = request.workflow_execution
    run_id = "" if request.first_execution_run_id else execution.run_id
    run = RunRef(namespace.namespace_id, execution.workflow_id, run_id)
    reply: TerminateWorkflowExecutionResponse = await service.engine.submit(TerminateWorkflowExecution(run, request))
    return reply


async def reset_workflow_execution(
    service: Service, request: ResetWorkflowExecutionRequest, call: Call
) -> ResetWorkflowExecutionResponse:
    """Let a workflow go on from an earlier event, in a new run."""
    namespace = get_namespace(service, request.namespace)
    validate_reset_workflow_execution(request, service.engine.limits)
    execution = request.workflow_execution
    run = RunRef(namespace.namespace_id, execution.workflow_id, execution.run_id)
    reply: ResetWorkflowExecutionResponse = await service.engine.submit(ResetWorkflowExecution(run, request))
    return reply


async def update_workflow_execution_options(
    service: Service, request: UpdateWorkflowExecutionOptionsRequest, call: Call
) -> UpdateWorkflowExecutionOptionsResponse:
    """Change options of a running workflow."""
    namespace = get_namespace(service, request.namespace)
    validate_update_workflow_execution_options(request, service.engine.limits)
    execution = request.workflow_execution
    run = RunRef(namespace.namespace_id, execution.workflow_id, execution.run_id)
    reply: UpdateWorkflowExecutionOptionsResponse = await service.engine.submit(
        UpdateWorkflowExecutionOptions(run, request)
    )
    return reply


async def reset_sticky_task_queue(
    service: Service, request: ResetStickyTaskQueueRequest, call: Call
) -> ResetStickyTaskQueueResponse:
    """Let a workflow's next task go to its normal task queue."""
    namespace = get_namespace(service, request.namespace)
    validate_has_execution(request)
    run = RunRef(namespace.namespace_id, request.execution.workflow_id, request.execution.run_id)
    reply: ResetStickyTaskQueueResponse = await service.engine.submit(ResetStickyTaskQueue(run))
    return reply
