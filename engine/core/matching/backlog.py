"""The tasks that wait for a poller, in the order in which they are to be handed out. Pure.

Rules:
- A lower priority key goes first; a task without one counts as the middle of the five.
- Within one priority key, the fairness keys take turns, each as often as its weight says, unless fairness is switched
  off. Tasks of one fairness key, and all tasks without one, leave in the order of their coming.
- Turns are counted in passes (stride scheduling): a task's pass is that of the last task of its key plus 1 / weight,
  and never behind the last one handed out, so that a key gains nothing by having been idle. So a key without tasks
  need not be remembered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple

from temporalio.api.common.v1 import Priority

__all__ = ["Backlog", "TaskRef"]

_DEFAULT_PRIORITY_KEY = 3
_LOWEST_PRIORITY_KEY = 5
_LEAST_WEIGHT, _MOST_WEIGHT = 0.001, 1000.0


class TaskRef(NamedTuple):
    """A task that waits for a poller; `normal_task_queue` is where a sticky one may fall back to."""

    run_key: int
    scheduled_event_id: int
    attempt: int
    sticky: bool = False
    normal_task_queue: str = ""
    priority: Priority | None = None


@dataclass(slots=True)
class _Level:
    """The turns of one priority key; `passes` are those of the last task of each fairness key that has one."""

    last_pass: float = 0.0
    passes: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Backlog:
    """A priority queue of tasks."""

    fairness: bool = True
    _heap: list[tuple[int, float, int, TaskRef]] = field(default_factory=list)
    _levels: dict[int, _Level] = field(default_factory=dict)
    _added: int = 0

    def add(self, task: TaskRef) -> None:
        """Take in a task."""
        priority = task.priority
        priority_key, weight = _DEFAULT_PRIORITY_KEY, 1.0
        if priority is not None:
            priority_key = min(priority.priority_key or _DEFAULT_PRIORITY_KEY, _LOWEST_PRIORITY_KEY)
            if self.fairness:
                weight = min(max(_LEAST_WEIGHT, priority.fairness_weight or 1.0), _MOST_WEIGHT)
        fairness_key = self._fairness_key(task)
        level = self._levels.get(priority_key)
        if level is None:
            level = self._levels[priority_key] = _Level()
        task_pass = max(level.passes.get(fairness_key, 0.0), level.last_pass) + 1.0 / weight
        level.passes[fairness_key] = task_pass
        self._added += 1
        heappush(self._heap, (priority_key, task_pass, self._added, task))

    def take(self) -> TaskRef | None:
        """Remove and return the task whose turn it is, or None."""
        if not self._heap:
            return None
        priority_key, task_pass, _, task = heappop(self._heap)
        level = self._levels[priority_key]
        level.last_pass = task_pass
        fairness_key = self._fairness_key(task)
        if level.passes.get(fairness_key) == task_pass:
            del level.passes[fairness_key]
        if not self._heap:
            self._levels.clear()
        return task

    def _fairness_key(self, task: TaskRef) -> str:
        return task.priority.fairness_key if self.fairness and task.priority is not None else ""

    def clear(self) -> None:
        """Forget every task."""
        self._heap.clear()
        self._levels.clear()

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[TaskRef]:
        """Iterate in the order of handing out; who needs only the first ones pays for no others."""
        heap = self._heap.copy()
        while heap:
            yield heappop(heap)[3]
