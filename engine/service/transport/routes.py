"""Which handler serves which path."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from engine.core.errors import Code
from engine.service.transport.grpc_protocol import CallRefused

__all__ = ["Route", "Routes", "StreamHandler", "UnaryHandler"]

UnaryHandler = Callable[[Any, Any], Awaitable[Message | bytes]]
"""Takes the request and the call; the reply is a message, or one already serialized."""

StreamHandler = Callable[[AsyncIterator[Any], Any], AsyncIterator[Message]]
"""Takes the requests and the call; yields the replies."""


@dataclass(frozen=True, slots=True)
class Route:
    """An RPC: its full path, how its requests are parsed, and one of the two kinds of handlers."""

    path: str
    parse: Callable[[bytes], Any]
    unary: UnaryHandler | None = None
    stream: StreamHandler | None = None


class Routes:
    """The RPCs of a server, by path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_path: Mapping[bytes, Route] = {route.path.encode(): route for route in routes}
        self._services = {path.rpartition(b"/")[0] for path in self._by_path}

    def get(self, path: bytes) -> Route:
        """Return the RPC at `path`.

        Raises:
            CallRefused: there is none.
        """
        route = self._by_path.get(path)
        if route is not None:
            return route
        owner, _, method = path.rpartition(b"/")
        service = owner[1:].decode("latin-1")
        if not path.startswith(b"/") or not service:
            raise CallRefused(Code.UNIMPLEMENTED, f"malformed method name: {path.decode('latin-1')!r}")
        if owner not in self._services:
            raise CallRefused(Code.UNIMPLEMENTED, f"unknown service {service}")
        raise CallRefused(Code.UNIMPLEMENTED, f"unknown method {method.decode('latin-1')} for service {service}")
