"""gRPC health: whatever is served is healthy.

Source: the gRPC project's health checking protocol.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from functools import partial
from typing import Any

from google.protobuf.message import Message

from engine.core.errors import Code, ServiceError
from engine.service.service import Call
from engine.service.tooling_protos import HEALTH, load_messages
from engine.service.transport.routes import Route

__all__ = ["health_routes"]


class _UnknownService(ServiceError):  # noqa: N818 - says what happened
    code = Code.NOT_FOUND


def health_routes(services: Collection[str]) -> list[Route]:
    """Build the routes of the health service for what is served; its messages are loaded at the first call."""
    healthy = frozenset(("", *services))  # The empty name is the server as a whole.
    return [
        Route(f"/{HEALTH}.Health/Check", _parse, unary=partial(_check, healthy)),
        Route(f"/{HEALTH}.Health/Watch", _parse, stream=partial(_watch, healthy)),
    ]


def _parse(data: bytes) -> Any:
    return load_messages(HEALTH)["HealthCheckRequest"].FromString(data)


def _response(status: str) -> Message:
    response: Message = load_messages(HEALTH)["HealthCheckResponse"](status=status)
    return response


async def _check(healthy: frozenset[str], request: Any, call: Call) -> Message:
    """Answer SERVING, or NOT_FOUND for what is not served."""
    if request.service not in healthy:
        raise _UnknownService("unknown service")
    return _response("SERVING")


async def _watch(healthy: frozenset[str], requests: AsyncIterator[Any], call: Call) -> AsyncIterator[Message]:
    """Answer once, and again when it changes: never, while the server runs."""
    async for request in requests:
        yield _response("SERVING" if request.service in healthy else "SERVICE_UNKNOWN")
        await asyncio.Event().wait()
