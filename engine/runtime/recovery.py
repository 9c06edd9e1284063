"""What boot, and a commit that failed, read back from the file: the tasks that wait for a poller."""

from __future__ import annotations

from engine.core.matching.task_queue import TaskQueues, TaskRef
from engine.store.database import Database
from engine.store.runs import load_tasks_to_dispatch

__all__ = ["load_tasks"]


def load_tasks(database: Database, task_queues: TaskQueues) -> None:
    """Put the file's tasks in the place of those in `task_queues`."""
    task_queues.clear_tasks()
    workflow_tasks, activity_tasks = load_tasks_to_dispatch(database.writer)
    for run_key, namespace_id, scheduled_event_id, attempt, task_queue in workflow_tasks:
        # Who polled a sticky queue before is not known any more: the normal queue serves everybody.
        task = TaskRef(run_key, scheduled_event_id, attempt, sticky=False)
        task_queues.add_task((namespace_id, task_queue, False), task)
    for run_key, scheduled_event_id, attempt, task_queue, namespace_id in activity_tasks:
        task_queues.add_task((namespace_id, task_queue, True), TaskRef(run_key, scheduled_event_id, attempt))
