"""A server that one scenario has to itself, with a database file, so that it may crash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.support.server_process import ServerProcess


class PrivateServer:
    """A server process, killed and started again at will on the same port and the same file."""

    def __init__(self, launch: Callable[..., ServerProcess], folder: Path, flags: list[str]) -> None:
        self._launch = launch
        self._folder = folder
        self._flags = flags
        self._process: ServerProcess | None = None

    @property
    def address(self) -> str:
        assert self._process is not None
        return self._process.address

    async def start(self) -> None:
        """Start the process and return once it answers."""
        port = self._process.port if self._process else None
        self._process = await asyncio.to_thread(
            self._launch, self._folder, *self._flags, db_filename=self._folder / "history.db", port=port
        )

    async def crash_and_restart(self) -> None:
        """SIGKILL the process, and start it again."""
        assert self._process is not None
        self._process.kill()
        await self.start()

    async def stop(self) -> None:
        """End the process, if it runs."""
        if self._process is not None:
            await asyncio.to_thread(self._process.stop)
