"""What a worker answers to a workflow task: completed with commands, or failed.

Rules (temporal server respondworkflowtaskcompleted):
- The sequence of commands is checked before anything changes; each command is validated before it is applied.
- A bad command raises FailWorkflowTask: the runtime throws this transition away, reloads the run and comes back with
  `FailWorkflowTaskCommand`, so that nothing of the completion stays.
- A repeated bad completion (attempt > 1) is dropped, so that the time-out paces the retries.
- What comes with the completion of a speculative task that is discarded has no WorkflowTaskCompleted to refer to, and
  needs none.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE,
    WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
)
from temporalio.api.failure.v1 import Failure, ServerFailureInfo

from engine.core.commands import handle_command, validate_sequence
from engine.core.commands.protocol_message import take_remaining_messages
from engine.core.commands.work import CommandWork
from engine.core.effects import AnswerQueries
from engine.core.errors import FailWorkflowTask, InvalidArgument, NotFound
from engine.core.events import workflow_task as events
from engine.core.inputs import FailWorkflowTaskCommand, RespondWorkflowTaskCompleted, RespondWorkflowTaskFailed
from engine.core.policy.durations import MAX_DURATION_NS, duration_to_ns
from engine.core.policy.query_results import check_query_results
from engine.core.run import activity_task, lifecycle, speculative_task, update, workflow_task
from engine.core.run.activity_task import StartedActivityTask
from engine.core.run.event_batches import INLINE_REQUEST_ID
from engine.core.run.state import WorkflowTask
from engine.core.run.unwritten_task import write_events
from engine.core.run.update_messages import has_messages
from engine.core.run.workflow_task import StartedWorkflowTask
from engine.core.transition import Transition

__all__ = ["CompletedReply", "on_bad_command", "on_completed", "on_failed"]


@dataclass(slots=True)
class CompletedReply:
    """What the completing worker gets back; `error` is raised to it after the commit.

    `reset_history_event_id` tells a worker whose task was discarded after which event it has to begin again.
    """

    new_workflow_task: StartedWorkflowTask | None = None
    activity_tasks: list[StartedActivityTask] = field(default_factory=list)
    reset_history_event_id: int = 0
    error: Exception | None = None


def on_completed(t: Transition, completed: RespondWorkflowTaskCompleted) -> CompletedReply:
    """Complete the task and carry out its commands and messages.

    Emits: event WorkflowTaskCompleted and the commands' events; the next workflow task if something waits.
    Raises: NotFound for a stale token; InvalidArgument for a bad sequence; FailWorkflowTask for a bad command.
    """
    state, request = t.state, completed.request
    task = workflow_task.check_token(state, completed.token)
    validate_sequence(list(request.commands))
    if _heartbeats_for_too_long(t, task, completed):
        return _time_out_heartbeat(t, task)
    state.close_attempted = False
    reply, completed_event_id = CompletedReply(), 0
    unstored = update.unstored_state(state, task)
    if speculative_task.is_discarded(t, task, request):
        speculative_task.discard(t)
        reply.reset_history_event_id = state.previous_started_event_id
    else:
        completed_event_id = _write_completed(t, task, completed)
    _set_stickiness(t, completed)
    work = CommandWork(t, completed_event_id, request.identity, bool(state.buffered), messages=request.messages)
    try:
        for command in request.commands:
            handle_command(work, command)
        take_remaining_messages(work)
    except FailWorkflowTask as error:
        error.unstored = unstored
        raise
    if state.running and state.updates and not request.force_create_new_workflow_task:
        update.reject_unprocessed(t)
    for scheduled_event_id in work.eager_activities:
        activity = state.activities.get(scheduled_event_id)
        if activity is not None and state.running:
            reply.activity_tasks.append(activity_task.record_started(t, activity, request.identity))
    if state.running:
        reply.new_workflow_task = _schedule_next(t, task, work, completed)
    unblock = reply.new_workflow_task is None and state.workflow_task is None
    results = check_query_results(request.query_results, t.context.limits)
    t.effects.append(AnswerQueries(state.run_key, results, unblock=unblock))
    return reply


def _write_completed(t: Transition, task: WorkflowTask, completed: RespondWorkflowTaskCompleted) -> int:
    """Write that the task is completed; return the id of that event."""
    state, request = t.state, completed.request
    if task.unwritten:
        task = write_events(t, task, task.identity, task.worker_version)
    before = (state.worker_version, state.auto_reset_points, state.search_attributes.get("BuildIds"))
    event = t.add(events.workflow_task_completed(task.scheduled_event_id, task.started_event_id, request))
    if before != (state.worker_version, state.auto_reset_points, state.search_attributes.get("BuildIds")):
        t.attributes_changed = True
    return event.event_id


def _schedule_next(
    t: Transition, task: WorkflowTask, work: CommandWork, completed: RespondWorkflowTaskCompleted
) -> StartedWorkflowTask | None:
    """Schedule the next workflow task if something waits for one, and start it if the worker asks for it.

    For updates alone it is a speculative one, which only a worker that gets it at once can have.
    """
    request = completed.request
    force, inline = request.force_create_new_workflow_task, request.return_new_workflow_task
    must = force or work.has_buffered_events or work.unstarted_activity_canceled
    if not must and not has_messages(t.state):
        return None
    if must or not inline:
        heartbeat = force and not request.commands and not request.messages
        workflow_task.schedule(
            t, original_scheduled_time_ns=task.original_scheduled_time_ns if heartbeat else 0, enqueue=not inline
        )
    else:
        speculative_task.schedule_speculative(t, enqueue=False)
    if not inline:
        return None
    worker_version = request.worker_version_stamp if request.HasField("worker_version_stamp") else None
    return workflow_task.record_started(
        t,
        INLINE_REQUEST_ID,
        request.identity,
        worker_version,
        inline=True,
        heartbeat=force,
    )


def on_bad_command(t: Transition, bad: FailWorkflowTaskCommand) -> CompletedReply:
    """Fail the task because of a command or a message; an oversize one ends the run as well.

    Emits: events WorkflowTaskFailed, then WorkflowTaskScheduled or WorkflowExecutionTerminated.
    """
    if bad.unstored is not None:
        update.restore(t, bad.unstored)
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
    worker_version = request.worker_version if request.HasField("worker_version") else None
    workflow_task.fail(t, task, request.cause, failure, request.identity, request.binary_checksum, worker_version)
    workflow_task.ensure_scheduled(t)


def _set_stickiness(t: Transition, completed: RespondWorkflowTaskCompleted) -> None:
    sticky = completed.request.sticky_attributes
    t.state.sticky_task_queue = sticky.worker_task_queue.name
    timeout_ns = duration_to_ns(sticky.schedule_to_start_timeout)
    t.state.sticky_schedule_to_start_timeout_ns = min(timeout_ns, MAX_DURATION_NS)


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
