"""Callers' deadlines, many at little cost: those that end at about the same time share one timer."""

from __future__ import annotations

import asyncio
import math
from typing import Protocol

__all__ = ["Deadlines", "Expiring"]

# A call hears of its deadline at most this late; its caller keeps the time itself.
_GRAIN_SECONDS = 0.05


class Expiring(Protocol):
    """What has a deadline."""

    def expire(self) -> None:
        """End: the deadline has passed."""
        ...


class Deadlines:
    """The deadlines of all open calls."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._slots: dict[int, tuple[set[Expiring], asyncio.TimerHandle]] = {}

    def add(self, item: Expiring, deadline: float) -> int:
        """Expire `item` at `deadline` (of the loop's clock) or a little later; return what `discard` needs."""
        slot = math.ceil(deadline / _GRAIN_SECONDS)
        found = self._slots.get(slot)
        if found is None:
            handle = self._loop.call_at(slot * _GRAIN_SECONDS, self._expire, slot)
            self._slots[slot] = {item}, handle
        else:
            found[0].add(item)
        return slot

    def discard(self, item: Expiring, slot: int) -> None:
        """Forget the deadline of an item."""
        found = self._slots.get(slot)
        if found is None:
            return
        items, handle = found
        items.discard(item)
        if not items:
            handle.cancel()
            del self._slots[slot]

    def _expire(self, slot: int) -> None:
        items, _ = self._slots.pop(slot)
        for item in items:
            item.expire()
