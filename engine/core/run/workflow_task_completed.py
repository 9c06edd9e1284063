"""What a worker answers to a workflow task: completed with commands, or failed.

Rules (temporal server respondworkflowtaskcompleted):
- The sequence of commands is checked before anything changes; each command is validated before it is applied.
- A bad command raises FailWorkflowTask: the runtime throws this transition away, reloads the run and comes back with
  `FailWorkflowTaskCommand`, so that nothing of the completion stays.
- A repeated bad completion (attempt > 1) is dropped, so that the time-out paces the retries.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE,
    WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
)
from temporalio.api.failure.v1 import Failure, ServerFailureInfo

from engine.core.commands import handle_command, validate_sequence
from engine.core.commands.work import CommandWork
from engine.core.effects import AnswerQueries
from engine.core.errors import InvalidArgument, NotFound
from engine.core.events import workflow_task as events
from engine.core.inputs import FailWorkflowTaskCommand, RespondWorkflowTaskCompleted, RespondWorkflowTaskFailed
from engine.core.policy.durations import duration_to_ns
from engine.core.policy.query_results import check_query_results
from engine.core.run import activity_task, lifecycle, workflow_task
from engine.core.run.activity_task import StartedActivityTask
from engine.core.run.event_batches import INLINE_REQUEST_ID
from engine.core.run.state import WorkflowTask
from engine.core.run.workflow_task import StartedWorkflowTask
from engine.core.transition import Transition

__all__ = ["CompletedReply", "on_bad_command", "on_completed", "on_failed"]


@dataclass(slots=True)
class CompletedReply:
    """What the completing worker gets back; `error` is raised to it after the commit."""

    new_workflow_task: StartedWorkflowTask | None = None
    activity_tasks: list[StartedActivityTask] = field(default_factory=list)
    error: Exception | None = None


def on_completed(t: Transition, completed: RespondWorkflowTaskCompleted) -> CompletedReply:
    """Complete the task and carry out its commands.

    Emits: event WorkflowTaskCompleted and the commands' events; the next workflow task if something waits.
    Raises: NotFound for a stale token; InvalidArgument for a bad sequence; FailWorkflowTask for a bad command.
    """
    state, request = t.state, completed.request
    task = workflow_task.check_token(state, completed.token)
    validate_sequence(list(request.commands))
    if _heartbeats_for_too_long(t, task, completed):
        return _time_out_heartbeat(t, task)
    original_scheduled_time_ns = task.original_scheduled_time_ns
    workflow_task.write_transient_events(t, task)
    task = state.workflow_task or task
    before = (state.worker_version, state.auto_reset_points, state.search_attributes.get("BuildIds"))
    event = t.add(events.workflow_task_completed(task.scheduled_event_id, task.started_event_id, request))
    if before != (state.worker_version, state.auto_reset_points, state.search_attributes.get("BuildIds")):
        t.search_attributes_changed = True
    _set_stickiness(t, completed)
    work = CommandWork(t, event.event_id, request.identity, bool(state.buffered))
    for command in request.commands:
        handle_command(work, command)
    reply = CompletedReply()
    for scheduled_event_id in work.eager_activities:
        activity = state.activities.get(scheduled_event_id)
        if activity is not None and state.running:
            reply.activity_tasks.append(activity_task.record_started(t, activity, request.identity))
    wants_task = request.force_create_new_workflow_task or work.has_buffered_events or work.unstarted_activity_canceled
    if state.running and wants_task:
        heartbeat = request.force_create_new_workflow_task and not request.commands and not request.messages
        workflow_task.schedule(
            t,
            original_scheduled_time_ns=original_scheduled_time_ns if heartbeat else 0,
            enqueue=not request.return_new_workflow_task,
        )
        if request.return_new_workflow_task:
            worker_version = request.worker_version_stamp if request.HasField("worker_version_stamp") else None
            reply.new_workflow_task = workflow_task.record_started(
                t, INLINE_REQUEST_ID, request.identity, worker_version, inline=True
            )
    unblock = reply.new_workflow_task is None and state.workflow_task is None
    results = check_query_results(request.query_results, t.context.limits)
    t.effects.append(AnswerQueries(state.run_key, results, unblock=unblock))
    return reply


def on_bad_command(t: Transition, bad: FailWorkflowTaskCommand) -> CompletedReply:
    """Fail the task because of a command; an oversize one ends the run as well.

    Emits: events WorkflowTaskFailed, then WorkflowTaskScheduled or WorkflowExecutionTerminated.
    """
    task = workflow_task.check_token(t.state, bad.token)
    error = InvalidArgument(bad.message)
    if task.attempt > 1 and bad.cause != WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND:
        return CompletedReply(error=error)
    failure = Failure(message=bad.message, server_failure_info=ServerFailureInfo())
    workflow_task.fail(t, task, bad.cause, failure, bad.identity, bad.binary_checksum)  # type: ignore[arg-type]
    if bad.terminates_workflow:
        lifecycle.terminate(t, bad.message, None, "history-service")
    else:
        workflow_task.ensure_scheduled(t)
    return CompletedReply(error=error)


def on_failed(t: Transition, failed: RespondWorkflowTaskFailed) -> None:
    """Fail the task as the worker says and schedule it again.

    Emits: event WorkflowTaskFailed unless the task is transient.
    """
    if not t.state.running:
        raise NotFound("workflow execution already completed")
    request = failed.request
    task = workflow_task.check_token(t.state, failed.token)
    if request.cause == WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE:
        lifecycle.terminate(t, "GrpcMessageTooLarge", None, "history-service")
        return
    failure = request.failure if request.HasField("failure") else None
    workflow_task.fail(t, task, request.cause, failure, request.identity, request.binary_checksum)
    workflow_task.ensure_scheduled(t)


def _set_stickiness(t: Transition, completed: RespondWorkflowTaskCompleted) -> None:
    sticky = completed.request.sticky_attributes
    t.state.sticky_task_queue = sticky.worker_task_queue.name
    t.state.sticky_schedule_to_start_timeout_ns = duration_to_ns(sticky.schedule_to_start_timeout)


def _heartbeats_for_too_long(t: Transition, task: WorkflowTask, completed: RespondWorkflowTaskCompleted) -> bool:
    request = completed.request
    if not request.force_create_new_workflow_task or request.commands or request.messages:
        return False
    limit_ns = t.context.limits.workflow_task_heartbeat_timeout_ns
    return t.now_ns > task.original_scheduled_time_ns + limit_ns


def _time_out_heartbeat(t: Transition, task: WorkflowTask) -> CompletedReply:
    """Give a task that only heartbeats to another worker.

    Emits: events WorkflowTaskTimedOut, WorkflowTaskScheduled.
    """
    t.state.sticky_task_queue = ""
    workflow_task.start_to_close_timed_out(t, task.scheduled_event_id, "")
    return CompletedReply(error=NotFound("workflow task heartbeat timeout"))
