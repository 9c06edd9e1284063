"""The receiving half of a connection: frames in, calls begun, fed, ended.

Rules:
- What a peer does wrong ends its stream or its connection with the RFC's error code, never the server.
- Frames of a kind that is not known, priorities, and what still comes for a closed stream are ignored.
- A stream's window holds the largest request; a request is refused by its size before the window is used up.

Source: RFC 9113.
"""

from __future__ import annotations

import asyncio
import logging
import socket

from engine.core.policy.limits import MAX_GRPC_MESSAGE_BYTES
from engine.service.transport import frames
from engine.service.transport.call import Call
from engine.service.transport.deadlines import Deadlines
from engine.service.transport.frames import ConnectionFault, StreamFault
from engine.service.transport.request_head import MAX_HEADER_LIST_BYTES, RequestHeadDecoder
from engine.service.transport.routes import Routes
from engine.service.transport.sender import CREDIT_BYTES, Sender
from engine.service.transport.stream import Stream
from engine.service.transport.streaming_call import StreamingCall

__all__ = ["Connection"]

MAX_CONCURRENT_STREAMS = 100_000
# The largest message with its prefix, and what may be received before it is credited.
STREAM_WINDOW_BYTES = MAX_GRPC_MESSAGE_BYTES + 2 * CREDIT_BYTES
CONNECTION_WINDOW_BYTES = 64 * 1024 * 1024
MAX_CONTINUATIONS = 256
# A peer that reads nothing isn't listened to either, beyond this much that waits for it.
_MAX_UNREAD_BYTES = 4 * 1024 * 1024
# A connection that was ended is cut off after this, if the peer doesn't take the rest.
_CLOSE_SECONDS = 2.0

_GREETING = frames.build_settings(
    {
        frames.MAX_CONCURRENT_STREAMS: MAX_CONCURRENT_STREAMS,
        frames.INITIAL_WINDOW_SIZE: STREAM_WINDOW_BYTES,
        frames.MAX_HEADER_LIST_SIZE: MAX_HEADER_LIST_BYTES,
    }
) + frames.build_window_update(0, CONNECTION_WINDOW_BYTES - frames.DEFAULT_WINDOW_BYTES)

logger = logging.getLogger("dx.service")


class Connection(asyncio.Protocol):
    """One client's connection; it puts itself into `connections` while it is open."""

    def __init__(self, routes: Routes, deadlines: Deadlines, connections: set[Connection]) -> None:
        self._loop = asyncio.get_running_loop()
        self._routes = routes
        self._deadlines = deadlines
        self._connections = connections
        self._decoder = RequestHeadDecoder(routes)
        self._calls: dict[int, Call] = {}
        self._received = b""
        self._greeted = False
        self._configured = False
        self._ended = False
        self._stopping = False
        self._last_stream_id = 0
        self._window_bytes = CONNECTION_WINDOW_BYTES
        # A header block that goes on in CONTINUATION frames: its stream, the flags of HEADERS, its parts.
        self._block: tuple[int, int, list[bytes]] | None = None

    # asyncio's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet the peer."""
        assert isinstance(transport, asyncio.Transport)
        # asyncio does so only where the listening socket was made with the number of the protocol. Without it, a reply
        # that follows another one waits for the peer's delayed acknowledgement: 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport
        self._sender = Sender(transport, self._calls)
        self._connections.add(self)
        self._sender.send(_GREETING)

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop all calls."""
        self._ended = True
        self._connections.discard(self)
        self._abandon_calls()

    def pause_writing(self) -> None:
        """Hold replies back."""
        self._sender.pause()

    def resume_writing(self) -> None:
        """Go on with replies, and with listening."""
        self._transport.resume_reading()
        self._sender.resume()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._ended:
            return
        try:
            self._take(self._received + data if self._received else data)
        except ConnectionFault as fault:
            self._end(fault.error_code, fault.message)
        except Exception:
            logger.exception("internal error on a connection")
            self._end(frames.INTERNAL_ERROR, "internal error")
        if self._transport.get_write_buffer_size() > _MAX_UNREAD_BYTES:
            self._transport.pause_reading()

    # The server's side.

    def handlers(self) -> list[asyncio.Task[None]]:
        """Return the handlers that are at work."""
        return [call.task for call in self._calls.values() if call.task is not None]

    def stop(self) -> None:
        """Take no more calls; those that are open go on."""
        if not self._ended and not self._stopping:
            self._stopping = True
            self._sender.send(frames.build_goaway(self._last_stream_id, frames.NO_ERROR))

    def close(self) -> None:
        """Drop what is open and close the connection."""
        if not self._ended:
            self._end(frames.NO_ERROR, "")

    def _end(self, error_code: int, message: str) -> None:
        """Say why, and close: what is under way is dropped."""
        self._ended = True
        self._received = b""
        self._sender.send(frames.build_goaway(self._last_stream_id, error_code, message))
        self._abandon_calls()
        self._sender.flush()
        self._transport.close()
        self._loop.call_later(_CLOSE_SECONDS, self._transport.abort)

    def _abandon_calls(self) -> None:
        for call in list(self._calls.values()):
            call.abandon()

    # Frames.

    def _take(self, data: bytes) -> None:
        position, end = 0, len(data)
        if not self._greeted:
            if not frames.PREFACE.startswith(data[: len(frames.PREFACE)]):
                raise ConnectionFault(frames.PROTOCOL_ERROR, "this is a gRPC server: HTTP/2 without TLS")
            if end < len(frames.PREFACE):
                self._received = data
                return
            position, self._greeted = len(frames.PREFACE), True
        unpack = frames.FRAME_HEAD.unpack_from
        while end - position >= frames.FRAME_HEAD_BYTES:
            high, low, kind, flags, stream_id = unpack(data, position)
            size_bytes = high << 8 | low
            if size_bytes > frames.MIN_MAX_FRAME_BYTES:
                raise ConnectionFault(frames.FRAME_SIZE_ERROR, "a frame is too large")
            start = position + frames.FRAME_HEAD_BYTES
            if start + size_bytes > end:
                break
            position = start + size_bytes
            try:
                self._take_frame(kind, flags, stream_id & frames.STREAM_ID_MASK, data[start:position])
            except StreamFault as fault:
                self._reset(fault.stream_id, fault.error_code)
        self._received = data[position:]

    def _take_frame(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if self._block is not None and kind != frames.CONTINUATION:
            raise ConnectionFault(frames.PROTOCOL_ERROR, "a header block was interrupted")
        if not self._configured and kind != frames.SETTINGS:
            raise ConnectionFault(frames.PROTOCOL_ERROR, "the first frame is not SETTINGS")
        if kind == frames.DATA:
            self._take_data(flags, stream_id, payload)
        elif kind == frames.HEADERS:
            self._take_headers(flags, stream_id, payload)
        elif kind == frames.WINDOW_UPDATE:
            self._take_window_update(stream_id, payload)
        elif kind == frames.RST_STREAM:
            self._take_reset(stream_id, payload)
        elif kind == frames.CONTINUATION:
            self._take_continuation(flags, stream_id, payload)
        elif kind == frames.PRIORITY:
            _check_stream(stream_id)
            if len(payload) != 5:
                raise StreamFault(stream_id, frames.FRAME_SIZE_ERROR)
        elif kind in (frames.SETTINGS, frames.PING, frames.GOAWAY):
            if stream_id:
                raise ConnectionFault(frames.PROTOCOL_ERROR, "a frame of the connection came on a stream")
            if kind == frames.SETTINGS:
                self._take_settings(flags, payload)
            elif kind == frames.PING:
                self._take_ping(flags, payload)
        elif kind == frames.PUSH_PROMISE:
            raise ConnectionFault(frames.PROTOCOL_ERROR, "a client may not push")

    def _take_data(self, flags: int, stream_id: int, payload: bytes) -> None:
        _check_stream(stream_id)
        size_bytes = len(payload)
        self._window_bytes -= size_bytes
        if self._window_bytes < 0:
            raise ConnectionFault(frames.FLOW_CONTROL_ERROR, "more DATA than the connection's window")
        if self._window_bytes < CONNECTION_WINDOW_BYTES // 2:
            self._sender.send(frames.build_window_update(0, CONNECTION_WINDOW_BYTES - self._window_bytes))
            self._window_bytes = CONNECTION_WINDOW_BYTES
        call = self._calls.get(stream_id)
        if call is None:
            self._check_not_idle(stream_id)
            return
        if call.remote_closed:
            raise StreamFault(stream_id, frames.STREAM_CLOSED)
        call.receive_window_bytes -= size_bytes
        if call.receive_window_bytes < 0:
            raise StreamFault(stream_id, frames.FLOW_CONTROL_ERROR)
        if flags & frames.PADDED:
            payload = frames.strip_padding(payload)
            self._sender.credit(call, size_bytes - len(payload))
        if flags & frames.END_STREAM:
            call.remote_closed = True
        if payload:
            call.receive(payload)
        if flags & frames.END_STREAM and not call.closed:
            call.finish()

    def _take_headers(self, flags: int, stream_id: int, payload: bytes) -> None:
        _check_stream(stream_id)
        if flags & frames.PADDED:
            payload = frames.strip_padding(payload)
        if flags & frames.HAS_PRIORITY:
            if len(payload) < 5:
                raise ConnectionFault(frames.FRAME_SIZE_ERROR, "HEADERS without the priority that it announces")
            payload = payload[5:]
        if flags & frames.END_HEADERS:
            self._take_block(flags, stream_id, payload)
        else:
            self._block = stream_id, flags, [payload]

    def _take_continuation(self, flags: int, stream_id: int, payload: bytes) -> None:
        if self._block is None or self._block[0] != stream_id:
            raise ConnectionFault(frames.PROTOCOL_ERROR, "CONTINUATION of no header block")
        _, first_flags, parts = self._block
        parts.append(payload)
        if len(parts) > MAX_CONTINUATIONS:
            raise ConnectionFault(frames.ENHANCE_YOUR_CALM, "too many CONTINUATION frames")
        if flags & frames.END_HEADERS:
            self._block = None
            self._take_block(first_flags, stream_id, b"".join(parts))

    def _take_block(self, flags: int, stream_id: int, block: bytes) -> None:
        """Take a complete header block: a request's head, or what follows its body."""
        if not stream_id & 1:
            raise ConnectionFault(frames.PROTOCOL_ERROR, "a client's streams have odd ids")
        if stream_id <= self._last_stream_id:
            self._take_trailers(flags, stream_id, block)
            return
        self._last_stream_id = stream_id
        head = self._decoder.decode(stream_id, block)
        if self._stopping or len(self._calls) >= MAX_CONCURRENT_STREAMS:
            raise StreamFault(stream_id, frames.REFUSED_STREAM)
        complete = bool(flags & frames.END_STREAM)
        if head.route is None:
            refused = Stream(stream_id, 0, 0)
            refused.remote_closed = complete
            self._sender.refuse(refused, head.refusal)
            return
        kind = StreamingCall if head.route.unary is None else Call
        call = kind(stream_id, STREAM_WINDOW_BYTES, head, head.route, self._sender, self._deadlines, self._loop)
        self._calls[stream_id] = call
        call.begin()
        if complete:
            call.remote_closed = True
            call.finish()

    def _take_trailers(self, flags: int, stream_id: int, block: bytes) -> None:
        self._decoder.decode_fields(block)
        call = self._calls.get(stream_id)
        if call is None:
            raise ConnectionFault(frames.STREAM_CLOSED, "HEADERS on a closed stream")
        if call.remote_closed:
            raise StreamFault(stream_id, frames.STREAM_CLOSED)
        if not flags & frames.END_STREAM:
            raise StreamFault(stream_id, frames.PROTOCOL_ERROR)
        call.remote_closed = True
        call.finish()

    def _take_window_update(self, stream_id: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise ConnectionFault(frames.FRAME_SIZE_ERROR, "WINDOW_UPDATE of a wrong length")
        increment_bytes = int.from_bytes(payload, "big") & frames.MAX_WINDOW_BYTES
        if not stream_id:
            if not increment_bytes:
                raise ConnectionFault(frames.PROTOCOL_ERROR, "WINDOW_UPDATE of nothing")
            self._sender.add_window(increment_bytes)
            return
        self._check_not_idle(stream_id)
        if not increment_bytes:
            raise StreamFault(stream_id, frames.PROTOCOL_ERROR)
        call = self._calls.get(stream_id)
        if call is not None:
            self._sender.add_stream_window(call, increment_bytes)

    def _take_reset(self, stream_id: int, payload: bytes) -> None:
        _check_stream(stream_id)
        if len(payload) != 4:
            raise ConnectionFault(frames.FRAME_SIZE_ERROR, "RST_STREAM of a wrong length")
        self._check_not_idle(stream_id)
        call = self._calls.get(stream_id)
        if call is not None:
            call.abandon()

    def _take_settings(self, flags: int, payload: bytes) -> None:
        if flags & frames.ACK:
            if payload:
                raise ConnectionFault(frames.FRAME_SIZE_ERROR, "an acknowledgement with settings")
            return
        self._configured = True
        self._sender.apply_settings(frames.parse_settings(payload))

    def _take_ping(self, flags: int, payload: bytes) -> None:
        if len(payload) != 8:
            raise ConnectionFault(frames.FRAME_SIZE_ERROR, "PING of a wrong length")
        if not flags & frames.ACK:
            self._sender.send(frames.build_frame(frames.PING, frames.ACK, 0, payload))

    def _check_not_idle(self, stream_id: int) -> None:
        if stream_id > self._last_stream_id or not stream_id & 1:
            raise ConnectionFault(frames.PROTOCOL_ERROR, "a frame on a stream that was never opened")

    def _reset(self, stream_id: int, error_code: int) -> None:
        call = self._calls.get(stream_id)
        self._sender.send(frames.build_reset(stream_id, error_code))
        if call is not None:
            call.abandon()


def _check_stream(stream_id: int) -> None:
    if not stream_id:
        raise ConnectionFault(frames.PROTOCOL_ERROR, "a frame of a stream came on the connection")
