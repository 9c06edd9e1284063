"""What is in flight: the work that must end before the clock may jump.

Rules:
- In flight is a workflow task and an activity task that a worker has, and one that waits for a worker whose task queue
  is polled. So is a query that waits for its answer.
- A task queue counts as polled for `PATIENCE_SECONDS` of real time after the last poll; one that nobody has polled yet,
  for as long after its task came. So workers may be started after their workflows, and a task that nobody will ever
  fetch does not hold the time for ever.
- Not in flight is what waits for the time or for people: timers, an activity between two attempts, an update that was
  accepted, a child that runs, a client that waits for a result.
- The runs in question are those that were touched since they were last seen without such work; what is in flight is
  read from their state when it is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from engine.core.matching.task_queue import TaskQueueKey
from engine.core.run.state import RunState
from engine.runtime.queries import PendingQuery
from engine.store.runs import load_run_keys_with_tasks

if TYPE_CHECKING:
    from engine.runtime.engine import Engine

__all__ = ["PATIENCE_SECONDS", "InFlight", "Work", "WorkKind"]

PATIENCE_SECONDS = 10.0


class WorkKind(Enum):
    """What can be in flight."""

    WORKFLOW_TASK = "workflow task"
    ACTIVITY_TASK = "activity task"
    QUERY = "query"


class Work(NamedTuple):
    """Something in flight; `name` is the type of the workflow, activity or query.

    `with_worker` says that a worker has it already. Equal work is the same work.
    """

    kind: WorkKind
    run_key: int
    event_id: int
    attempt: int
    name: str
    workflow_id: str
    task_queue: str
    with_worker: bool


class InFlight:
    """Knows which runs may have work in flight."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._touched: dict[int, float] = {}

    def start(self) -> None:
        """Find out which runs have work.

        Raises:
            Exception: the file can't be read.
        """
        now = self._engine.loop.time()
        self._touched = dict.fromkeys(load_run_keys_with_tasks(self._engine.database.writer), now)
        for state in self._engine.runs.states():
            # A speculative workflow task is in memory alone.
            if state.workflow_task is not None:
                self._touched[state.run_key] = now

    def touch(self, run_keys: Iterable[int]) -> None:
        """Look at runs that have changed."""
        now = self._engine.loop.time()
        for run_key in run_keys:
            self._touched[run_key] = now

    def find_all(self) -> Iterator[Work]:
        """Return all that is in flight."""
        for pending in self._engine.queries.all():
            yield from self._of_query(pending)
        yield from (work for work, is_in_flight in self._find_tasks() if is_in_flight)

    def count_waiting(self) -> int:
        """Return how many tasks wait for a worker that does not come: they are not in flight."""
        return sum(not is_in_flight for _, is_in_flight in self._find_tasks())

    def _find_tasks(self) -> Iterator[tuple[Work, bool]]:
        """Return every task of the touched runs, and whether it is in flight."""
        for run_key, touched in list(self._touched.items()):
            state = self._engine.find_run(run_key)
            if state is None or not (state.running and _has_tasks(state)):
                del self._touched[run_key]
            else:
                yield from self._of_run(state, touched)

    def _of_query(self, pending: PendingQuery) -> Iterator[Work]:
        state = self._engine.find_run(pending.run_key)
        if state is not None and self._is_polled((state.namespace_id, state.task_queue, False)):
            name = pending.query.query_type
            yield Work(WorkKind.QUERY, state.run_key, 0, 0, name, state.workflow_id, state.task_queue, False)

    def _of_run(self, state: RunState, touched: float) -> Iterator[tuple[Work, bool]]:
        task = state.workflow_task
        if task is not None:
            work = Work(
                WorkKind.WORKFLOW_TASK,
                state.run_key,
                task.scheduled_event_id,
                task.attempt,
                state.workflow_type,
                state.workflow_id,
                state.task_queue,
                task.started,
            )
            yield work, task.started or self._will_be_fetched(state, touched)
        for activity in state.activities.values():
            if activity.backing_off:
                continue
            task_queue = activity.attributes.task_queue.name
            work = Work(
                WorkKind.ACTIVITY_TASK,
                state.run_key,
                activity.scheduled_event_id,
                activity.attempt,
                activity.attributes.activity_type.name,
                state.workflow_id,
                task_queue,
                activity.started,
            )
            yield work, activity.started or self._is_polled((state.namespace_id, task_queue, True), touched)

    def _will_be_fetched(self, state: RunState, touched: float) -> bool:
        """Say whether a worker will fetch the workflow task soon."""
        sticky = (state.namespace_id, state.sticky_task_queue, False)
        if state.sticky_task_queue and self._engine.task_queues.sticky_alive(sticky, self._engine.clock.system_ns()):
            return True
        return self._is_polled((state.namespace_id, state.task_queue, False), touched)

    def _is_polled(self, key: TaskQueueKey, came: float = -math.inf) -> bool:
        """Say whether a worker will fetch a task of this queue soon.

        Args:
            came: when the task came, by the loop's time.
        """
        now_ns = self._engine.clock.system_ns()
        last_poll_ns = self._engine.task_queues.last_poll_time_ns(key, now_ns)
        if not last_poll_ns:
            return self._engine.loop.time() - came < PATIENCE_SECONDS
        return now_ns - last_poll_ns < PATIENCE_SECONDS * 1e9


def _has_tasks(state: RunState) -> bool:
    return state.workflow_task is not None or any(not each.backing_off for each in state.activities.values())
