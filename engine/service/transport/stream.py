"""A stream as flow control sees it."""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["Stream"]


class Stream:
    """What may still be sent and received on a stream, and what waits to be sent.

    `remote_closed`: the peer has sent all. `closed`: nothing more goes either way; late frames are ignored.
    `trailers` is the header block that ends the stream, once it is known.
    """

    __slots__ = (
        "closed",
        "drained",
        "headers_sent",
        "pending",
        "receive_window_bytes",
        "remote_closed",
        "send_window_bytes",
        "stream_id",
        "trailers",
        "uncredited_bytes",
    )

    def __init__(self, stream_id: int, send_window_bytes: int, receive_window_bytes: int) -> None:
        self.stream_id = stream_id
        self.send_window_bytes = send_window_bytes
        self.receive_window_bytes = receive_window_bytes
        self.uncredited_bytes = 0
        self.remote_closed = False
        self.closed = False
        self.headers_sent = False
        self.pending: deque[memoryview] | None = None
        self.trailers: bytes | None = None
        self.drained: asyncio.Future[None] | None = None
