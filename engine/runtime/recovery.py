"""What boot, and a commit that failed, read back from the file: the tasks that wait for a poller."""

from __future__ import annotations

from temporalio.api.common.v1 import Priority

from engine.core.matching.backlog import TaskRef
from engine.core.matching.task_queue import TaskQueues
from engine.runtime.run_cache import RunCache
from engine.store.database import Database
from engine.store.runs import load_tasks_to_dispatch

__all__ = ["load_tasks"]


def load_tasks(database: Database, task_queues: TaskQueues, runs: RunCache) -> None:
    """Put the file's tasks, and speculative ones, which are in memory only, in the place of those in `task_queues`."""
    task_queues.clear_tasks()
    workflow_tasks, activity_tasks = load_tasks_to_dispatch(database.writer)
    for tasks, is_activity in ((workflow_tasks, False), (activity_tasks, True)):
        for task in tasks:
            # Who polled a sticky queue before is not known any more: the normal queue serves everybody.
            priority = None if task.priority is None else Priority.FromString(task.priority)
            ref = TaskRef(task.run_key, task.scheduled_event_id, task.attempt, priority=priority)
            task_queues.add_task((task.namespace_id, task.task_queue, is_activity), ref)
    for state in runs.states():
        pending = state.workflow_task
        if pending is not None and pending.speculative and not pending.started:
            ref = TaskRef(state.run_key, pending.scheduled_event_id, pending.attempt, priority=state.priority)
            task_queues.add_task((state.namespace_id, state.task_queue, False), ref)
