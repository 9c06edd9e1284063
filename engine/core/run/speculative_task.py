"""Speculative workflow tasks: they take updates to the worker, and leave no trace where all of them are rejected.

Rules (temporal server docs/architecture/speculative-workflow-task.md):
- Such a task is in memory only: scheduling, starting and discarding it writes nothing, and after a crash it is gone.
- It has a schedule-to-start timeout on the normal queue too; whoever misses it makes it a normal task.
- It is discarded when its completion has no commands and no messages but rejections, unless the worker would get more
  events again than it can take. The worker is told which event it stands at.
- Else it becomes a normal task: see run/unwritten_task.py.
"""

from __future__ import annotations

from google.protobuf.any_pb2 import Any
from temporalio.api.update.v1 import Rejection
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest

from engine.core.run import workflow_task
from engine.core.run.state import WorkflowTask
from engine.core.run.workflow_task import start_to_close_timeout_ns
from engine.core.transition import Transition

__all__ = ["discard", "is_discarded", "leave_sticky_queue", "schedule_speculative"]

_SCHEDULE_TO_START_TIMEOUT_NS = 5_000_000_000


def schedule_speculative(t: Transition, *, enqueue: bool = True) -> None:
    """Schedule a speculative workflow task; there is no pending one.

    Args:
        enqueue: False when the caller starts the task itself.
    Emits: effect EnqueueWorkflowTask.
    """
    state = t.state
    t.flush()
    attempt = state.workflow_task_attempt
    state.workflow_task = WorkflowTask(
        scheduled_event_id=state.next_event_id,
        attempt=attempt,
        scheduled_time_ns=t.now_ns,
        original_scheduled_time_ns=t.now_ns,
        start_to_close_timeout_ns=start_to_close_timeout_ns(state, attempt),
        task_queue=state.sticky_task_queue or state.task_queue,
        sticky=bool(state.sticky_task_queue),
        speculative=True,
        schedule_to_start_timeout_ns=_SCHEDULE_TO_START_TIMEOUT_NS,
    )
    t.changed_in_memory = t.keeps_speculative = True
    if enqueue:
        workflow_task.set_deadline(t)
        workflow_task.dispatch(t)


def leave_sticky_queue(t: Transition) -> None:
    """Offer a speculative task that waits on the sticky queue to the normal one, since stickiness is given up.

    Emits: effect EnqueueWorkflowTask.
    """
    task = t.state.workflow_task
    if task is not None and task.speculative and task.sticky and not task.started:
        task.task_queue, task.sticky = t.state.task_queue, False
        workflow_task.dispatch(t)


def is_discarded(t: Transition, task: WorkflowTask, request: RespondWorkflowTaskCompletedRequest) -> bool:
    """Say whether a completion leaves no trace of its speculative task."""
    if not task.speculative or request.commands or request.force_create_new_workflow_task:
        return False
    state = t.state
    events = state.next_event_id - (state.previous_started_event_id + 2)
    takes_events_again = request.capabilities.discard_speculative_workflow_task_with_events
    if events > (t.context.limits.discarded_task_events if takes_events_again else 0):
        return False
    return all(_is_rejection(message.body) for message in request.messages)


def _is_rejection(body: Any) -> bool:
    return body.type_url.rpartition("/")[2] == Rejection.DESCRIPTOR.full_name


def discard(t: Transition) -> None:
    """Drop the speculative task without a trace."""
    t.changed_in_memory = True
    t.state.workflow_task = None
    t.state.workflow_task_attempt = 1
