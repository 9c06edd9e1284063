"""A server on a database file, which is killed once all scenarios on it have come to where they want that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.support.server_process import ServerProcess


class CrashingServer:
    """A server process that its scenarios kill together, so that each of them needs no process of its own."""

    def __init__(self, launch: Callable[..., ServerProcess], folder: Path, flags: list[str], scenarios: int) -> None:
        self._launch = launch
        self._folder = folder
        self._flags = flags
        self._process: ServerProcess | None = None
        self._running_scenarios = scenarios
        self._waiting_scenarios = 0
        self._crashes = 0
        self._changed = asyncio.Condition()

    @property
    def address(self) -> str:
        assert self._process is not None
        return self._process.address

    async def start(self) -> None:
        """Start the process, from the second time on at the same port with the same file; return once it answers."""
        port = self._process.port if self._process else None
        self._process = await asyncio.to_thread(
            self._launch, self._folder, *self._flags, db_filename=self._folder / "history.db", port=port
        )

    async def stop(self) -> None:
        """End the process, if it runs."""
        if self._process is not None:
            await asyncio.to_thread(self._process.stop)

    async def wait_for_crash(self) -> None:
        """Wait until every scenario that has not ended waits here; the last one kills the process and starts it."""
        async with self._changed:
            crashes = self._crashes
            self._waiting_scenarios += 1
            try:
                await self._crash_if_all_wait()
                await self._changed.wait_for(lambda: self._crashes > crashes)
            except asyncio.CancelledError:
                self._waiting_scenarios -= 1
                raise

    async def leave(self) -> None:
        """Go on without a scenario that has ended."""
        async with self._changed:
            self._running_scenarios -= 1
            await self._crash_if_all_wait()

    async def _crash_if_all_wait(self) -> None:
        if not self._running_scenarios or self._waiting_scenarios < self._running_scenarios:
            return
        assert self._process is not None
        self._process.kill()
        await self.start()
        self._waiting_scenarios = 0
        self._crashes += 1
        self._changed.notify_all()
