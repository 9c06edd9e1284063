"""Signals and cancellation requests: what reaches a run from outside."""

from __future__ import annotations

from temporalio.api.common.v1 import Header, Link, Payloads
from temporalio.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionResponse,
    SignalWorkflowExecutionResponse,
)

from engine.core.errors import InvalidArgument, NotFound, WorkflowClosing
from engine.core.events import workflow_execution as events
from engine.core.inputs import ExternalCaller, RequestCancelWorkflowExecution, SignalWorkflowExecution
from engine.core.policy.links import request_id_link
from engine.core.run import workflow_task
from engine.core.run.state import RunState
from engine.core.transition import Transition

__all__ = ["add_signal", "check_caller", "on_request_cancel", "on_signal"]


def on_signal(t: Transition, signal: SignalWorkflowExecution) -> SignalWorkflowExecutionResponse:
    """Record a signal and wake the workflow; a request id seen before changes nothing.

    Emits: events WorkflowExecutionSignaled, WorkflowTaskScheduled (unless a start delay or backoff is pending).
    Raises: NotFound for a closed run, or one that is no child of `external`; InvalidArgument at the limit of signals.
    """
    _refuse_itself(t.state, signal.external)
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
        external=signal.external,
    )
    return response


def _refuse_itself(state: RunState, external: ExternalCaller | None) -> None:
    """Refuse what a workflow sends to its own id.

    Raises: NotFound.
    """
    if external is not None and (external.namespace_id, external.execution.workflow_id) == (
        state.namespace_id,
        state.workflow_id,
    ):
        raise NotFound("workflow execution not found")


def check_caller(state: RunState, external: ExternalCaller | None) -> None:
    """Refuse a caller that may reach only its children when the run is none of them.

    Raises: NotFound.
    """
    if external is None or not external.child_workflow_only:
        return
    if state.started.parent_workflow_execution != external.execution:
        raise NotFound("workflow parent does not match")


def add_signal(
    t: Transition,
    signal_name: str,
    signal_input: Payloads | None,
    identity: str,
    header: Header | None,
    request_id: str,
    links: list[Link],
    *,
    external: ExternalCaller | None = None,
) -> None:
    """Record a signal in a running run and make sure that a workflow task follows."""
    state = t.state
    if not state.running:
        raise NotFound("workflow execution already completed")
    maximum = t.context.limits.signals_per_execution
    if 0 < maximum <= state.signal_count:
        raise InvalidArgument("exceeded workflow execution limit for signal events")
    if state.close_attempted and state.workflow_task_started and external is None:
        # Another workflow could not try again.
        raise WorkflowClosing
    check_caller(state, external)
    if request_id and external is None:
        # Another run's signal comes once: it is in the commit of the command that sent it.
        t.add_request_id(request_id, signal=True)
    held_back = state.pending_first_workflow_task_backoff
    event = t.add(events.workflow_execution_signaled(signal_name, signal_input, identity, header, request_id))
    if external is not None:
        event.workflow_execution_signaled_event_attributes.external_workflow_execution.CopyFrom(external.execution)
    event.links.extend(links)
    if not held_back:
        workflow_task.ensure_scheduled(t)


def on_request_cancel(t: Transition, cancel: RequestCancelWorkflowExecution) -> RequestCancelWorkflowExecutionResponse:
    """Ask the workflow to cancel itself; for a closed run, or asked twice, it changes nothing.

    Emits: events WorkflowExecutionCancelRequested, WorkflowTaskScheduled.
    """
    _refuse_itself(t.state, cancel.external)
    request, state = cancel.request, t.state
    response = RequestCancelWorkflowExecutionResponse()
    if not state.running:
        return response
    if request.first_execution_run_id and state.started.first_execution_run_id != request.first_execution_run_id:
        raise NotFound("workflow execution not found")
    check_caller(state, cancel.external)
    if state.cancel_requested:
        return response
    event = t.add(events.workflow_execution_cancel_requested(request.reason, request.identity))
    if cancel.external is not None:
        attributes = event.workflow_execution_cancel_requested_event_attributes
        attributes.external_initiated_event_id = cancel.external.initiated_event_id
        attributes.external_workflow_execution.CopyFrom(cancel.external.execution)
    event.links.extend(request.links)
    workflow_task.ensure_scheduled(t)
    return response
