"""Signals and cancellation requests: what reaches a run from outside."""

from __future__ import annotations

from temporalio.api.common.v1 import Header, Link, Payloads
from temporalio.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionResponse,
    SignalWorkflowExecutionResponse,
)

from engine.core.errors import InvalidArgument, NotFound
from engine.core.events import workflow_execution as events
from engine.core.inputs import RequestCancelWorkflowExecution, SignalWorkflowExecution
from engine.core.policy.links import request_id_link
from engine.core.run import workflow_task
from engine.core.transition import Transition

__all__ = ["add_signal", "on_request_cancel", "on_signal"]


def on_signal(t: Transition, signal: SignalWorkflowExecution) -> SignalWorkflowExecutionResponse:
    """Record a signal and wake the workflow; a request id seen before changes nothing.

    Emits: events WorkflowExecutionSignaled, WorkflowTaskScheduled (unless a start delay or backoff is pending).
    Raises: NotFound for a closed run; InvalidArgument at the limit of signals.
    """
    request = signal.request
    response = SignalWorkflowExecutionResponse(
        link=request_id_link(request.namespace, t.state.workflow_id, t.state.run_id, request.request_id)
    )
    if t.state.has_signal_request(request.request_id):
        return response
    add_signal(
        t,
        request.signal_name,
        request.input if request.HasField("input") else None,
        request.identity,
        request.header if request.HasField("header") else None,
        request.request_id,
        list(request.links),
    )
    return response


def add_signal(
    t: Transition,
    signal_name: str,
    signal_input: Payloads | None,
    identity: str,
    header: Header | None,
    request_id: str,
    links: list[Link],
) -> None:
    """Record a signal in a running run and make sure that a workflow task follows."""
    state = t.state
    if not state.running:
        raise NotFound("workflow execution already completed")
    maximum = t.context.limits.signals_per_execution
    if 0 < maximum <= state.signal_count:
        raise InvalidArgument("exceeded workflow execution limit for signal events")
    if request_id:
        t.add_request_id(request_id, signal=True)
    held_back = state.pending_first_workflow_task_backoff
    event = t.add(events.workflow_execution_signaled(signal_name, signal_input, identity, header, request_id))
    event.links.extend(links)
    if not held_back:
        workflow_task.ensure_scheduled(t)


def on_request_cancel(t: Transition, cancel: RequestCancelWorkflowExecution) -> RequestCancelWorkflowExecutionResponse:
    """Ask the workflow to cancel itself; for a closed run, or asked twice, it changes nothing.

    Emits: events WorkflowExecutionCancelRequested, WorkflowTaskScheduled.
    """
    request, state = cancel.request, t.state
    response = RequestCancelWorkflowExecutionResponse()
    if not state.running:
        return response
    if request.first_execution_run_id and state.started.first_execution_run_id != request.first_execution_run_id:
        raise NotFound("workflow execution not found")
    if state.cancel_requested:
        return response
    event = t.add(events.workflow_execution_cancel_requested(request.reason, request.identity))
    event.links.extend(request.links)
    workflow_task.ensure_scheduled(t)
    return response
