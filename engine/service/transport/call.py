"""A gRPC call: from the request's head to the reply's trailers.

Rules:
- A call is answered once: by its handler's reply or error, by a refusal, or by its deadline.
- A call that the peer has given up has its handler cancelled at once and is not answered.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from google.protobuf.message import DecodeError

from engine.core.errors import Code, ServiceError
from engine.service.transport.deadlines import Deadlines
from engine.service.transport.grpc_protocol import (
    PREFIX_BYTES,
    REPLY_HEADERS,
    CallRefused,
    build_trailers,
    declared_bytes,
    inflate,
)
from engine.service.transport.request_head import RequestHead
from engine.service.transport.routes import Route, UnaryHandler
from engine.service.transport.sender import Sender
from engine.service.transport.stream import Stream

__all__ = ["Call", "is_loopback"]

logger = logging.getLogger("dx.service")


class Call(Stream):
    """A unary call, on its stream."""

    __slots__ = ("_body", "_deadline", "_deadline_slot", "_deadlines", "_head", "_loop", "_route", "_sender", "task")

    def __init__(
        self,
        stream_id: int,
        receive_window_bytes: int,
        head: RequestHead,
        route: Route,
        sender: Sender,
        deadlines: Deadlines,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(stream_id, sender.initial_window_bytes, receive_window_bytes)
        self._head = head
        self._route = route
        self._sender = sender
        self._deadlines = deadlines
        self._loop = loop
        self._body: bytes | bytearray = b""
        self.task: asyncio.Task[None] | None = None
        self._deadline: float | None = None
        self._deadline_slot = 0

    # What a handler may ask.

    def time_remaining(self) -> float | None:
        """Return the seconds until the caller's deadline; None without one."""
        return None if self._deadline is None else max(0.0, self._deadline - self._loop.time())

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        """Return the caller's metadata."""
        return self._head.metadata

    def is_from_this_machine(self) -> bool:
        """Say whether the caller is on the server's own machine."""
        return is_loopback(self._sender.peer_host)

    # What happens to the call.

    def begin(self) -> None:
        """Note the head: the caller's time runs."""
        if self._head.timeout_seconds is not None:
            self._deadline = self._loop.time() + self._head.timeout_seconds
            self._deadline_slot = self._deadlines.add(self, self._deadline)

    def receive(self, data: bytes) -> None:
        """Take a part of the request."""
        if not self._body:
            self._body = data
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += data
        if len(self._body) >= PREFIX_BYTES:
            try:
                declared_bytes(self._body)
            except CallRefused as refused:
                self.refuse(refused.code, refused.message)

    def finish(self) -> None:
        """Note the request's end: hand it to the handler."""
        body, self._body = self._body, b""
        handler = self._route.unary
        assert handler is not None
        try:
            if len(body) < PREFIX_BYTES or len(body) != PREFIX_BYTES + declared_bytes(body):
                raise CallRefused(Code.INTERNAL, "the request is not exactly one message")
            request = self.parse(body[0], body[PREFIX_BYTES:] if type(body) is bytes else memoryview(body)[5:])
        except CallRefused as refused:
            self.refuse(refused.code, refused.message)
            return
        self.task = self._loop.create_task(self._answer(handler, request))

    def parse(self, flag: int, data: Any) -> Any:
        """Return a message of the request.

        Args:
            flag: the prefix's first byte: 1 for a compressed message.
            data: what follows the prefix.

        Raises:
            CallRefused: it can't be read.
        """
        if flag:
            if flag != 1 or not self._head.compressed:
                raise CallRefused(Code.INTERNAL, "grpc: compressed flag set with identity or empty encoding")
            data = inflate(data)
        try:
            return self._route.parse(data)
        except DecodeError:
            raise CallRefused(Code.INTERNAL, "grpc: error unmarshalling request: the message is malformed") from None

    def expire(self) -> None:
        """End the call: its deadline has passed."""
        self.refuse(Code.DEADLINE_EXCEEDED, "context deadline exceeded")

    def refuse(self, code: int, message: str, status: bytes | None = None) -> None:
        """End the call with an error, unless it has ended; its handler is cancelled."""
        self._forget_deadline()
        if not self.closed and self.trailers is None:
            trailers = build_trailers(code, message, status)
            if self.headers_sent:
                self._sender.end(self, trailers)
            else:
                self._sender.refuse(self, REPLY_HEADERS + trailers)
        self._cancel()

    def abandon(self) -> None:
        """Drop the call: its peer, or the connection, has."""
        self._forget_deadline()
        self._sender.forget(self)
        self._cancel()

    async def _answer(self, handler: UnaryHandler, request: Any) -> None:
        try:
            reply = await handler(request, self)
            message = reply if isinstance(reply, bytes) else reply.SerializeToString()
        except (Exception, asyncio.CancelledError) as error:
            self.fail(error)
        else:
            if not self.closed:
                self._forget_deadline()
                self._sender.reply(self, message)

    def fail(self, error: BaseException) -> None:
        """End the call with what its handler raised; called in the handler's task, as its last act."""
        self.task = None
        if isinstance(error, ServiceError):
            self.refuse(error.code, error.message, None if error.detail is None else error.to_status_bytes())
        elif isinstance(error, CallRefused):
            self.refuse(error.code, error.message)
        elif isinstance(error, asyncio.CancelledError):
            self.refuse(Code.CANCELLED, "the call was cancelled")
        else:
            name = self._route.path.rpartition("/")[2]
            logger.error("internal error in %s", name, exc_info=error)
            self.refuse(Code.INTERNAL, f"internal error in {name}; the server's log has its cause")

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadlines.discard(self, self._deadline_slot)

    def _cancel(self) -> None:
        task, self.task = self.task, None
        if task is not None:
            task.cancel()


def is_loopback(host: str) -> bool:
    """Say whether an address of a peer is this machine's own."""
    from ipaddress import ip_address

    address = ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
