"""PollWorkflowExecutionTimeSkipping."""

from __future__ import annotations

from temporalio.api.workflowservice.v1 import (
    PollWorkflowExecutionTimeSkippingRequest,
    PollWorkflowExecutionTimeSkippingResponse,
)

from engine.core.policy.time_skipping import validate_poll_workflow_execution_time_skipping
from engine.service.service import Call, Service, get_namespace

__all__ = ["poll_workflow_execution_time_skipping"]


async def poll_workflow_execution_time_skipping(
    service: Service, request: PollWorkflowExecutionTimeSkippingRequest, call: Call
) -> PollWorkflowExecutionTimeSkippingResponse:
    """Wait for the end of a fast-forward."""
    engine = service.engine
    namespace = get_namespace(service, request.namespace)
    validate_poll_workflow_execution_time_skipping(request, engine.limits)
    state = engine.get_run(namespace, request.workflow_execution)
    timeout_seconds = engine.limits.history_long_poll_interval_ns / 1e9
    return await engine.fast_forward_waiters.poll(state, request.fast_forward_id, timeout_seconds)
