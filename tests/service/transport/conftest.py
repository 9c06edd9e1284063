"""A server of this process with a service made for its transport."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import BytesValue, Int64Value, StringValue

from engine.core.errors import NotFound
from engine.service.transport.call import Call
from engine.service.transport.routes import Route
from engine.service.transport.server import TransportServer
from tests.service.transport.peer import SERVICE, Peer, connected


@dataclass
class Toy:
    """What its handlers saw."""

    port: int = 0
    waiting: int = 0
    cancelled: int = 0
    remaining: float | None = None
    metadata: dict[str, str | bytes] = field(default_factory=dict)
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    async def echo(self, request: BytesValue, call: Call) -> Message:
        self.remaining = call.time_remaining()
        self.metadata = dict(call.invocation_metadata())
        return request

    async def large(self, request: Int64Value, call: Call) -> bytes:
        return BytesValue(value=b"x" * request.value).SerializeToString()

    async def wait(self, request: BytesValue, call: Call) -> Message:
        self.waiting += 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.waiting -= 1
            if self.waiting == 0:
                self.idle.set()
        return request

    async def fail(self, request: StringValue, call: Call) -> Message:
        if not request.value:
            raise ZeroDivisionError
        raise NotFound(request.value)

    async def count(self, requests: AsyncIterator[Int64Value], call: Call) -> AsyncIterator[Message]:
        async for request in requests:
            for number in range(request.value):
                yield Int64Value(value=number)

    def routes(self) -> list[Route]:
        return [
            Route(f"{SERVICE}Echo", BytesValue.FromString, unary=self.echo),
            Route(f"{SERVICE}Large", Int64Value.FromString, unary=self.large),
            Route(f"{SERVICE}Wait", BytesValue.FromString, unary=self.wait),
            Route(f"{SERVICE}Fail", StringValue.FromString, unary=self.fail),
            Route(f"{SERVICE}Count", Int64Value.FromString, stream=self.count),
        ]


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Toy, TransportServer]]:
    """Run a server that must leave no task behind."""
    before = asyncio.all_tasks()
    toy = Toy()
    server = TransportServer(toy.routes())
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    toy.port = listener.getsockname()[1]
    await server.start(listener)
    yield toy, server
    await server.stop(0.5)
    await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left
    assert toy.waiting == 0


@pytest.fixture
async def toy() -> AsyncIterator[Toy]:
    """What a server's handlers saw."""
    async with serving() as (toy, _):
        yield toy


@pytest.fixture
async def peer(toy: Toy) -> AsyncIterator[Peer]:
    """A connection to it."""
    async with connected(toy.port) as peer:
        yield peer
