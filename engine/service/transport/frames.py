"""HTTP/2 frames: their kinds, how they are built, and what a peer can do wrong.

Source: RFC 9113, sections 4, 6 and 7.
"""

from __future__ import annotations

import struct
from typing import Final

__all__ = [
    "FRAME_HEAD",
    "FRAME_HEAD_BYTES",
    "PREFACE",
    "ConnectionFault",
    "StreamFault",
    "build_frame",
    "build_goaway",
    "build_headers",
    "build_reset",
    "build_settings",
    "build_window_update",
    "parse_settings",
    "strip_padding",
]

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

# Length (two parts), type, flags, stream id with its reserved bit.
FRAME_HEAD: Final = struct.Struct(">HBBBI")
FRAME_HEAD_BYTES: Final = 9
STREAM_ID_MASK: Final = 0x7FFF_FFFF

# Types.
DATA: Final = 0
HEADERS: Final = 1
PRIORITY: Final = 2
RST_STREAM: Final = 3
SETTINGS: Final = 4
PUSH_PROMISE: Final = 5
PING: Final = 6
GOAWAY: Final = 7
WINDOW_UPDATE: Final = 8
CONTINUATION: Final = 9

# Flags.
ACK: Final = 0x1
END_STREAM: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
HAS_PRIORITY: Final = 0x20

# Settings.
ENABLE_PUSH: Final = 2
MAX_CONCURRENT_STREAMS: Final = 3
INITIAL_WINDOW_SIZE: Final = 4
MAX_FRAME_SIZE: Final = 5
MAX_HEADER_LIST_SIZE: Final = 6

# Error codes.
NO_ERROR: Final = 0
PROTOCOL_ERROR: Final = 1
INTERNAL_ERROR: Final = 2
FLOW_CONTROL_ERROR: Final = 3
STREAM_CLOSED: Final = 5
FRAME_SIZE_ERROR: Final = 6
REFUSED_STREAM: Final = 7
CANCEL: Final = 8
COMPRESSION_ERROR: Final = 9
ENHANCE_YOUR_CALM: Final = 11

DEFAULT_WINDOW_BYTES: Final = 65_535
MAX_WINDOW_BYTES: Final = 2**31 - 1
MIN_MAX_FRAME_BYTES: Final = 16_384
MAX_MAX_FRAME_BYTES: Final = 2**24 - 1

_SETTING = struct.Struct(">HI")


class ConnectionFault(Exception):  # noqa: N818 - the RFC's "connection error", which Python means otherwise
    """End the connection: what the peer sent leaves no common state to go on with."""

    def __init__(self, error_code: int, message: str) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.message = message


class StreamFault(Exception):  # noqa: N818 - the RFC's "stream error"
    """Reset one stream; the others go on."""

    def __init__(self, stream_id: int, error_code: int) -> None:
        super().__init__(stream_id, error_code)
        self.stream_id = stream_id
        self.error_code = error_code


def build_frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """Return a frame's bytes."""
    size_bytes = len(payload)
    return FRAME_HEAD.pack(size_bytes >> 8, size_bytes & 0xFF, kind, flags, stream_id) + payload


def build_headers(stream_id: int, block: bytes, *, end_stream: bool, max_frame_bytes: int) -> bytes:
    """Return a header block as HEADERS and as many CONTINUATION frames as it takes."""
    flags = END_STREAM if end_stream else 0
    if len(block) <= max_frame_bytes:
        return build_frame(HEADERS, flags | END_HEADERS, stream_id, block)
    parts = [block[start : start + max_frame_bytes] for start in range(0, len(block), max_frame_bytes)]
    frames = [build_frame(HEADERS, flags, stream_id, parts[0])]
    frames += [build_frame(CONTINUATION, 0, stream_id, part) for part in parts[1:-1]]
    frames.append(build_frame(CONTINUATION, END_HEADERS, stream_id, parts[-1]))
    return b"".join(frames)


def build_settings(settings: dict[int, int]) -> bytes:
    """Return a SETTINGS frame."""
    return build_frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*pair) for pair in settings.items()))


def build_window_update(stream_id: int, increment_bytes: int) -> bytes:
    """Return a WINDOW_UPDATE frame; stream 0 is the connection."""
    return build_frame(WINDOW_UPDATE, 0, stream_id, increment_bytes.to_bytes(4, "big"))


def build_reset(stream_id: int, error_code: int) -> bytes:
    """Return a RST_STREAM frame."""
    return build_frame(RST_STREAM, 0, stream_id, error_code.to_bytes(4, "big"))


def build_goaway(last_stream_id: int, error_code: int, message: str = "") -> bytes:
    """Return a GOAWAY frame; `message` is for the peer's log."""
    payload = last_stream_id.to_bytes(4, "big") + error_code.to_bytes(4, "big") + message.encode()
    return build_frame(GOAWAY, 0, 0, payload)


def parse_settings(payload: bytes) -> list[tuple[int, int]]:
    """Return the settings of a SETTINGS frame, in their order.

    Raises:
        ConnectionFault: a value that is out of its range.
    """
    if len(payload) % _SETTING.size:
        raise ConnectionFault(FRAME_SIZE_ERROR, "SETTINGS of a wrong length")
    settings: list[tuple[int, int]] = list(_SETTING.iter_unpack(payload))
    for name, value in settings:
        if name == INITIAL_WINDOW_SIZE and value > MAX_WINDOW_BYTES:
            raise ConnectionFault(FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE is too large")
        if name == MAX_FRAME_SIZE and not MIN_MAX_FRAME_BYTES <= value <= MAX_MAX_FRAME_BYTES:
            raise ConnectionFault(PROTOCOL_ERROR, "MAX_FRAME_SIZE is out of range")
        if name == ENABLE_PUSH and value > 1:
            raise ConnectionFault(PROTOCOL_ERROR, "ENABLE_PUSH is neither 0 nor 1")
    return settings


def strip_padding(payload: bytes) -> bytes:
    """Return what a PADDED frame carries.

    Raises:
        ConnectionFault: the padding is longer than the frame.
    """
    if not payload:
        raise ConnectionFault(FRAME_SIZE_ERROR, "a padded frame without the length of its padding")
    end = len(payload) - payload[0]
    if end < 1:
        raise ConnectionFault(PROTOCOL_ERROR, "padding longer than its frame")
    return payload[1:end]
