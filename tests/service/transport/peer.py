"""A client that speaks frames, right or wrong, to a server of this process."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
ACK = END_STREAM = 0x1
END_HEADERS, PADDED, HAS_PRIORITY = 0x4, 0x8, 0x20
INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 4, 5
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 2, 3
STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR = 5, 6, 7, 8, 9
ENHANCE_YOUR_CALM = 11

SERVICE = "/toy.Toy/"
PATIENCE_SECONDS = 5


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big") + payload


def settings(*pairs: tuple[int, int]) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def window_update(stream_id: int, increment_bytes: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream_id, struct.pack(">I", increment_bytes))


def message(data: bytes, *, compressed: bool = False) -> bytes:
    return bytes((compressed,)) + struct.pack(">I", len(data)) + data


def request_headers(method: str, **changes: str | None) -> list[tuple[str, str]]:
    """Return a call's headers; `content_type=None` leaves one out, `_path=` changes `:path`."""
    headers: dict[str, str | None] = {
        ":method": "POST",
        ":scheme": "http",
        ":path": SERVICE + method,
        ":authority": "here",
        "te": "trailers",
        "content-type": "application/grpc",
    }
    for name, value in changes.items():
        headers[name.replace("_", ":", 1) if name.startswith("_") else name.replace("_", "-")] = value
    return [(name, value) for name, value in headers.items() if value is not None]


@dataclass
class Reply:
    """What came on a stream so far."""

    headers: list[dict[str, str]] = field(default_factory=list)
    data: bytes = b""
    ended: bool = False
    reset: int | None = None

    @property
    def status(self) -> int:
        return int(self.headers[-1]["grpc-status"])

    @property
    def text(self) -> str:
        return self.headers[-1].get("grpc-message", "")


class Peer:
    """One connection; `goaway` is the error code of the server's GOAWAY."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder(max_header_list_size=2**20)
        self.replies: dict[int, Reply] = {}
        self.frames: list[tuple[int, int, int, bytes]] = []
        self.goaway: int | None = None
        self.closed = False
        self.credit = True
        self._block = b""
        self._changed = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def send(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))
        await self.writer.drain()

    def block(self, headers: Iterable[tuple[str, str]]) -> bytes:
        return self.encoder.encode(list(headers))

    def open(self, stream_id: int, method: str, *, end: bool = False, **changes: str | None) -> bytes:
        """Return the HEADERS frame of a call."""
        flags = END_HEADERS | (END_STREAM if end else 0)
        return frame(HEADERS, flags, stream_id, self.block(request_headers(method, **changes)))

    def call(self, stream_id: int, method: str, data: bytes = b"", **changes: str | None) -> bytes:
        """Return the frames of a whole call with a small request."""
        return self.open(stream_id, method, **changes) + frame(DATA, END_STREAM, stream_id, message(data))

    async def ended(self, stream_id: int) -> Reply:
        """Return a stream's reply once it has ended or was reset."""
        await self.until(lambda: self.reply(stream_id).ended or self.reply(stream_id).reset is not None)
        return self.reply(stream_id)

    def reply(self, stream_id: int) -> Reply:
        return self.replies.setdefault(stream_id, Reply())

    async def until(self, condition: Any) -> None:
        """Wait until `condition` holds, looking after each frame."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(condition)

    async def ping(self, data: bytes = b"12345678") -> None:
        """Return once the server has taken all that was sent before."""
        before = self._count(PING)
        await self.send(frame(PING, 0, 0, data))
        await self.until(lambda: self._count(PING) > before or self.closed)
        assert not self.closed, f"the server has closed the connection: {self.goaway}"

    async def settle(self) -> None:
        """Return once the server has also done what a handler of two turns does."""
        for _ in range(3):
            await self.ping()

    def _count(self, kind: int) -> int:
        return sum(1 for each in self.frames if each[0] == kind)

    async def close(self) -> None:
        self._reading.cancel()
        self.writer.close()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        try:
            while True:
                head = await self.reader.readexactly(9)
                payload = await self.reader.readexactly(int.from_bytes(head[:3], "big"))
                self._take(head[3], head[4], int.from_bytes(head[5:], "big"), payload)
                async with self._changed:
                    self._changed.notify_all()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.closed = True
            async with self._changed:
                self._changed.notify_all()

    def _take(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        self.frames.append((kind, flags, stream_id, payload))
        reply = self.reply(stream_id)
        if kind in (HEADERS, CONTINUATION):
            self._block += payload
            if flags & END_HEADERS:
                reply.headers.append(dict(self.decoder.decode(self._block)))
                self._block = b""
        elif kind == DATA:
            reply.data += payload
            if self.credit and payload:
                self.writer.write(window_update(0, len(payload)) + window_update(stream_id, len(payload)))
        elif kind == RST_STREAM:
            reply.reset = int.from_bytes(payload, "big")
        elif kind == GOAWAY:
            self.goaway = int.from_bytes(payload[4:8], "big")
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            reply.ended = True


@asynccontextmanager
async def connected(port: int, *first: bytes, greet: bool = True) -> AsyncIterator[Peer]:
    """Connect; greet with the preface and `first` (empty SETTINGS if there is none)."""
    peer = Peer(*await asyncio.open_connection("127.0.0.1", port))
    try:
        if greet:
            await peer.send(PREFACE, *(first or (settings(),)))
        yield peer
    finally:
        await peer.close()
