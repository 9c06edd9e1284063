"""StartWorkflowExecution and SignalWithStartWorkflowExecution."""

from __future__ import annotations

from google.protobuf.message import Message
from temporalio.api.workflowservice.v1 import (
    SignalWithStartWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionResponse,
    StartWorkflowExecutionRequest,
)

from engine.core.inputs import SignalWithStartWorkflowExecution, StartWorkflowExecution
from engine.core.namespace import Namespace
from engine.core.policy.fields import validate_blob_size
from engine.core.policy.payloads import remove_unset
from engine.core.policy.start_request import (
    validate_signal_with_start_workflow_execution,
    validate_start_workflow_execution,
)
from engine.core.run.start import StartReply
from engine.core.visibility.search_attributes import SearchAttributeTypes, set_type_metadata
from engine.service.service import Call, Service, get_namespace
from engine.service.wire import append_workflow_task
from engine.service.workflow_service.workflow_tasks import workflow_task_bytes

__all__ = ["complete_start_request", "signal_with_start_workflow_execution", "start_workflow_execution"]


async def start_workflow_execution(
    service: Service, request: StartWorkflowExecutionRequest, call: Call
) -> Message | bytes:
    """Start a workflow, or answer with the one that is there by the id policies; perhaps with its first task."""
    namespace = get_namespace(service, request.namespace, for_start=True)
    complete_start_request(service, request, namespace)
    reply: StartReply = await service.engine.submit(StartWorkflowExecution(namespace.namespace_id, request))
    if reply.eager_task is None:
        return reply.response
    return append_workflow_task(reply.response, workflow_task_bytes(service, reply.eager_task))


async def signal_with_start_workflow_execution(
    service: Service, request: SignalWithStartWorkflowExecutionRequest, call: Call
) -> SignalWithStartWorkflowExecutionResponse:
    """Signal a workflow, starting it if it does not run."""
    engine = service.engine
    namespace = get_namespace(service, request.namespace, for_start=True)
    registered = namespace.custom_search_attributes
    validate_signal_with_start_workflow_execution(
        request, engine.limits, registered=registered, now_ns=engine.env.now_ns()
    )
    validate_blob_size(request.signal_input, engine.limits)
    _complete(service, request, registered)
    reply: SignalWithStartWorkflowExecutionResponse = await engine.submit(
        SignalWithStartWorkflowExecution(namespace.namespace_id, request)
    )
    return reply


def complete_start_request(service: Service, request: StartWorkflowExecutionRequest, namespace: Namespace) -> None:
    """Check a start and set its defaults."""
    registered, engine = namespace.custom_search_attributes, service.engine
    validate_start_workflow_execution(request, engine.limits, registered=registered, now_ns=engine.env.now_ns())
    _complete(service, request, registered)


def _complete(
    service: Service,
    request: StartWorkflowExecutionRequest | SignalWithStartWorkflowExecutionRequest,
    registered: SearchAttributeTypes,
) -> None:
    """Give the request what its event will say: a request id; memo and search attributes that hold something, typed."""
    if not request.request_id:
        request.request_id = service.engine.env.new_id()
    if request.HasField("search_attributes"):
        remove_unset(request.search_attributes.indexed_fields)
        set_type_metadata(request.search_attributes, registered)
        if not request.search_attributes.indexed_fields:
            request.ClearField("search_attributes")
    if request.HasField("memo"):
        remove_unset(request.memo.fields)
        if not request.memo.fields:
            request.ClearField("memo")
