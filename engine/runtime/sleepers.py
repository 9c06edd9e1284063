"""Who waits for the server's time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.core.errors import Unavailable
from engine.runtime.deadlines import DeadlineTimer

__all__ = ["Sleepers"]


class Sleepers:
    """Calls that are answered when the clock has come to their time."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._timer = DeadlineTimer(now_ns, self._leave)
        self._waiting: dict[int, tuple[asyncio.Future[None], Callable[[], None]]] = {}
        self._last_id = 0
        self._stopped = False

    async def sleep_until(self, time_ns: int, on_end: Callable[[], None] = lambda: None) -> None:
        """Return when the clock is at `time_ns`.

        Args:
            on_end: called the moment that it is, before anything else happens, or when the caller gives up.

        Raises:
            Unavailable: the server stops.
        """
        if self._stopped:
            raise Unavailable("the server is stopping")
        self._last_id += 1
        sleeper = self._last_id
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[sleeper] = future, on_end
        self._timer.set(sleeper, time_ns)
        try:
            await future
        finally:
            self._leave(sleeper)

    def find_first_ns(self) -> int | None:
        """Return the time that is waited for first, or None."""
        first = self._timer.find_first()
        return None if first is None else first[0]

    def wake(self) -> None:
        """Answer those whose time has come by the clock as it is now."""
        self._timer.fire()

    def stop(self) -> None:
        """Let nobody wait any more."""
        self._stopped = True
        self._timer.stop()
        for future, _ in self._waiting.values():
            if not future.done():
                future.set_exception(Unavailable("the server is stopping"))

    def _leave(self, sleeper: int) -> None:
        waiting = self._waiting.pop(sleeper, None)
        if waiting is None:
            return
        self._timer.forget(sleeper)
        future, on_end = waiting
        on_end()
        if not future.done():
            future.set_result(None)
