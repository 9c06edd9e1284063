"""Signals and cancellation requests that a run sends to other workflows, from the sender's side.

Rules (temporal server transfer_queue_active_task_executor.go):
- A workflow can't reach itself: that counts as not found, whatever the run id (run/signal.py).
- The target gets the message, and the sender its answer, in one commit with the command.
"""

from __future__ import annotations

from temporalio.api.enums.v1 import command_type_pb2 as ct
from temporalio.api.enums.v1 import failed_cause_pb2 as fc
from temporalio.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
)

from engine.core.effects import SendToRun
from engine.core.errors import InvalidArgument, NamespaceNotFound, NotFound
from engine.core.events import external_workflow as events
from engine.core.inputs import (
    ExternalCaller,
    MessageAnswered,
    MessageSender,
    RequestCancelWorkflowExecution,
    RunRef,
    SignalWorkflowExecution,
)
from engine.core.namespace import Namespace
from engine.core.run import workflow_task
from engine.core.transition import Transition

__all__ = ["on_request_cancel_answered", "on_signal_answered", "request_cancel", "signal"]

_NOT_PENDING = "Pending request to another workflow not found."


def signal(t: Transition, initiated_event_id: int) -> None:
    """Send a signal; its answer goes to `on_signal_answered`.

    Emits: effect SendToRun.
    """
    initiated = t.state.external_signals[initiated_event_id]
    target = initiated.workflow_execution
    request = SignalWorkflowExecutionRequest(
        namespace=initiated.namespace or t.context.namespace.name,
        workflow_execution=target,
        signal_name=initiated.signal_name,
        input=initiated.input if initiated.HasField("input") else None,
        header=initiated.header if initiated.HasField("header") else None,
        identity="history-service",
        request_id=t.context.env.new_id(),
        control=initiated.control,
    )
    caller = ExternalCaller(t.state.namespace_id, t.state.execution, initiated_event_id, initiated.child_workflow_only)
    run = RunRef(initiated.namespace_id, target.workflow_id, target.run_id)
    sender = _sender(t, ct.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION, initiated_event_id)
    t.effects.append(SendToRun(SignalWorkflowExecution(run, request, caller), sender))


def request_cancel(t: Transition, initiated_event_id: int) -> None:
    """Send a cancellation request; its answer goes to `on_request_cancel_answered`.

    Emits: effect SendToRun.
    """
    initiated = t.state.external_cancels[initiated_event_id]
    target = initiated.workflow_execution
    request = RequestCancelWorkflowExecutionRequest(
        workflow_execution=target, identity="history-service", reason=initiated.reason
    )
    caller = ExternalCaller(t.state.namespace_id, t.state.execution, initiated_event_id, initiated.child_workflow_only)
    run = RunRef(initiated.namespace_id, target.workflow_id, target.run_id)
    sender = _sender(t, ct.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION, initiated_event_id)
    t.effects.append(SendToRun(RequestCancelWorkflowExecution(run, request, caller), sender))


def on_signal_answered(t: Transition, answered: MessageAnswered) -> None:
    """Record that a signal has arrived, or why it could not.

    Emits: event ExternalWorkflowExecutionSignaled or SignalExternalWorkflowExecutionFailed, then
        WorkflowTaskScheduled.
    """
    initiated = t.state.external_signals.get(answered.initiated_event_id)
    if not t.state.running or initiated is None:
        raise NotFound(_NOT_PENDING)
    namespace = _target_namespace(t, initiated.namespace, initiated.namespace_id)
    if answered.error is None:
        t.add(events.external_workflow_execution_signaled(answered.initiated_event_id, initiated, namespace))
    else:
        cause = fc.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND
        if isinstance(answered.error, NamespaceNotFound):
            cause = fc.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND
        elif isinstance(answered.error, InvalidArgument):
            cause = fc.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED
        t.add(
            events.signal_external_workflow_execution_failed(answered.initiated_event_id, initiated, namespace, cause)
        )
    workflow_task.ensure_scheduled(t)


def on_request_cancel_answered(t: Transition, answered: MessageAnswered) -> None:
    """Record that a cancellation request has arrived, or why it could not.

    Emits: event ExternalWorkflowExecutionCancelRequested or RequestCancelExternalWorkflowExecutionFailed, then
        WorkflowTaskScheduled.
    """
    initiated = t.state.external_cancels.get(answered.initiated_event_id)
    if not t.state.running or initiated is None:
        raise NotFound(_NOT_PENDING)
    namespace = _target_namespace(t, initiated.namespace, initiated.namespace_id)
    if answered.error is None:
        t.add(events.external_workflow_execution_cancel_requested(answered.initiated_event_id, initiated, namespace))
    else:
        cause = fc.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND
        if isinstance(answered.error, NamespaceNotFound):
            cause = fc.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND
        t.add(
            events.request_cancel_external_workflow_execution_failed(
                answered.initiated_event_id, initiated, namespace, cause
            )
        )
    workflow_task.ensure_scheduled(t)


def _sender(t: Transition, command_type: int, initiated_event_id: int) -> MessageSender:
    return MessageSender(RunRef(t.state.namespace_id, run_key=t.state.run_key), command_type, initiated_event_id)


def _target_namespace(t: Transition, name: str, namespace_id: str) -> Namespace:
    """Return the namespace that the message went to; one that is gone by its id and its name."""
    found = t.context.find_namespace(name) if name else t.context.namespace
    return found or Namespace(0, namespace_id, name)
