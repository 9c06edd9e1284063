"""Header blocks of requests: decompressed, checked, and read as gRPC.

A client's calls differ little: once its header table is settled, the same bytes come again and again. A block that
leaves the table as it is means the same until the table changes, so what was read from it is kept.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from hpack import Decoder, HPACKError, OversizedHeaderListError
from hpack.table import HeaderTable

from engine.core.errors import Code
from engine.service.transport import frames
from engine.service.transport.frames import ConnectionFault, StreamFault
from engine.service.transport.grpc_protocol import (
    ACCEPTED_ENCODINGS,
    REPLY_HEADERS,
    CallRefused,
    build_refusal,
    build_trailers,
    decode_metadata,
    parse_timeout,
)
from engine.service.transport.routes import Route, Routes

__all__ = ["MAX_HEADER_LIST_BYTES", "RequestHead", "RequestHeadDecoder"]

# As much metadata as the reference server takes.
MAX_HEADER_LIST_BYTES = 1024 * 1024

# HPACK's change of the table's size: the top three bits of a block's first byte.
_SIZE_UPDATE = 0x20
_MAX_KEPT_BLOCKS = 64
_MAX_KEPT_BLOCK_BYTES = 2048
_CONNECTION_FIELDS = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"))
_REQUEST_FIELDS = frozenset((b":method", b":scheme", b":path", b":authority"))
_COMPRESSIONS = (b"gzip", b"deflate")

# Its entries for every field of every request would drown a debug log.
logging.getLogger("hpack").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class RequestHead:
    """What a request's headers say.

    Args:
        route: the RPC; None if `refusal` answers the request.
        refusal: the header block that answers it at once.
        timeout_seconds: the caller's, or None.
        compressed: messages may come compressed.
        metadata: the caller's.
    """

    route: Route | None = None
    refusal: bytes = b""
    timeout_seconds: float | None = None
    compressed: bool = False
    metadata: tuple[tuple[str, str | bytes], ...] = ()


class _Table(HeaderTable):
    """A header table that tells when an entry came in."""

    version = 0

    def add(self, name: bytes, value: bytes) -> None:
        self.version += 1
        super().add(name, value)


class RequestHeadDecoder:
    """Reads the header blocks of one connection, in their order."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._decoder = Decoder(MAX_HEADER_LIST_BYTES)
        self._table = self._decoder.header_table = _Table()
        self._kept: dict[bytes, RequestHead] = {}
        self._settled = False

    def decode(self, stream_id: int, block: bytes) -> RequestHead:
        """Return what a request's header block says.

        Raises:
            ConnectionFault: the block can't be decompressed.
            StreamFault: it is no request.
        """
        head = self._kept.get(block)
        if head is not None:
            return head
        fields = self.decode_fields(block)
        _check_request(stream_id, fields)
        head = self._read(fields)
        if self._settled and len(block) <= _MAX_KEPT_BLOCK_BYTES:
            if len(self._kept) >= _MAX_KEPT_BLOCKS:
                self._kept.clear()
            self._kept[block] = head
        return head

    def decode_fields(self, block: bytes) -> list[tuple[bytes, bytes]]:
        """Return a header block's fields.

        Raises:
            ConnectionFault: the block can't be decompressed, or is too large.
        """
        version = self._table.version
        try:
            fields: list[tuple[bytes, bytes]] = [*self._decoder.decode(block, raw=True)]
        except OversizedHeaderListError:
            raise ConnectionFault(frames.ENHANCE_YOUR_CALM, "too many headers") from None
        except (HPACKError, ValueError, IndexError):
            raise ConnectionFault(frames.COMPRESSION_ERROR, "a header block can't be decompressed") from None
        resized = block[:1] and block[0] & 0xE0 == _SIZE_UPDATE
        self._settled = not resized and version == self._table.version
        if not self._settled:
            self._kept.clear()
        return fields

    def _read(self, fields: list[tuple[bytes, bytes]]) -> RequestHead:
        headers = dict(fields)
        if headers[b":method"] != b"POST":
            return RequestHead(refusal=build_refusal(405))
        content_type = headers.get(b"content-type", b"").lower()
        if content_type.partition(b";")[0].partition(b"+")[0].strip() != b"application/grpc":
            return RequestHead(refusal=build_refusal(415))
        try:
            encoding = headers.get(b"grpc-encoding", b"identity")
            if encoding != b"identity" and encoding not in _COMPRESSIONS:
                message = f"grpc: Decompressor is not installed for grpc-encoding {encoding.decode('latin-1')!r}"
                block = build_trailers(Code.UNIMPLEMENTED, message)
                return RequestHead(refusal=REPLY_HEADERS + block + ACCEPTED_ENCODINGS)
            timeout = headers.get(b"grpc-timeout")
            return RequestHead(
                route=self._routes.get(headers[b":path"]),
                timeout_seconds=None if timeout is None else parse_timeout(timeout.decode("latin-1")),
                compressed=encoding in _COMPRESSIONS,
                metadata=decode_metadata(fields),
            )
        except CallRefused as refused:
            return RequestHead(refusal=REPLY_HEADERS + build_trailers(refused.code, refused.message))


def _check_request(stream_id: int, fields: list[tuple[bytes, bytes]]) -> None:
    """Check that the fields are those of an HTTP/2 request.

    Raises:
        StreamFault: they are not.
    """
    pseudo_fields: list[bytes] = []
    for position, (name, value) in enumerate(fields):
        if name.startswith(b":"):
            if position != len(pseudo_fields):
                raise StreamFault(stream_id, frames.PROTOCOL_ERROR)  # after a regular field
            pseudo_fields.append(name)
        elif name != name.lower() or name in _CONNECTION_FIELDS or (name == b"te" and value != b"trailers"):
            raise StreamFault(stream_id, frames.PROTOCOL_ERROR)
    given = set(pseudo_fields)
    required = _REQUEST_FIELDS - {b":authority"}
    if len(given) != len(pseudo_fields) or not required <= given <= _REQUEST_FIELDS:
        raise StreamFault(stream_id, frames.PROTOCOL_ERROR)
