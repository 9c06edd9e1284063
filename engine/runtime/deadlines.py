"""One timer for all runs: wakes when the earliest stored deadline is due.

Rules:
- The heap holds (due_ns, key), where a key is a run's; an entry may be too early or stale, the run itself knows (core
  run/deadlines.py).
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
    """Calls `on_due(key)` for keys whose deadline has come."""

    def __init__(self, now_ns: Callable[[], int], on_due: Callable[[int], None]) -> None:
        self._now_ns = now_ns
        self._on_due = on_due
        self._heap: list[tuple[int, int]] = []
        self._earliest: dict[int, int] = {}
        self._handle: asyncio.TimerHandle | None = None
        self._handle_due_ns = 0
        self._stopped = False

    def set(self, key: int, due_ns: int) -> None:
        """Make sure that the key's `on_due` is called by `due_ns`."""
        known = self._earliest.get(key)
        if known is not None and known <= due_ns:
            return
        self._earliest[key] = due_ns
        heappush(self._heap, (due_ns, key))
        self._arm()

    def forget(self, key: int) -> None:
        """Call no `on_due` for the key."""
        self._earliest.pop(key, None)

    def find_first(self) -> tuple[int, int] | None:
        """Return the earliest (due_ns, key), or None."""
        while self._heap:
            due_ns, key = self._heap[0]
            if self._earliest.get(key) == due_ns:
                return due_ns, key
            heappop(self._heap)
        return None

    def fire(self) -> None:
        """Call `on_due` for whatever is due now; to be called as well when the clock was moved."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._stopped:
            return
        now_ns = self._now_ns()
        while self._heap and self._heap[0][0] <= now_ns:
            due_ns, key = heappop(self._heap)
            if self._earliest.get(key) == due_ns:
                del self._earliest[key]
                self._on_due(key)
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
        self._handle = asyncio.get_running_loop().call_later(delay, self.fire)
