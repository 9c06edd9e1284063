"""Starting by workflow id: dedupe by request id, start, signal-with-start, and a child's start.

Rules (temporal server startworkflow, signalwithstartworkflow):
- A request id that started the current run gets that run as its answer again.
- Termination of the old run and start of the new one are in one commit.
- An eager start hands the first workflow task to the starter, with the reply; the same start again gets it again, as
  long as it is not answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from temporalio.api.common.v1 import TimeSkippingStatePropagation
from temporalio.api.enums.v1.event_type_pb2 import EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED
from temporalio.api.enums.v1.workflow_pb2 import (
    CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE,
    WORKFLOW_EXECUTION_STATUS_RUNNING,
    WORKFLOW_ID_CONFLICT_POLICY_FAIL,
    WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
    WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
)
from temporalio.api.history.v1 import (
    HistoryEvent,
    WorkflowExecutionStartedEventAttributes,
)
from temporalio.api.workflowservice.v1 import (
    SignalWithStartWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionResponse,
    StartWorkflowExecutionRequest,
    StartWorkflowExecutionResponse,
)

from engine.core.errors import NotFound
from engine.core.events.workflow_execution import workflow_execution_options_updated
from engine.core.policy.cron import next_cron_backoff
from engine.core.policy.durations import NANOS_PER_SECOND, duration_to_ns, ns_to_duration, ns_to_timestamp
from engine.core.policy.links import request_id_link, started_link
from engine.core.policy.priority import merge_priority
from engine.core.run import child_workflow, lifecycle, workflow_task
from engine.core.run.id_policies import StartRequest, already_started, resolve_policies, terminate_current
from engine.core.run.signal import add_signal
from engine.core.run.state import SIGNAL_REQUEST, RunState
from engine.core.run.workflow_task import StartedWorkflowTask
from engine.core.transition import Context, Transition

__all__ = ["StartReply", "Started", "signal_with_start_workflow", "start_child_workflow", "start_workflow"]

Reply = TypeVar("Reply")

_FIRST_TASK_STARTED_EVENT_ID = 3

_COPIED_FROM_REQUEST = (
    "workflow_type",
    "input",
    "workflow_execution_timeout",
    "workflow_run_timeout",
    "workflow_task_timeout",
    "retry_policy",
    "memo",
    "search_attributes",
    "header",
    "last_completion_result",
    "continued_failure",
    "priority",
    "time_skipping_config",
)


_COPIED_FROM_INITIATED = (
    "workflow_type",
    "task_queue",
    "input",
    "workflow_execution_timeout",
    "workflow_run_timeout",
    "workflow_task_timeout",
    "retry_policy",
    "memo",
    "search_attributes",
    "header",
    "time_skipping_config",
)


@dataclass(slots=True)
class Started(Generic[Reply]):
    """The answer to a start, and the transitions that it takes (none when nothing changed)."""

    reply: Reply
    transitions: list[Transition] = field(default_factory=list)


@dataclass(slots=True)
class StartReply:
    """The answer to a start; with an eager one, the first workflow task."""

    response: StartWorkflowExecutionResponse
    eager_task: StartedWorkflowTask | None = None


def start_workflow(
    context: Context,
    current: RunState | None,
    request: StartWorkflowExecutionRequest,
    prepare: Callable[[Transition], None] | None = None,
) -> Started[StartReply]:
    """Start a run, or answer with the one that is there.

    Args:
        current: the newest run of the workflow id, if any.
        prepare: what to do with a new run before anything else changes; it may refuse.
    Raises: WorkflowExecutionAlreadyStarted by the id policies.
    """
    if current is not None:
        if request.request_id == current.start_request_id:
            eager_task = _first_task_again(current) if request.request_eager_execution else None
            return Started(StartReply(_response(current, started=True), eager_task))
        if current.request_ids.get(request.request_id, SIGNAL_REQUEST) != SIGNAL_REQUEST:
            return Started(StartReply(_attached_response(current, request.request_id)))
        if resolve_policies(current, request) == WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING:
            return _use_existing(context, current, request)
    run_id = context.env.new_id()
    t = _create(context, request, run_id)
    eager_task = None
    if t.state.started.eager_execution_accepted:
        workflow_task.schedule(t, enqueue=False)
        eager_task = workflow_task.record_started(t, request.request_id, request.identity, None)
    else:
        lifecycle.schedule_first_workflow_task(t)
    if prepare is not None:
        prepare(t)
    transitions = terminate_current(context, current, run_id)
    return Started(StartReply(_response(t.state, started=True), eager_task), [*transitions, t])


def signal_with_start_workflow(
    context: Context, current: RunState | None, request: SignalWithStartWorkflowExecutionRequest
) -> Started[SignalWithStartWorkflowExecutionResponse]:
    """Signal the running execution, or start one whose first event after the start is the signal.

    Raises: WorkflowExecutionAlreadyStarted by the id policies; InvalidArgument at the limit of signals.
    """
    transitions: list[Transition] = []
    if current is not None:
        conflict = request.workflow_id_conflict_policy
        if current.running and conflict not in (
            WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
            WORKFLOW_ID_CONFLICT_POLICY_FAIL,
        ):
            return _signal_existing(context, current, request)
        if not current.running and request.request_id and request.request_id == current.start_request_id:
            return Started(_signal_response(current, request, started=True))
        resolve_policies(current, request)
    run_id = context.env.new_id()
    transitions += terminate_current(context, current, run_id)
    t = _create(context, request, run_id)
    _add_signal(t, request)
    if t.state.workflow_task is None:
        lifecycle.schedule_first_workflow_task(t)
    return Started(_signal_response(t.state, request, started=True), [*transitions, t])


def start_child_workflow(
    context: Context, current: RunState | None, parent: RunState, initiated_event_id: int
) -> Started[str]:
    """Start the child that `parent` has initiated; the reply is its run id.

    Args:
        context: of the child's namespace.
        current: the newest run of the child's workflow id, if any.
    Raises: WorkflowExecutionAlreadyStarted by the id policies; NotFound when the parent does not wait for it any more.
    """
    child = parent.children.get(initiated_event_id)
    if not parent.running or child is None or child.initiated is None:
        raise NotFound("Pending child execution not found.")
    request = _child_request(context, parent, child.initiated)
    if current is not None and current.run_key == parent.run_key:
        # Nor by terminate-if-running: the child of nobody would be left.
        raise already_started("Workflow execution is already running.", parent)
    if current is not None and child_workflow.is_child_before_reset(current, parent, initiated_event_id):
        return Started(current.started.first_execution_run_id)
    if current is not None:
        resolve_policies(current, request)
    run_id = context.env.new_id()
    transitions = terminate_current(context, current, run_id)
    t = _create(context, request, run_id, parent, initiated_event_id)
    lifecycle.schedule_first_workflow_task(t)
    return Started(run_id, [*transitions, t])


def _child_request(context: Context, parent: RunState, initiated_event: HistoryEvent) -> StartWorkflowExecutionRequest:
    """Return the start that a child's initiated event asks for."""
    initiated = initiated_event.start_child_workflow_execution_initiated_event_attributes
    request = StartWorkflowExecutionRequest(
        namespace=context.namespace.name,
        workflow_id=initiated.workflow_id,
        request_id=f"{parent.run_id}:{initiated_event.event_id}:0",
        workflow_id_reuse_policy=initiated.workflow_id_reuse_policy,
        cron_schedule=initiated.cron_schedule,
        user_metadata=initiated_event.user_metadata if initiated_event.HasField("user_metadata") else None,
    )
    for name in _COPIED_FROM_INITIATED:
        if initiated.HasField(name):  # type: ignore[arg-type]
            getattr(request, name).CopyFrom(getattr(initiated, name))
    priority = merge_priority(parent.priority, initiated.priority if initiated.HasField("priority") else None)
    if priority is not None:
        request.priority.CopyFrom(priority)
    return request


def _use_existing(context: Context, current: RunState, request: StartWorkflowExecutionRequest) -> Started[StartReply]:
    """Answer with the running execution, which may remember this request.

    Emits: event WorkflowExecutionOptionsUpdated when the request asks to be attached, or its links.
    """
    options = request.on_conflict_options
    if not options.attach_request_id and not options.attach_links:
        return Started(StartReply(_response(current, started=False)))
    t = Transition(context, current)
    event = t.add(workflow_execution_options_updated(request.request_id if options.attach_request_id else ""))
    if options.attach_links:
        event.links.extend(request.links)
    if not options.attach_request_id:
        return Started(StartReply(_response(current, started=False)), [t])
    t.add_request_id(request.request_id)
    return Started(StartReply(_attached_response(current, request.request_id)), [t])


def _first_task_again(state: RunState) -> StartedWorkflowTask | None:
    """Return the first workflow task of a run while somebody has it."""
    task = state.workflow_task
    if task is None or task.started_event_id != _FIRST_TASK_STARTED_EVENT_ID or task.unwritten:
        return None
    return workflow_task.started_reply(state, task, (), has_history=False)


def _attached_response(state: RunState, request_id: str) -> StartWorkflowExecutionResponse:
    response = _response(state, started=False)
    response.link.CopyFrom(
        request_id_link(
            state.namespace,
            state.workflow_id,
            state.run_id,
            request_id,
            EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
        )
    )
    return response


def _signal_existing(
    context: Context, current: RunState, request: SignalWithStartWorkflowExecutionRequest
) -> Started[SignalWithStartWorkflowExecutionResponse]:
    response = _signal_response(current, request, started=False)
    if current.has_signal_request(request.request_id):
        response.started = request.request_id == current.start_request_id
        return Started(response)
    t = Transition(context, current)
    _add_signal(t, request)
    # Unlike a mere signal it does not wait for the end of a start delay or backoff.
    workflow_task.ensure_scheduled(t)
    return Started(response, [t])


def _add_signal(t: Transition, request: SignalWithStartWorkflowExecutionRequest) -> None:
    add_signal(
        t,
        request.signal_name,
        request.signal_input if request.HasField("signal_input") else None,
        request.identity,
        request.header if request.HasField("header") else None,
        request.request_id,
        list(request.links),
    )


def _create(
    context: Context,
    request: StartRequest,
    run_id: str,
    parent: RunState | None = None,
    initiated_event_id: int = 0,
) -> Transition:
    propagation = None if parent is None else _time_skipping_propagation(parent, initiated_event_id)
    skipped_ns = 0 if propagation is None else duration_to_ns(propagation.initial_skipped_duration)
    attributes = _started_attributes(request, run_id, context.env.now_ns() + skipped_ns)
    if isinstance(request, StartWorkflowExecutionRequest) and request.request_eager_execution:
        held_back = duration_to_ns(attributes.first_workflow_task_backoff) != 0
        attributes.eager_execution_accepted = context.limits.eager_workflow_start and not held_back
    if parent is not None:
        attributes.parent_workflow_namespace = parent.namespace
        attributes.parent_workflow_namespace_id = parent.namespace_id
        attributes.parent_workflow_execution.CopyFrom(parent.execution)
        attributes.parent_initiated_event_id = initiated_event_id
        attributes.root_workflow_execution.CopyFrom(parent.root_execution)
    if propagation is not None:
        attributes.time_skipping_state_propagation.CopyFrom(propagation)
    return lifecycle.create_run(
        context,
        request.workflow_id,
        run_id,
        attributes,
        links=request.links,
        user_metadata=request.user_metadata if request.HasField("user_metadata") else None,
        request_id=request.request_id,
    )


def _time_skipping_propagation(parent: RunState, initiated_event_id: int) -> TimeSkippingStatePropagation | None:
    """Return what the child's time begins with: its parent's when it was initiated."""
    initiated_event = parent.children[initiated_event_id].initiated
    if initiated_event is None:
        return None
    initiated = initiated_event.start_child_workflow_execution_initiated_event_attributes
    if not initiated.HasField("time_skipping_state_propagation"):
        return None
    return initiated.time_skipping_state_propagation


def _started_attributes(request: StartRequest, run_id: str, now_ns: int) -> WorkflowExecutionStartedEventAttributes:
    attributes = WorkflowExecutionStartedEventAttributes(
        workflow_id=request.workflow_id,
        task_queue=request.task_queue,
        identity=request.identity,
        original_execution_run_id=run_id,
        first_execution_run_id=run_id,
        attempt=1,
        cron_schedule=request.cron_schedule,
    )
    fields = request.DESCRIPTOR.fields_by_name
    for name in _COPIED_FROM_REQUEST:
        if name in fields and request.HasField(name):  # type: ignore[arg-type]
            getattr(attributes, name).CopyFrom(getattr(request, name))
    backoff_ns = 0
    if request.cron_schedule:
        attributes.initiator = CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE
        backoff_ns = next_cron_backoff(request.cron_schedule, now_ns, now_ns) or 0
    if duration_to_ns(request.workflow_start_delay):
        backoff_ns = duration_to_ns(request.workflow_start_delay)
    attributes.first_workflow_task_backoff.CopyFrom(ns_to_duration(backoff_ns))
    execution_timeout_ns = duration_to_ns(request.workflow_execution_timeout)
    if execution_timeout_ns:
        millisecond = NANOS_PER_SECOND // 1000
        expiration_ns = (now_ns + execution_timeout_ns + millisecond // 2) // millisecond * millisecond
        attributes.workflow_execution_expiration_time.CopyFrom(ns_to_timestamp(expiration_ns))
    return attributes


def _response(state: RunState, *, started: bool) -> StartWorkflowExecutionResponse:
    return StartWorkflowExecutionResponse(
        run_id=state.run_id,
        first_execution_run_id=state.started.first_execution_run_id,
        started=started,
        status=state.status or WORKFLOW_EXECUTION_STATUS_RUNNING,  # type: ignore[arg-type]
        link=started_link(state.namespace, state.workflow_id, state.run_id),
    )


def _signal_response(
    state: RunState, request: SignalWithStartWorkflowExecutionRequest, *, started: bool
) -> SignalWithStartWorkflowExecutionResponse:
    return SignalWithStartWorkflowExecutionResponse(
        run_id=state.run_id,
        first_execution_run_id=state.started.first_execution_run_id,
        started=started,
        signal_link=request_id_link(state.namespace, state.workflow_id, state.run_id, request.request_id),
    )
