"""One timer for all runs: wakes when the earliest stored deadline is due.

Rules:
- The heap holds (due_ns, run_key); an entry may be too early or stale, the run itself knows (core run/deadlines.py).
- Only deadlines of a near window are in memory; the rest is read from the index when its time comes near.
- Sleeps are capped, so that a suspended machine wakes up on time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush

__all__ = ["DeadlineTimer"]

MAX_SLEEP_SECONDS = 5.0


class DeadlineTimer:
    """Calls `on_due(run_key)` for runs whose deadline has come."""

    def __init__(self, now_ns: Callable[[], int], on_due: Callable[[int], None]) -> None:
        self._now_ns = now_ns
        self._on_due = on_due
        self._heap: list[tuple[int, int]] = []
        self._earliest: dict[int, int] = {}
        self._handle: asyncio.TimerHandle | None = None
        self._handle_due_ns = 0
        self._stopped = False

    def set(self, run_key: int, due_ns: int) -> None:
        """Make sure that the run is looked at by `due_ns`."""
        known = self._earliest.get(run_key)
        if known is not None and known <= due_ns:
            return
        self._earliest[run_key] = due_ns
        heappush(self._heap, (due_ns, run_key))
        self._arm()

    def stop(self) -> None:
        """Fire no more."""
        self._stopped = True
        if self._handle is not None:
            self._handle.cancel()

    def _arm(self) -> None:
        if not self._heap or self._stopped:
            return
        due_ns = self._heap[0][0]
        if self._handle is not None:
            if self._handle_due_ns <= due_ns:
                return
            self._handle.cancel()
        delay = min(max(0.0, (due_ns - self._now_ns()) / 1e9), MAX_SLEEP_SECONDS)
        self._handle_due_ns = due_ns
        self._handle = asyncio.get_running_loop().call_later(delay, self._fire)

    def _fire(self) -> None:
        self._handle = None
        now_ns = self._now_ns()
        while self._heap and self._heap[0][0] <= now_ns:
            due_ns, run_key = heappop(self._heap)
            if self._earliest.get(run_key) == due_ns:
                del self._earliest[run_key]
                self._on_due(run_key)
        self._arm()
