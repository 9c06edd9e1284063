"""The listening side: accept connections, and end them in good order."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable

from engine.service.transport.connection import Connection
from engine.service.transport.deadlines import Deadlines
from engine.service.transport.routes import Route, Routes

__all__ = ["TransportServer"]

_BACKLOG = 1024


class TransportServer:
    """Serves routes on a bound socket; use it from one event loop."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = Routes(routes)
        self._connections: set[Connection] = set()

    async def start(self, listener: socket.socket) -> None:
        """Accept connections from now on."""
        loop = asyncio.get_running_loop()
        deadlines = Deadlines()
        self._server = await loop.create_server(
            lambda: Connection(self._routes, deadlines, self._connections), sock=listener, backlog=_BACKLOG
        )

    async def stop(self, grace_seconds: float) -> None:
        """Accept nothing more, give open calls `grace_seconds` to end, then cut them off."""
        self._server.close()
        for connection in self._connections:
            connection.stop()
        handlers = [task for connection in self._connections for task in connection.handlers()]
        if handlers:
            await asyncio.wait(handlers, timeout=grace_seconds)
        for connection in list(self._connections):
            connection.close()
        # One turn for the handlers that were cancelled, and one for the last bytes.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
