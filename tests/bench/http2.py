"""Call a gRPC server over plain HTTP/2 with as little work as possible in the caller.

The benchmark's driver shares its cores with the server that it measures, and a grpc.aio client costs the caller about
four times what this one does. Only what unary calls with requests of one window need is here: no TLS, no compression,
header tables unused in both directions.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from dataclasses import dataclass, field

from google.protobuf.message import Message
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages

SERVICE = "/temporal.api.workflowservice.v1.WorkflowService/"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
ACK = END_STREAM = 1
END_HEADERS = 4
MAX_WINDOW_BYTES = 2**31 - 1
DEFAULT_WINDOW_BYTES = 65_535
MAX_FRAME_BYTES = 16_384
MAX_REQUEST_BYTES = 48_000
WINDOW_RETURN_BYTES = 2**24


class CallError(Exception):
    """The server answered a call with an error status, or the connection broke."""


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """Return one HTTP/2 frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream_id) + payload


def data_frames(stream_id: int, data: bytes) -> bytes:
    """Return the frames that send `data` and end the stream."""
    if len(data) <= MAX_FRAME_BYTES:
        return frame(DATA, END_STREAM, stream_id, data)
    return frame(DATA, 0, stream_id, data[:MAX_FRAME_BYTES]) + data_frames(stream_id, data[MAX_FRAME_BYTES:])


def _field(name: bytes, value: bytes) -> bytes:
    """Return a header field as a literal that enters no table; `name` is an index or a length-prefixed word."""
    return name + bytes((len(value),)) + value


def _header_block(path: str, authority: str) -> bytes:
    post, http = b"\x83", b"\x86"
    return b"".join(
        (
            post,
            http,
            _field(b"\x04", path.encode()),
            _field(b"\x01", authority.encode()),
            _field(b"\x0f\x10", b"application/grpc"),
            _field(b"\x00\x02te", b"trailers"),
            _field(b"\x00\x0cgrpc-timeout", b"70S"),
        )
    )


@dataclass(slots=True)
class _Call:
    method: str
    response_type: type[Message]
    future: asyncio.Future[Message]
    body: bytearray = field(default_factory=bytearray)


class Connection(asyncio.Protocol):
    """One connection to one server; `call` any WorkflowService method on it, any number at a time."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._calls: dict[int, _Call] = {}
        self._next_stream_id = 1
        self._methods: dict[str, tuple[bytes, type[Message]]] = {}
        self._received = b""
        self._unreturned_bytes = 0
        self._send_window_bytes = DEFAULT_WINDOW_BYTES
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._outgoing: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, address: str) -> Connection:
        """Connect to `address` (host:port)."""
        host, port = address.rsplit(":", 1)
        _, connection = await asyncio.get_running_loop().create_connection(lambda: cls(address), host, int(port))
        return connection

    def call(self, method: str, request: Message) -> asyncio.Future[Message]:
        """Send `request` to `method` of WorkflowService; the future is its response or `CallError`."""
        known = self._methods.get(method)
        if known is None:
            known = _header_block(SERVICE + method, self._address), getattr(messages, method + "Response")
            self._methods[method] = known
        header_block, response_type = known
        body = request.SerializeToString()
        if len(body) > MAX_REQUEST_BYTES:
            raise ValueError(f"a request of {len(body)} bytes may not fit in the server's window")
        stream_id = self._next_stream_id
        self._next_stream_id += 2
        future: asyncio.Future[Message] = self._loop.create_future()
        if self._transport is None or self._transport.is_closing():
            future.set_exception(CallError(f"{method}: the connection is closed"))
            return future
        self._calls[stream_id] = _Call(method, response_type, future)
        data = b"\0" + struct.pack(">I", len(body)) + body
        frames = frame(HEADERS, END_HEADERS, stream_id, header_block) + data_frames(stream_id, data)
        self._waiting.append((frames, len(data)))
        self._send_what_fits()
        return future

    def close(self) -> None:
        """Close the connection; calls in flight fail."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        header_table_size, initial_window_size = 1, 4
        settings = struct.pack(">HIHI", header_table_size, 0, initial_window_size, MAX_WINDOW_BYTES)
        more_window = struct.pack(">I", MAX_WINDOW_BYTES - DEFAULT_WINDOW_BYTES)
        transport.write(PREFACE + frame(SETTINGS, 0, 0, settings) + frame(WINDOW_UPDATE, 0, 0, more_window))

    def connection_lost(self, exc: Exception | None) -> None:
        for call in self._calls.values():
            if not call.future.done():
                call.future.set_exception(CallError(f"{call.method}: the connection was lost"))
                call.future.exception()  # a poller that was cancelled meanwhile never looks
        self._calls.clear()

    def data_received(self, data: bytes) -> None:
        buffer = self._received + data if self._received else data
        start, end = 0, len(buffer)
        while end - start >= 9:
            length = int.from_bytes(buffer[start : start + 3], "big")
            if end - start < 9 + length:
                break
            kind, flags, stream_id = struct.unpack_from(">BBI", buffer, start + 3)
            self._take_frame(kind, flags, stream_id, buffer[start + 9 : start + 9 + length])
            start += 9 + length
        self._received = buffer[start:]

    def _take_frame(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if kind == DATA:
            if stream_id in self._calls:
                self._calls[stream_id].body += payload
            self._return_window(len(payload))
        elif kind == SETTINGS and not flags & ACK:
            self._write(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self._write(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE and stream_id == 0:
            self._send_window_bytes += int.from_bytes(payload, "big")
            self._send_what_fits()
        elif kind == GOAWAY:
            self.close()
        if kind == RST_STREAM or (kind in (DATA, HEADERS) and flags & END_STREAM):
            self._finish(stream_id, payload)

    def _finish(self, stream_id: int, last_payload: bytes) -> None:
        call = self._calls.pop(stream_id, None)
        if call is None or call.future.done():
            return
        if call.body:
            call.future.set_result(call.response_type.FromString(bytes(call.body[5:])))
        else:
            call.future.set_exception(CallError(f"{call.method}: {last_payload!r}"))

    def _return_window(self, length: int) -> None:
        self._unreturned_bytes += length
        if self._unreturned_bytes > WINDOW_RETURN_BYTES:
            self._write(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", self._unreturned_bytes)))
            self._unreturned_bytes = 0

    def _send_what_fits(self) -> None:
        while self._waiting and self._waiting[0][1] <= self._send_window_bytes:
            frames, data_bytes = self._waiting.popleft()
            self._send_window_bytes -= data_bytes
            self._write(frames)

    def _write(self, data: bytes) -> None:
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(data)

    def _flush(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()
