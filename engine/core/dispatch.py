"""Which handler takes which input: the core's front door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio.api.enums.v1 import command_type_pb2 as ct
from temporalio.api.workflowservice.v1 import ResetStickyTaskQueueResponse, TerminateWorkflowExecutionResponse

from engine.core.errors import NotFound
from engine.core.inputs import (
    ActivityTaskDispatched,
    ActivityTaskUndelivered,
    DeadlineDue,
    EndOutgrownRun,
    FailWorkflowTaskCommand,
    MessageAnswered,
    RecordActivityTaskHeartbeat,
    RecordChildWorkflowExecutionClosed,
    RequestCancelWorkflowExecution,
    ResetStickyTaskQueue,
    RespondActivityTaskCanceled,
    RespondActivityTaskCompleted,
    RespondActivityTaskFailed,
    RespondWorkflowTaskCompleted,
    RespondWorkflowTaskFailed,
    SignalWorkflowExecution,
    TerminateWorkflowExecution,
    UpdateWorkflowExecution,
    UpdateWorkflowExecutionOptions,
    WorkflowTaskDispatched,
    WorkflowTaskUndelivered,
)
from engine.core.run import (
    activity_task,
    child_workflow,
    deadlines,
    dispatched,
    external_workflow,
    lifecycle,
    signal,
    skip_time,
    speculative_task,
    update,
    user_timer,
    workflow_options,
    workflow_task,
    workflow_task_completed,
)
from engine.core.run.deadlines import DeadlineKind
from engine.core.transition import Transition

__all__ = ["HANDLERS", "ON_ANSWER", "ON_DEADLINE"]


def terminate(t: Transition, terminate: TerminateWorkflowExecution) -> TerminateWorkflowExecutionResponse:
    """End the run at once.

    Raises: NotFound for a closed run, one of another chain than `first_execution_run_id`, or no child of `external`.
    """
    request, state = terminate.request, t.state
    if not state.running:
        raise NotFound("workflow execution already completed")
    if request.first_execution_run_id and state.started.first_execution_run_id != request.first_execution_run_id:
        raise NotFound("workflow execution not found")
    signal.check_caller(state, terminate.external)
    details = request.details if request.HasField("details") else None
    lifecycle.terminate(t, request.reason, details, request.identity, request.links)
    return TerminateWorkflowExecutionResponse()


def reset_sticky_task_queue(t: Transition, reset: ResetStickyTaskQueue) -> ResetStickyTaskQueueResponse:
    """Forget the run's sticky queue, so that its next task goes to the normal one, and a speculative one too."""
    if not t.state.running:
        raise NotFound("workflow execution already completed")
    t.state.sticky_task_queue = ""
    t.touched = True
    speculative_task.leave_sticky_queue(t)
    return ResetStickyTaskQueueResponse()


def end_outgrown_run(t: Transition, end: EndOutgrownRun) -> None:
    """Terminate the run."""
    if t.state.running:
        lifecycle.terminate(t, end.reason, None, "history-service")


def message_answered(t: Transition, answered: MessageAnswered) -> None:
    """Act on the answer to a message that this run sent."""
    ON_ANSWER[answered.command_type](t, answered)


def deadline_due(t: Transition, due: DeadlineDue) -> int | None:
    """Act on every deadline of the run that has passed, the earliest first; return when to look at it next."""
    while (entry := deadlines.take_due(t.state, t.now_ns)) is not None:
        kind, event_id, key = entry
        ON_DEADLINE[kind](t, event_id, key)
    return deadlines.next_deadline_ns(t.state)


ON_DEADLINE: dict[DeadlineKind, Callable[[Transition, int, str], None]] = {
    DeadlineKind.FAST_FORWARD: skip_time.fast_forward_due,
    DeadlineKind.FIRST_WORKFLOW_TASK: lifecycle.first_workflow_task_due,
    DeadlineKind.USER_TIMER: user_timer.fired,
    DeadlineKind.ACTIVITY_RETRY: activity_task.retry_due,
    DeadlineKind.ACTIVITY_SCHEDULE_TO_START: activity_task.timed_out(DeadlineKind.ACTIVITY_SCHEDULE_TO_START),
    DeadlineKind.ACTIVITY_SCHEDULE_TO_CLOSE: activity_task.timed_out(DeadlineKind.ACTIVITY_SCHEDULE_TO_CLOSE),
    DeadlineKind.ACTIVITY_START_TO_CLOSE: activity_task.timed_out(DeadlineKind.ACTIVITY_START_TO_CLOSE),
    DeadlineKind.ACTIVITY_HEARTBEAT: activity_task.timed_out(DeadlineKind.ACTIVITY_HEARTBEAT),
    DeadlineKind.WORKFLOW_TASK_SCHEDULE_TO_START: workflow_task.schedule_to_start_timed_out,
    DeadlineKind.WORKFLOW_TASK_START_TO_CLOSE: workflow_task.start_to_close_timed_out,
    DeadlineKind.WORKFLOW_RUN_TIMEOUT: lifecycle.run_timed_out,
    DeadlineKind.WORKFLOW_EXECUTION_TIMEOUT: lifecycle.run_timed_out,
}

ON_ANSWER: dict[int, Callable[[Transition, MessageAnswered], None]] = {
    ct.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION: child_workflow.on_start_answered,
    ct.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: external_workflow.on_signal_answered,
    ct.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION: external_workflow.on_request_cancel_answered,
}

HANDLERS: dict[type, Callable[[Transition, Any], Any]] = {
    SignalWorkflowExecution: signal.on_signal,
    RequestCancelWorkflowExecution: signal.on_request_cancel,
    TerminateWorkflowExecution: terminate,
    UpdateWorkflowExecutionOptions: workflow_options.on_update,
    MessageAnswered: message_answered,
    RecordChildWorkflowExecutionClosed: child_workflow.on_closed,
    UpdateWorkflowExecution: update.on_update,
    WorkflowTaskDispatched: dispatched.on_workflow_task_dispatched,
    RespondWorkflowTaskCompleted: workflow_task_completed.on_completed,
    FailWorkflowTaskCommand: workflow_task_completed.on_bad_command,
    EndOutgrownRun: end_outgrown_run,
    RespondWorkflowTaskFailed: workflow_task_completed.on_failed,
    ResetStickyTaskQueue: reset_sticky_task_queue,
    ActivityTaskDispatched: dispatched.on_activity_task_dispatched,
    RespondActivityTaskCompleted: activity_task.on_completed,
    RespondActivityTaskFailed: activity_task.on_failed,
    RespondActivityTaskCanceled: activity_task.on_canceled,
    RecordActivityTaskHeartbeat: activity_task.on_heartbeat,
    WorkflowTaskUndelivered: workflow_task.on_undelivered,
    ActivityTaskUndelivered: activity_task.on_undelivered,
    DeadlineDue: deadline_due,
}
"""Inputs to one existing run. Starts are addressed to a workflow id and go to `run.start`."""
