"""A gRPC call with any number of messages either way."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from engine.service.transport.call import Call
from engine.service.transport.grpc_protocol import OK_TRAILERS, PREFIX_BYTES, CallRefused, declared_bytes

__all__ = ["StreamingCall"]


class StreamingCall(Call):
    """A call whose handler starts with its head; iterate it for the requests."""

    __slots__ = ("_arrived", "_inbox")

    _inbox: deque[tuple[Any, int]]
    _arrived: asyncio.Event

    def begin(self) -> None:
        """Start the handler."""
        super().begin()
        self._body = bytearray()
        self._inbox = deque()
        self._arrived = asyncio.Event()
        self.task = self._loop.create_task(self._answer_all())

    def receive(self, data: bytes) -> None:
        """Take a part of the requests; whole messages are kept for the handler."""
        body = self._body = bytearray(self._body) + data
        start = 0
        try:
            while len(body) - start >= PREFIX_BYTES:
                end = start + PREFIX_BYTES + declared_bytes(body[start : start + PREFIX_BYTES])
                if len(body) < end:
                    break
                message = self.parse(body[start], bytes(body[start + PREFIX_BYTES : end]))
                self._inbox.append((message, end - start))
                start = end
        except CallRefused as refused:
            self.refuse(refused.code, refused.message)
        del body[:start]
        self._arrived.set()

    def finish(self) -> None:
        """Note that no more requests come."""
        self._arrived.set()

    def __aiter__(self) -> StreamingCall:
        return self

    async def __anext__(self) -> Any:
        """Return the next request; the peer may then send as much again."""
        while not self._inbox:
            if self.remote_closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        message, size_bytes = self._inbox.popleft()
        if not self.closed:
            self._sender.credit(self, size_bytes)
        return message

    async def _answer_all(self) -> None:
        handler = self._route.stream
        assert handler is not None
        try:
            async for reply in handler(self, self):
                self._sender.send_message(self, reply.SerializeToString())
                if self.pending:
                    self.drained = self._loop.create_future()
                    await self.drained
        except (Exception, asyncio.CancelledError) as error:
            self.fail(error)
        else:
            if not self.closed:
                self._forget_deadline()
                self._sender.end(self, OK_TRAILERS)
