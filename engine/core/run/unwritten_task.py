"""Workflow tasks whose events are not in the history: transient (a further attempt) and speculative ones.

Rules (temporal server workflow_task_state_machine.go):
- Their worker sees the events as if they were there, with the ids that they would get.
- They are written when the task completes, a speculative one's also when it fails or times out.
- Whatever else is written of a run makes its speculative task a normal one: its events come first, so that their ids
  stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.api.common.v1 import WorkerVersionStamp
from temporalio.api.enums.v1.task_queue_pb2 import TASK_QUEUE_KIND_NORMAL, TASK_QUEUE_KIND_STICKY
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue

from engine.core.errors import InvariantViolated
from engine.core.events import workflow_task as events
from engine.core.policy.durations import ns_to_duration, ns_to_timestamp
from engine.core.run.state import RunState, WorkflowTask

if TYPE_CHECKING:
    from engine.core.transition import Transition

__all__ = ["convert_speculative", "current_task_queue", "unwritten_events", "write_events"]


def current_task_queue(state: RunState) -> TaskQueue:
    """Return the task queue of the run's next workflow task: the sticky one if one is set."""
    if state.sticky_task_queue:
        return TaskQueue(
            name=state.sticky_task_queue, kind=TASK_QUEUE_KIND_STICKY, normal_name=state.started.task_queue.name
        )
    return TaskQueue(name=state.started.task_queue.name, kind=TASK_QUEUE_KIND_NORMAL)


def unwritten_events(state: RunState, task: WorkflowTask) -> tuple[HistoryEvent, ...]:
    """Build the events that an unwritten task would have, as far as it has come, with their ids and times."""
    timeout = ns_to_duration(task.start_to_close_timeout_ns)
    scheduled = events.workflow_task_scheduled(current_task_queue(state), timeout, task.attempt)
    scheduled.event_id = task.scheduled_event_id
    scheduled.event_time.CopyFrom(ns_to_timestamp(task.scheduled_time_ns))
    if not task.started:
        return (scheduled,)
    started = events.workflow_task_started(
        task.scheduled_event_id,
        task.request_id,
        task.identity,
        task.history_size_bytes,
        task.suggest_continue_as_new_reasons,
        task.worker_version,
    )
    started.event_id = task.started_event_id
    started.event_time.CopyFrom(ns_to_timestamp(task.started_time_ns))
    return scheduled, started


def write_events(
    t: Transition, task: WorkflowTask, identity: str, worker_version: WorkerVersionStamp | None
) -> WorkflowTask:
    """Write the events of an unwritten task; return the task as it then is.

    Args:
        identity: what WorkflowTaskStarted says of who has the task.
        worker_version: likewise.

    Emits: events WorkflowTaskScheduled, and WorkflowTaskStarted once a worker has the task.
    """
    scheduled_time_ns, started_time_ns = task.scheduled_time_ns, task.started_time_ns
    scheduled, *started = unwritten_events(t.state, task)
    if t.state.next_event_id != scheduled.event_id:
        raise InvariantViolated(f"the ids of workflow task {task.scheduled_event_id} are taken")
    t.add(scheduled, scheduled_time_ns)
    for event in started:
        attributes = event.workflow_task_started_event_attributes
        attributes.identity = identity
        attributes.ClearField("worker_version")
        if worker_version is not None:
            attributes.worker_version.CopyFrom(worker_version)
        t.add(event, started_time_ns)
    written = t.state.workflow_task
    if written is None:
        raise InvariantViolated(f"no workflow task in run {t.state.run_id}")
    written.original_scheduled_time_ns = task.original_scheduled_time_ns
    written.schedule_to_start_timeout_ns = task.schedule_to_start_timeout_ns
    return written


def convert_speculative(t: Transition) -> None:
    """Make a speculative task a normal one, since the run is written.

    Emits: as `write_events`.
    """
    task = t.state.workflow_task
    if task is not None and task.speculative:
        write_events(t, task, "", None)
