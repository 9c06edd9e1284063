"""A poller takes a task that was offered to it: unless the offer is stale, or the run has outgrown a limit and ends."""

from __future__ import annotations

from engine.core.inputs import ActivityTaskDispatched, WorkflowTaskDispatched
from engine.core.run import activity_task, lifecycle, workflow_task
from engine.core.run.activity_task import StartedActivityTask
from engine.core.run.outgrown import find_reason
from engine.core.run.workflow_task import StartedWorkflowTask
from engine.core.transition import Transition

__all__ = ["on_activity_task_dispatched", "on_workflow_task_dispatched"]


def on_workflow_task_dispatched(t: Transition, dispatched: WorkflowTaskDispatched) -> StartedWorkflowTask | None:
    """Give the task to the poller; None when it is no longer there to be had.

    Emits: event WorkflowTaskStarted unless the task is transient, or WorkflowExecutionTerminated.
    """
    task = t.state.workflow_task
    stamp = (dispatched.scheduled_event_id, dispatched.attempt)
    if task is None or task.started or (task.scheduled_event_id, task.attempt) != stamp:
        return None
    if dispatched.sticky and not task.sticky:
        return None
    more_events = 1
    if task.transient:
        # Its events come with its completion, unless it has to become a normal one.
        more_events = 0 if task.scheduled_event_id == t.state.next_event_id else 2
    if _ended(t, more_events):
        return None
    if task.sticky and task.task_queue != dispatched.task_queue:
        # The sticky worker is gone and the task went to the normal queue; its next owner needs the whole history.
        t.state.sticky_task_queue = ""
    return workflow_task.record_started(t, t.context.env.new_id(), dispatched.identity, dispatched.worker_version)


def on_activity_task_dispatched(t: Transition, dispatched: ActivityTaskDispatched) -> StartedActivityTask | None:
    """Give the attempt to the poller; None when it is no longer to be had.

    Emits: nothing, or event WorkflowExecutionTerminated.
    """
    activity = t.state.activities.get(dispatched.scheduled_event_id)
    if not t.state.running or activity is None or activity.attempt != dispatched.attempt:
        return None
    if activity.started or activity.backing_off:
        return None
    if _ended(t, 0):
        return None
    return activity_task.record_started(t, activity, dispatched.identity)


def _ended(t: Transition, more_events: int) -> bool:
    """End a run that has no room for the start of its task."""
    reason = find_reason(t.state, t.context.limits, more_events=more_events)
    if reason:
        lifecycle.terminate(t, reason, None, "history-service")
    return bool(reason)
