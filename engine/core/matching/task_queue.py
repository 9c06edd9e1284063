"""Pair tasks with pollers: one queue per namespace, name and kind of task. Pure: no clock, no futures.

Rules:
- Pollers are served in the order of their coming, tasks in that of the backlog (backlog.py). A task offered while a
  poller waits is paired at once.
- A queue holds references (stamps), not tasks: whoever takes one checks it against the run, and a stale one is dropped.
- A poller that went away is `gone` from that moment and skipped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from temporalio.api.common.v1 import WorkerVersionStamp

from engine.core.matching.backlog import Backlog, TaskRef

__all__ = ["PollerRecord", "TaskQueueKey", "TaskQueues", "Waiter", "WaitingPoller", "WaitingQuery"]

TaskQueueKey = tuple[str, str, bool]
"""(namespace_id, name, True for activity tasks)."""

POLLER_MEMORY_NS = 300 * 1_000_000_000
"""How long a poller that was seen stays in descriptions."""

STICKY_ALIVE_NS = 10 * 1_000_000_000
"""A sticky queue that nobody polled for this long belongs to a dead worker."""


class Waiter(Protocol):
    """A future."""

    def done(self) -> bool:
        """Say whether it has its result, or nobody waits for one any more."""
        ...


@dataclass(slots=True)
class WaitingPoller:
    """A worker's poll; `waiter` is the runtime's handle for it, done when the poll is answered or given up."""

    key: TaskQueueKey
    identity: str
    sticky: bool
    waiter: Waiter
    worker_version: WorkerVersionStamp | None = None

    @property
    def gone(self) -> bool:
        return self.waiter.done()


@dataclass(slots=True)
class PollerRecord:
    """When an identity polled last, and with what."""

    identity: str
    last_access_time_ns: int
    rate_per_second: float = 100_000.0
    request: object = None
    worker_version: WorkerVersionStamp | None = None


class WaitingQuery(Protocol):
    """A query that waits for a poller."""

    @property
    def gone(self) -> bool:
        """Say whether it is answered, or nobody waits for its answer any more."""
        ...


@dataclass(slots=True)
class _TaskQueue:
    tasks: Backlog
    pollers: deque[WaitingPoller] = field(default_factory=deque)
    queries: deque[WaitingQuery] = field(default_factory=deque)
    records: dict[str, PollerRecord] = field(default_factory=dict)
    last_poll_time_ns: int = 0
    dead: bool = False


@dataclass(slots=True)
class TaskQueues:
    """All task queues of the server; with `fairness` the fairness keys of one priority take turns."""

    fairness: bool = True
    _queues: dict[TaskQueueKey, _TaskQueue] = field(default_factory=dict)

    def _queue(self, key: TaskQueueKey) -> _TaskQueue:
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _TaskQueue(Backlog(self.fairness))
        return queue

    def next_poller(self, key: TaskQueueKey) -> WaitingPoller | None:
        """Remove and return the poller that waits longest, or None."""
        queue = self._queues.get(key)
        if queue is None:
            return None
        pollers = queue.pollers
        while pollers:
            poller = pollers.popleft()
            if not poller.gone:
                return poller
        return None

    def put_back_poller(self, poller: WaitingPoller) -> None:
        """Return a poller to the head of its queue: what it was paired with was stale."""
        self._queue(poller.key).pollers.appendleft(poller)

    def add_task(self, key: TaskQueueKey, task: TaskRef) -> None:
        """Keep a task until somebody polls."""
        self._queue(key).tasks.add(task)

    def next_task(self, key: TaskQueueKey) -> TaskRef | None:
        """Remove and return the task whose turn it is, or None."""
        queue = self._queues.get(key)
        return queue.tasks.take() if queue is not None else None

    def add_query(self, key: TaskQueueKey, query: WaitingQuery) -> None:
        """Keep a query until somebody polls."""
        self._queue(key).queries.append(query)

    def next_query(self, key: TaskQueueKey) -> WaitingQuery | None:
        """Remove and return the query that waits longest, or None."""
        queue = self._queues.get(key)
        while queue is not None and queue.queries:
            query = queue.queries.popleft()
            if not query.gone:
                return query
        return None

    def add_poller(self, poller: WaitingPoller) -> None:
        """Let a poller wait."""
        self._queue(poller.key).pollers.append(poller)

    def note_poll(self, key: TaskQueueKey, record: PollerRecord) -> None:
        """Remember who polls, for descriptions and for telling a dead sticky worker."""
        queue = self._queue(key)
        queue.last_poll_time_ns = record.last_access_time_ns
        queue.dead = False
        queue.records[record.identity] = record

    def sticky_alive(self, key: TaskQueueKey, now_ns: int) -> bool:
        """Say whether the worker of a sticky queue may still fetch a task."""
        queue = self._queues.get(key)
        if queue is None or queue.dead or not queue.last_poll_time_ns:
            return False
        if any(not poller.gone for poller in queue.pollers):
            return True
        return now_ns - queue.last_poll_time_ns < STICKY_ALIVE_NS

    def last_poll_time_ns(self, key: TaskQueueKey, now_ns: int) -> int:
        """Return when a queue was polled last (now, while a poller waits; 0: never)."""
        queue = self._queues.get(key)
        if queue is None:
            return 0
        return now_ns if any(not poller.gone for poller in queue.pollers) else queue.last_poll_time_ns

    def mark_sticky_dead(self, key: TaskQueueKey) -> list[TaskRef]:
        """Give up a sticky queue whose worker shuts down; return the tasks that waited in it."""
        queue = self._queue(key)
        queue.dead = True
        tasks = list(queue.tasks)
        queue.tasks.clear()
        return tasks

    def take_pollers(self, key: TaskQueueKey) -> list[WaitingPoller]:
        """Remove and return everybody who waits in a queue."""
        queue = self._queues.get(key)
        if queue is None:
            return []
        pollers = [poller for poller in queue.pollers if not poller.gone]
        queue.pollers.clear()
        return pollers

    def backlog(self, key: TaskQueueKey) -> int:
        """Return how many tasks wait."""
        queue = self._queues.get(key)
        return len(queue.tasks) if queue is not None else 0

    def records(self, key: TaskQueueKey, now_ns: int) -> list[PollerRecord]:
        """Return who polled lately, the most recent first."""
        queue = self._queues.get(key)
        if queue is None:
            return []
        recent = [each for each in queue.records.values() if now_ns - each.last_access_time_ns < POLLER_MEMORY_NS]
        return sorted(recent, key=lambda each: -each.last_access_time_ns)

    def clear_tasks(self) -> None:
        """Forget every task; the caller fills the queues again from the database."""
        for queue in self._queues.values():
            queue.tasks.clear()

    def forget_gone(self, key: TaskQueueKey) -> None:
        """Drop pollers that went away from the tail of a queue that is rarely paired."""
        queue = self._queues.get(key)
        if queue is not None and queue.pollers and queue.pollers[0].gone:
            queue.pollers = deque(poller for poller in queue.pollers if not poller.gone)

    def forget_idle(self, now_ns: int) -> list[tuple[TaskQueueKey, TaskRef]]:
        """Drop what nobody will ask for again: every worker process has its own identity and sticky queue.

        Returns:
            the tasks of sticky queues that were dropped, each with the normal queue that it belongs to now.
        """
        moved: list[tuple[TaskQueueKey, TaskRef]] = []
        for key, queue in list(self._queues.items()):
            queue.records = {
                identity: record
                for identity, record in queue.records.items()
                if now_ns - record.last_access_time_ns < POLLER_MEMORY_NS
            }
            queue.pollers = deque(poller for poller in queue.pollers if not poller.gone)
            queue.queries = deque(query for query in queue.queries if not query.gone)
            if queue.pollers or queue.queries or queue.records:
                continue
            namespace_id, name, _ = key
            if all(task.sticky and task.normal_task_queue != name for task in queue.tasks):
                moved += (((namespace_id, task.normal_task_queue, False), task) for task in queue.tasks)
                del self._queues[key]
        return moved

    def __iter__(self) -> Iterator[TaskQueueKey]:
        return iter(self._queues)
