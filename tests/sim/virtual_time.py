"""An event loop whose time jumps to the next timer when nothing is left to do, and the engine's `Env` on top of it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import uuid
from random import Random

from engine.runtime.clock import Clock

__all__ = ["StuckError", "VirtualEnv", "VirtualLoop"]

_START_NS = 1_700_000_000_000_000_000


class StuckError(Exception):
    """Nothing is ready and no timer is set: the simulation would wait for ever."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs callbacks in a fixed order and never sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = 0
        self._selector = self

    def time(self) -> float:
        return self.now_ns / 1e9

    def select(self, timeout: float | None) -> list[object]:
        """Take the place of the selector: there is no I/O, only time."""
        if timeout is None:
            raise StuckError
        self.now_ns += math.ceil(timeout * 1e9)
        return []

    def end(self) -> None:
        """Drop every task where it stands, and close."""
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            with contextlib.suppress(Exception):
                task.get_coro().close()  # type: ignore[union-attr]
        self.close()

    def _process_events(self, events: list[object]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


class VirtualEnv:
    """The engine's clock and ids, from the loop's time and a seed.

    `skew_ns` is what the system clock is wrong by; `tick_ns` passes at every look at the clock.
    """

    def __init__(self, loop: VirtualLoop, random: Random, tick_ns: int) -> None:
        self.skew_ns = 0
        self._loop = loop
        self._random = random
        self._tick_ns = tick_ns
        self._ticks_ns = 0
        self._last_run_key = 0
        self.clock = Clock(self._system_ns)
        self.now_ns = self.clock.now_ns

    def _system_ns(self) -> int:
        self._ticks_ns += self._tick_ns
        return _START_NS + self._loop.now_ns + self._ticks_ns + self.skew_ns

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def new_run_key(self) -> int:
        self._last_run_key += 1
        return self._last_run_key

    def restart(self, last_run_key: int) -> None:
        """Continue run keys as a new process does: after the largest one in the file."""
        self._last_run_key = last_run_key
