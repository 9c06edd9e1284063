"""Call the admin service of a local server: the clock.

The SDK's core calls the services of Temporal and no others, so this speaks gRPC by itself: one call, on a connection of
its own, in clear text, which is all that a server on this machine needs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from hpack import Decoder, Encoder

__all__ = ["AdminError", "call_admin"]

_SERVICE = "dx.admin.v1.AdminService"
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_END_STREAM = _ACK = 1
_END_HEADERS = 4
_UNAVAILABLE = 14


class AdminError(Exception):
    """The call failed; `code` is gRPC's number, 12 (UNIMPLEMENTED) where the server is not dx."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


async def call_admin(address: str, method: str, request: Message) -> dict[str, Any]:
    """Make one call to the server at `address` (host:port) and return the reply.

    Raises:
        AdminError: the server can't be reached, or refuses.
    """
    try:
        async with _connected(address) as (reader, writer):
            writer.write(_PREFACE + _frame(_SETTINGS, 0, 0, b"") + _request_frames(address, method, request))
            return await _read_reply(reader, writer)
    except (OSError, EOFError) as error:
        raise AdminError(_UNAVAILABLE, f"no answer from {address}: {error}") from None


@asynccontextmanager
async def _connected(address: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    try:
        yield reader, writer
    finally:
        writer.close()


def _request_frames(address: str, method: str, request: Message) -> bytes:
    headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", f"/{_SERVICE}/{method}"),
        (":authority", address),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]
    message = request.SerializeToString()
    prefixed = b"\0" + len(message).to_bytes(4, "big") + message
    return _frame(_HEADERS, _END_HEADERS, 1, Encoder().encode(headers)) + _frame(_DATA, _END_STREAM, 1, prefixed)


async def _read_reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> dict[str, Any]:
    decoder, headers, body = Decoder(), dict[str, str](), b""
    while True:
        head = await reader.readexactly(9)
        kind, flags = head[3], head[4]
        payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
        if kind in (_SETTINGS, _PING) and not flags & _ACK:
            writer.write(_frame(kind, _ACK, 0, payload if kind == _PING else b""))
        elif kind in (_RESET, _GOAWAY):
            raise EOFError("the call was given up")
        elif kind == _DATA:
            body += payload
        elif kind == _HEADERS:
            headers.update({str(name): str(value) for name, value in decoder.decode(payload)})
        if kind in (_DATA, _HEADERS) and flags & _END_STREAM:
            break
    code = int(headers.get("grpc-status", "2"))
    if code:
        raise AdminError(code, unquote(headers.get("grpc-message", "")))
    reply: dict[str, Any] = MessageToDict(Struct.FromString(body[5:]))
    return reply


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload
