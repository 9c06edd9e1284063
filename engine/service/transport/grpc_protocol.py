"""What gRPC puts into HTTP/2: message prefixes, compression, timeouts, metadata, statuses as header blocks.

Source: the gRPC project's description of gRPC over HTTP/2.
"""

from __future__ import annotations

import base64
import binascii
import re
import urllib.parse
import zlib
from collections.abc import Iterable
from typing import Final

from engine.core.errors import Code
from engine.core.policy.limits import MAX_GRPC_MESSAGE_BYTES

__all__ = [
    "OK_TRAILERS",
    "PREFIX_BYTES",
    "REPLY_HEADERS",
    "CallRefused",
    "build_refusal",
    "build_trailers",
    "declared_bytes",
    "decode_metadata",
    "inflate",
    "parse_timeout",
]

# A message's prefix: one byte "compressed", four of length.
PREFIX_BYTES: Final = 5

_SECONDS_PER_UNIT: Final = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_TIMEOUT: Final = re.compile(r"([0-9]{1,8})([HMSmun])")
# All that may stand as it is in grpc-message: printable ASCII without the percent sign.
_PLAIN: Final = "".join(chr(each) for each in range(0x20, 0x7F) if each != ord("%"))
_HTTP_FIELDS: Final = frozenset((b"te", b"content-type", b"content-length", b"accept-encoding"))
# Takes the formats of both gzip and deflate.
_ZLIB_OR_GZIP: Final = 47


class CallRefused(Exception):  # noqa: N818 - says what happened
    """Answer a call with a status before it has reached its handler."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _encode_length(size_bytes: int) -> bytes:
    """Return a length as HPACK writes it: a prefix of seven bits, no Huffman code."""
    if size_bytes < 0x7F:
        return bytes((size_bytes,))
    out, size_bytes = bytearray((0x7F,)), size_bytes - 0x7F
    while size_bytes >= 0x80:
        out.append(size_bytes & 0x7F | 0x80)
        size_bytes >>= 7
    out.append(size_bytes)
    return bytes(out)


def _literal(name: bytes, value: bytes) -> bytes:
    """Return a header field that enters no table, so that blocks are the same on every connection."""
    return b"\x00" + _encode_length(len(name)) + name + _encode_length(len(value)) + value


_STATUS_200: Final = b"\x88"
REPLY_HEADERS: Final = _STATUS_200 + _literal(b"content-type", b"application/grpc")
OK_TRAILERS: Final = _literal(b"grpc-status", b"0")


def build_trailers(code: int, message: str, status: bytes | None = None) -> bytes:
    """Return the header block of a call's end.

    Args:
        status: a serialized google.rpc.Status with details, or None without any.
    """
    block = _literal(b"grpc-status", b"%d" % code)
    if message:
        block += _literal(b"grpc-message", urllib.parse.quote(message, safe=_PLAIN).encode())
    if status is not None:
        block += _literal(b"grpc-status-details-bin", base64.b64encode(status).rstrip(b"="))
    return block


def build_refusal(http_status: int) -> bytes:
    """Return the header block that answers what is not a gRPC call."""
    return _literal(b":status", b"%d" % http_status)


ACCEPTED_ENCODINGS: Final = _literal(b"grpc-accept-encoding", b"identity,deflate,gzip")


def parse_timeout(text: str) -> float:
    """Return the seconds of a grpc-timeout header.

    Raises:
        CallRefused: it is malformed.
    """
    found = _TIMEOUT.fullmatch(text)
    if found is None:
        raise CallRefused(Code.INTERNAL, f"malformed grpc-timeout: {text!r}")
    return int(found[1]) * _SECONDS_PER_UNIT[found[2]]


def decode_metadata(fields: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str | bytes], ...]:
    """Return a call's custom metadata: text, and bytes where the name ends in -bin.

    Raises:
        CallRefused: bytes that are not base64.
    """
    metadata: list[tuple[str, str | bytes]] = []
    for name, value in fields:
        if name.startswith((b":", b"grpc-")) or name in _HTTP_FIELDS:
            continue
        if not name.endswith(b"-bin"):
            metadata.append((name.decode("latin-1"), value.decode("latin-1")))
            continue
        for part in value.split(b","):
            part = part.strip().rstrip(b"=")
            try:
                decoded = base64.b64decode(part + b"=" * (-len(part) % 4), validate=True)
            except binascii.Error:
                raise CallRefused(Code.INTERNAL, f"malformed binary metadata in {name.decode('latin-1')}") from None
            metadata.append((name.decode("latin-1"), decoded))
    return tuple(metadata)


def declared_bytes(body: bytes | bytearray) -> int:
    """Return the length that a message's prefix declares.

    Raises:
        CallRefused: it is more than this server takes.
    """
    size_bytes = int.from_bytes(body[1:PREFIX_BYTES], "big")
    if size_bytes > MAX_GRPC_MESSAGE_BYTES:
        raise CallRefused(
            Code.RESOURCE_EXHAUSTED,
            f"grpc: received message larger than max ({size_bytes} vs. {MAX_GRPC_MESSAGE_BYTES})",
        )
    return size_bytes


def inflate(data: bytes | bytearray | memoryview) -> bytes:
    """Return a compressed message as it was.

    Raises:
        CallRefused: it is damaged, or larger than this server takes.
    """
    decompressor = zlib.decompressobj(_ZLIB_OR_GZIP)
    try:
        message = decompressor.decompress(data, MAX_GRPC_MESSAGE_BYTES + 1)
    except zlib.error:
        raise CallRefused(Code.INTERNAL, "grpc: failed to decompress the received message") from None
    if len(message) > MAX_GRPC_MESSAGE_BYTES:
        raise CallRefused(
            Code.RESOURCE_EXHAUSTED,
            f"grpc: received message after decompression larger than max {MAX_GRPC_MESSAGE_BYTES}",
        )
    if not decompressor.eof:
        raise CallRefused(Code.INTERNAL, "grpc: failed to decompress the received message")
    return message
