"""The sending half of a connection.

Rules:
- Frames are collected and written once per turn of the event loop.
- DATA goes out as far as the peer's windows and the socket allow; the rest waits with its stream, and streams that
  wait take turns, a frame each.
- A stream's trailers follow its data. With them it is closed and leaves `streams`.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from typing import Any

from engine.service.transport import frames
from engine.service.transport.frames import ConnectionFault, StreamFault
from engine.service.transport.grpc_protocol import OK_TRAILERS, PREFIX_BYTES, REPLY_HEADERS
from engine.service.transport.stream import Stream

__all__ = ["CREDIT_BYTES", "Sender"]

CREDIT_BYTES = 64 * 1024
# Larger frames gain nothing and keep other streams waiting.
_MAX_FRAME_BYTES = 256 * 1024
# A socket that has this much unsent takes no more DATA.
_HIGH_WATER_BYTES = 512 * 1024

# A reply is HEADERS, DATA with the message's prefix, HEADERS. The first five bytes of a frame are its length and kind.
_REPLY_HEAD = frames.build_frame(frames.HEADERS, frames.END_HEADERS, 0, REPLY_HEADERS)[:5]
_REPLY_TAIL = frames.build_frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, 0, OK_TRAILERS)[:5]
_REPLY = struct.Struct(f">5sI{len(REPLY_HEADERS)}sHBHIBI")
_TAIL = struct.Struct(f">5sI{len(OK_TRAILERS)}s")


class Sender:
    """Sends on one connection; `streams` is the connection's own table of open streams, by id."""

    def __init__(self, transport: asyncio.Transport, streams: dict[int, Any]) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._streams: dict[int, Stream] = streams
        self._out: list[bytes | memoryview] = []
        self._waiting: dict[int, Stream] = {}
        self._window_bytes = frames.DEFAULT_WINDOW_BYTES
        self._max_frame_bytes = frames.MIN_MAX_FRAME_BYTES
        self._collected_bytes = 0
        self._paused = False
        self.initial_window_bytes = frames.DEFAULT_WINDOW_BYTES
        transport.set_write_buffer_limits(_HIGH_WATER_BYTES)

    @property
    def peer_host(self) -> str:
        """The peer's address."""
        return str(self._transport.get_extra_info("peername")[0])

    def send(self, frame: bytes) -> None:
        """Send a frame that no window holds back."""
        self._put(frame)

    def reply(self, stream: Stream, message: bytes) -> None:
        """Answer a unary call whose request is complete, and close its stream."""
        size_bytes = len(message) + PREFIX_BYTES
        if (
            size_bytes > self._window_bytes
            or size_bytes > stream.send_window_bytes
            or size_bytes > self._max_frame_bytes
            or self._holds_back()
        ):
            self.send_message(stream, message)
            self.end(stream, OK_TRAILERS)
            return
        stream_id = stream.stream_id
        self._window_bytes -= size_bytes
        head = _REPLY.pack(
            _REPLY_HEAD,
            stream_id,
            REPLY_HEADERS,
            size_bytes >> 8,
            size_bytes & 0xFF,
            frames.DATA << 8,
            stream_id,
            0,
            size_bytes - PREFIX_BYTES,
        )
        self._put(head)
        self._out.append(message)
        self._collected_bytes += size_bytes
        self._out.append(_TAIL.pack(_REPLY_TAIL, stream_id, OK_TRAILERS))
        self._closed(stream)

    def send_message(self, stream: Stream, message: bytes) -> None:
        """Send one message of a reply; what does not fit into the windows waits."""
        if not stream.headers_sent:
            self._headers(stream, REPLY_HEADERS, end_stream=False)
        if stream.pending is None:
            stream.pending = deque()
        prefix = b"\0" + len(message).to_bytes(4, "big")
        # A short message is copied, so that it is one frame with its prefix.
        parts = (prefix, message) if len(message) > self._max_frame_bytes else (prefix + message,)
        stream.pending.extend(memoryview(part) for part in parts if part)
        self._waiting[stream.stream_id] = stream
        self._pump()

    def end(self, stream: Stream, trailers: bytes) -> None:
        """Close a stream with a header block, after what it still has to send."""
        stream.trailers = trailers
        if not stream.pending:
            self._finish(stream)

    def refuse(self, stream: Stream, block: bytes) -> None:
        """Answer with headers alone."""
        self._headers(stream, block, end_stream=True)
        self._closed(stream)

    def reset(self, stream: Stream, error_code: int) -> None:
        """Break a stream off."""
        self._put(frames.build_reset(stream.stream_id, error_code))
        self.forget(stream)

    def forget(self, stream: Stream) -> None:
        """Drop a stream and what it still had to send."""
        stream.closed = True
        stream.pending = None
        self._waiting.pop(stream.stream_id, None)
        self._streams.pop(stream.stream_id, None)
        _wake(stream)

    def credit(self, stream: Stream, size_bytes: int) -> None:
        """Let the peer send as much again on a stream, once it is worth a frame."""
        stream.uncredited_bytes += size_bytes
        if stream.uncredited_bytes >= CREDIT_BYTES and not stream.remote_closed:
            self._put(frames.build_window_update(stream.stream_id, stream.uncredited_bytes))
            stream.receive_window_bytes += stream.uncredited_bytes
            stream.uncredited_bytes = 0

    # What the peer and the socket allow.

    def add_window(self, increment_bytes: int) -> None:
        """Take the peer's WINDOW_UPDATE of the connection.

        Raises:
            ConnectionFault: the window is larger than a window may be.
        """
        self._window_bytes += increment_bytes
        if self._window_bytes > frames.MAX_WINDOW_BYTES:
            raise ConnectionFault(frames.FLOW_CONTROL_ERROR, "the connection's window is too large")
        self._pump()

    def add_stream_window(self, stream: Stream, increment_bytes: int) -> None:
        """Take the peer's WINDOW_UPDATE of a stream.

        Raises:
            StreamFault: the window is larger than a window may be.
        """
        stream.send_window_bytes += increment_bytes
        if stream.send_window_bytes > frames.MAX_WINDOW_BYTES:
            raise StreamFault(stream.stream_id, frames.FLOW_CONTROL_ERROR)
        self._pump()

    def apply_settings(self, settings: list[tuple[int, int]]) -> None:
        """Take the peer's settings and acknowledge them.

        Raises:
            ConnectionFault: they make a stream's window larger than a window may be.
        """
        for name, value in settings:
            if name == frames.MAX_FRAME_SIZE:
                self._max_frame_bytes = min(value, _MAX_FRAME_BYTES)
            elif name == frames.INITIAL_WINDOW_SIZE:
                change_bytes = value - self.initial_window_bytes
                self.initial_window_bytes = value
                for stream in self._streams.values():
                    stream.send_window_bytes += change_bytes
                    if stream.send_window_bytes > frames.MAX_WINDOW_BYTES:
                        raise ConnectionFault(frames.FLOW_CONTROL_ERROR, "a stream's window is too large")
        self._put(frames.build_frame(frames.SETTINGS, frames.ACK, 0))
        self._pump()

    def pause(self) -> None:
        """Hold DATA back: the socket is full."""
        self._paused = True

    def resume(self) -> None:
        """Go on: the socket takes more."""
        self._paused = False
        self._pump()

    def flush(self) -> None:
        """Write what was collected."""
        out, self._out = self._out, []
        self._collected_bytes = 0
        if out and not self._transport.is_closing():
            # Not writelines: in some versions of Python it never says that the socket is full.
            self._transport.write(b"".join(out))
        self._pump()

    # The way out.

    def _put(self, frame: bytes | memoryview) -> None:
        if not self._out:
            self._loop.call_soon(self.flush)
        self._out.append(frame)

    def _headers(self, stream: Stream, block: bytes, *, end_stream: bool) -> None:
        stream.headers_sent = True
        self._put(
            frames.build_headers(stream.stream_id, block, end_stream=end_stream, max_frame_bytes=self._max_frame_bytes)
        )

    def _finish(self, stream: Stream) -> None:
        trailers = stream.trailers or b""
        self._headers(stream, trailers if stream.headers_sent else REPLY_HEADERS + trailers, end_stream=True)
        self._closed(stream)

    def _closed(self, stream: Stream) -> None:
        """Note that the reply is complete; a peer that still sends its request is told to stop."""
        if not stream.remote_closed:
            self._put(frames.build_reset(stream.stream_id, frames.NO_ERROR))
        stream.closed = True
        self._streams.pop(stream.stream_id, None)

    def _pump(self) -> None:
        """Send what waits, a frame from each stream in turn, as long as anything fits."""
        progress = bool(self._waiting)
        while progress and not self._holds_back():
            progress = False
            for stream in list(self._waiting.values()):
                if self._send_frame(stream):
                    progress = True

    def _holds_back(self) -> bool:
        return self._paused or self._collected_bytes > _HIGH_WATER_BYTES

    def _send_frame(self, stream: Stream) -> bool:
        pending = stream.pending
        if not pending:
            self._drained(stream)
            return False
        part = pending[0]
        size_bytes = min(len(part), self._max_frame_bytes, self._window_bytes, stream.send_window_bytes)
        if size_bytes <= 0:
            return False
        self._window_bytes -= size_bytes
        stream.send_window_bytes -= size_bytes
        self._put(frames.FRAME_HEAD.pack(size_bytes >> 8, size_bytes & 0xFF, frames.DATA, 0, stream.stream_id))
        self._put(part[:size_bytes])
        self._collected_bytes += size_bytes
        if size_bytes == len(part):
            pending.popleft()
            if not pending:
                self._drained(stream)
        else:
            pending[0] = part[size_bytes:]
        return True

    def _drained(self, stream: Stream) -> None:
        self._waiting.pop(stream.stream_id, None)
        if stream.trailers is not None:
            self._finish(stream)
        _wake(stream)


def _wake(stream: Stream) -> None:
    if stream.drained is not None and not stream.drained.done():
        stream.drained.set_result(None)
