"""Histories, a page at a time, forward and backward, and long polls for what comes next.

Rules:
- A page token names the run and the event to go on with; a run that goes on meanwhile is read as far as it is then.
- With `wait_new_event` the token stays as long as the run is open, and a call with it waits for news.
- The last page of a run whose workflow task is a further attempt, or a speculative one, ends with that task's events,
  as its worker sees them; they are not stored. The official CLI and UI don't expect them and don't get them.
"""

from __future__ import annotations

import struct

from google.protobuf.message import Message
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1.workflow_pb2 import HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryResponse,
    GetWorkflowExecutionHistoryReverseRequest,
    GetWorkflowExecutionHistoryReverseResponse,
)

from engine.core.errors import InvalidArgument
from engine.core.namespace import Namespace
from engine.core.policy.client_requests import (
    validate_get_workflow_execution_history,
    validate_get_workflow_execution_history_reverse,
)
from engine.core.run.state import RunState
from engine.core.run.unwritten_task import unwritten_events
from engine.service.service import Call, Service, get_namespace, long_poll_seconds
from engine.service.wire import with_history
from engine.service.workflow_service.close_event import close_event_for

__all__ = ["encode_token", "get_workflow_execution_history", "get_workflow_execution_history_reverse"]

_TOKEN = struct.Struct(">c36sQ")
_FORWARD, _BACKWARD = b"f", b"b"
_WITHOUT_UNWRITTEN_EVENTS = ("temporal-cli", "temporal-ui")


async def get_workflow_execution_history(
    service: Service, request: GetWorkflowExecutionHistoryRequest, call: Call
) -> Message | bytes:
    """Return a page of a run's history; see the module's rules."""
    namespace = get_namespace(service, request.namespace)
    validate_get_workflow_execution_history(request, service.engine.limits)
    first_event_id = _apply_token(request.execution, request.next_page_token, _FORWARD) or 1
    state = service.engine.get_run(namespace, request.execution)
    close_only = request.history_event_filter_type == HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
    if request.wait_new_event and state.running and (close_only or first_event_id >= state.next_event_id):
        state = await _wait(service, namespace, state, first_event_id, close_only, call)
    if close_only:
        return _close_event(service, state, call, wait=request.wait_new_event)
    next_event_id = min(first_event_id + request.maximum_page_size, state.next_event_id)
    events = _load(service, state, first_event_id, next_event_id) if first_event_id < next_event_id else []
    last_page = next_event_id >= state.next_event_id
    if events and last_page:
        events += _unstored_events(state, call)
    response = GetWorkflowExecutionHistoryResponse()
    if not last_page or (request.wait_new_event and state.running):
        response.next_page_token = encode_token(state.run_id, next_event_id)
    return with_history(response, events)


async def get_workflow_execution_history_reverse(
    service: Service, request: GetWorkflowExecutionHistoryReverseRequest, call: Call
) -> Message | bytes:
    """Return a page of a run's history, the newest event first."""
    namespace = get_namespace(service, request.namespace)
    validate_get_workflow_execution_history_reverse(request, service.engine.limits)
    last_event_id = _apply_token(request.execution, request.next_page_token, _BACKWARD)
    state = service.engine.get_run(namespace, request.execution)
    last_event_id = last_event_id or state.next_event_id - 1
    events = service.reads.load_events_reverse(state.run_key, last_event_id, request.maximum_page_size)
    response = GetWorkflowExecutionHistoryReverseResponse()
    if events and last_event_id > len(events):
        response.next_page_token = encode_token(state.run_id, last_event_id - len(events), _BACKWARD)
    return with_history(response, events)


def encode_token(run_id: str, event_id: int, direction: bytes = _FORWARD) -> bytes:
    """Make a page token: the run and the event to go on with."""
    return _TOKEN.pack(direction, run_id.encode(), event_id)


def _apply_token(execution: WorkflowExecution, token: bytes, direction: bytes) -> int:
    """Address the token's run and return its event id; 0 without a token."""
    if not token:
        return 0
    try:
        kind, run_id, event_id = _TOKEN.unpack(token)
    except struct.error:
        kind, run_id, event_id = b"", b"", 0
    if kind != direction or not 1 <= event_id < 1 << 63:
        raise InvalidArgument("Invalid NextPageToken.")
    token_run_id = run_id.decode(errors="replace")
    if execution.run_id and execution.run_id != token_run_id:
        raise InvalidArgument("RunId in the request does not match the NextPageToken.")
    execution.run_id = token_run_id
    return int(event_id)


async def _wait(
    service: Service, namespace: Namespace, state: RunState, next_event_id: int, close_only: bool, call: Call
) -> RunState:
    """Wait for news of a run; return its state then."""
    engine = service.engine
    seconds = long_poll_seconds(call, engine.limits.history_long_poll_interval_ns)
    await engine.wait_for_history(state, next_event_id, seconds, close_only=close_only)
    return engine.get_run(namespace, WorkflowExecution(workflow_id=state.workflow_id, run_id=state.run_id))


def _close_event(service: Service, state: RunState, call: Call, *, wait: bool) -> bytes:
    response = GetWorkflowExecutionHistoryResponse()
    if not state.running:
        events = _load(service, state, state.next_event_id - 1, state.next_event_id)
        return with_history(response, [close_event_for(call, state, event) for event in events])
    if wait:
        response.next_page_token = encode_token(state.run_id, state.next_event_id)
    return with_history(response, [])


def _load(service: Service, state: RunState, first_event_id: int, next_event_id: int) -> list[bytes]:
    if first_event_id >= state.tail_first_event_id:
        return service.engine.load_history(state, first_event_id, next_event_id)
    return service.reads.load_events(state.run_key, first_event_id, next_event_id)


def _unstored_events(state: RunState, call: Call) -> list[bytes]:
    """Return the events of a pending task that has none in the history, as far as it has come."""
    task = state.workflow_task
    if task is None or not task.unwritten or task.scheduled_event_id != state.next_event_id:
        return []
    for key, value in call.invocation_metadata() or ():
        if key == "client-name" and value in _WITHOUT_UNWRITTEN_EVENTS:
            return []
    events = unwritten_events(state, task)
    if task.started:
        events[1].workflow_task_started_event_attributes.ClearField("identity")
    return [event.SerializeToString() for event in events]
