"""Children of a run, from the parent's side: started, closed, and what their parent's close does to them.

Rules (temporal server transfer_queue_active_task_executor.go, recordchildworkflowcompleted):
- A child is addressed by its workflow id and the first run of its chain; the parent hears only of the end of the chain.
- A child that has not started when its parent closes never starts.
- Starting a child, and telling its parent that it has closed, is in one commit with its cause.
"""

from __future__ import annotations

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import command_type_pb2 as ct
from temporalio.api.enums.v1.failed_cause_pb2 import (
    START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND,
    START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS,
)
from temporalio.api.enums.v1.workflow_pb2 import PARENT_CLOSE_POLICY_REQUEST_CANCEL, PARENT_CLOSE_POLICY_TERMINATE
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)

from engine.core.effects import SendToRun
from engine.core.errors import NamespaceNotFound, NotFound
from engine.core.events import child_workflow as events
from engine.core.inputs import (
    ExternalCaller,
    MessageAnswered,
    MessageSender,
    RecordChildWorkflowExecutionClosed,
    RequestCancelWorkflowExecution,
    RunRef,
    StartChildWorkflowExecution,
    TerminateWorkflowExecution,
)
from engine.core.run import workflow_task
from engine.core.run.state import ChildInfo, RunState
from engine.core.transition import Transition

__all__ = ["close_children", "is_child_before_reset", "on_closed", "on_start_answered", "start", "tell_parent"]

_SYSTEM_WORKFLOW_CHILDREN = 10
"""From this many children on, the reference server leaves closing them to a workflow of its own."""

_CHILD_NOT_FOUND = "Pending child execution not found."


def start(t: Transition, initiated_event_id: int) -> None:
    """Ask for the child to be started; its answer goes to `on_start_answered`.

    Emits: effect SendToRun.
    """
    child = t.state.children[initiated_event_id]
    parent = RunRef(t.state.namespace_id, run_key=t.state.run_key)
    t.effects.append(
        SendToRun(
            StartChildWorkflowExecution(parent, initiated_event_id, child.namespace_id, child.workflow_id),
            MessageSender(parent, ct.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION, initiated_event_id),
        )
    )


def is_child_before_reset(current: RunState, parent: RunState, initiated_event_id: int) -> bool:
    """Say whether the parent is a reset run, and the child the one that its base run started before the reset point."""
    started = current.started
    before = WorkflowExecution(workflow_id=parent.workflow_id, run_id=parent.started.original_execution_run_id)
    return (
        initiated_event_id < parent.reset_event_id
        and started.parent_workflow_execution == before
        and started.parent_initiated_event_id == initiated_event_id
    )


def on_start_answered(t: Transition, answered: MessageAnswered) -> None:
    """Record that the child has started, or why it could not.

    Emits: event ChildWorkflowExecutionStarted or StartChildWorkflowExecutionFailed, then WorkflowTaskScheduled.
    """
    child = t.state.children.get(answered.initiated_event_id)
    if not t.state.running or child is None or child.initiated is None:
        raise NotFound(_CHILD_NOT_FOUND)
    initiated = child.initiated.start_child_workflow_execution_initiated_event_attributes
    if answered.error is None:
        t.add(events.child_workflow_execution_started(child.initiated_event_id, initiated, answered.run_id))
    else:
        cause = START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS
        if isinstance(answered.error, NamespaceNotFound):
            cause = START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND
        t.add(events.start_child_workflow_execution_failed(child.initiated_event_id, initiated, cause))
    workflow_task.ensure_scheduled(t)


def on_closed(t: Transition, closed: RecordChildWorkflowExecutionClosed) -> None:
    """Record how a child ended.

    Emits: the event of CHILD_CLOSES, then WorkflowTaskScheduled.
    Raises: NotFound when the child is not this run's, or this run has closed.
    """
    child = t.state.children.get(closed.initiated_event_id)
    if (
        not t.state.running
        or child is None
        or child.started is None
        or child.workflow_id != closed.execution.workflow_id
        or child.started_run_id != closed.first_execution_run_id
    ):
        raise NotFound(_CHILD_NOT_FOUND)
    started = child.started.child_workflow_execution_started_event_attributes
    t.add(events.child_workflow_execution_closed(started, child.started.event_id, closed.execution, closed.close))
    workflow_task.ensure_scheduled(t)


def tell_parent(t: Transition, close: HistoryEvent) -> None:
    """Tell the parent, if there is one, that the last run of this chain has closed with `close`.

    Emits: effect SendToRun.
    """
    state = t.state
    started = state.started
    if not started.HasField("parent_workflow_execution") or state.new_execution_run_id:
        return
    parent = started.parent_workflow_execution
    t.effects.append(
        SendToRun(
            RecordChildWorkflowExecutionClosed(
                RunRef(started.parent_workflow_namespace_id, parent.workflow_id, parent.run_id),
                started.parent_initiated_event_id,
                state.execution,
                started.first_execution_run_id,
                close,
            )
        )
    )


def close_children(t: Transition) -> None:
    """Do to the children of a run that has closed what their parent close policies say.

    Emits: effect SendToRun for each child that is to be terminated or cancelled.
    """
    children = t.state.children
    caller = ExternalCaller(t.state.namespace_id, t.state.execution, child_workflow_only=True)
    identity = "history-service"
    if len(children) >= _SYSTEM_WORKFLOW_CHILDREN:
        identity = "temporal-sys-parent-close-policy-workflow"
    for child in children.values():
        if child.started is None:
            continue
        if child.parent_close_policy == PARENT_CLOSE_POLICY_TERMINATE:
            t.effects.append(SendToRun(_terminate(child, caller, identity)))
        elif child.parent_close_policy == PARENT_CLOSE_POLICY_REQUEST_CANCEL:
            t.effects.append(SendToRun(_request_cancel(child, caller, identity)))


def _terminate(child: ChildInfo, caller: ExternalCaller, identity: str) -> TerminateWorkflowExecution:
    request = TerminateWorkflowExecutionRequest(
        workflow_execution=WorkflowExecution(workflow_id=child.workflow_id),
        first_execution_run_id=child.started_run_id,
        reason="by parent close policy",
        identity=identity,
    )
    return TerminateWorkflowExecution(RunRef(child.namespace_id, child.workflow_id), request, caller)


def _request_cancel(child: ChildInfo, caller: ExternalCaller, identity: str) -> RequestCancelWorkflowExecution:
    request = RequestCancelWorkflowExecutionRequest(
        workflow_execution=WorkflowExecution(workflow_id=child.workflow_id),
        first_execution_run_id=child.started_run_id,
        identity=identity,
    )
    return RequestCancelWorkflowExecution(RunRef(child.namespace_id, child.workflow_id), request, caller)
