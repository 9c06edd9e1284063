"""gRPC on top of HTTP/2: statuses, deadlines, metadata, compression."""

from __future__ import annotations

import base64
import gzip
import socket
import time
import zlib

import pytest
from google.protobuf.wrappers_pb2 import BytesValue, Int64Value, StringValue
from temporalio.api.common.v1.grpc_status_pb2 import GrpcStatus

from tests.service.transport import peer as h2
from tests.service.transport.conftest import Toy, serving
from tests.service.transport.peer import Peer, connected, frame, message

OK, CANCELLED, DEADLINE_EXCEEDED, NOT_FOUND, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL = 0, 1, 4, 5, 8, 12, 13
HELLO = b"\x0a\x05hello"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/toy.Toy/Nothing", "unknown method Nothing for service toy.Toy"),
        ("/other.Service/Echo", "unknown service other.Service"),
        ("/toy.Toy", "malformed method name"),
        ("nonsense", "malformed method name"),
        ("", "malformed method name"),
    ],
)
async def test_what_is_not_served(path: str, text: str, peer: Peer) -> None:
    await peer.send(peer.call(1, "Echo", HELLO, _path=path))
    reply = await peer.ended(1)
    assert len(reply.headers) == 1
    assert reply.status == UNIMPLEMENTED
    assert text in reply.text.replace("%27", "'")


async def test_an_error_with_its_detail(peer: Peer) -> None:
    text = "no “x” 100 % there\n"
    await peer.send(peer.call(1, "Fail", StringValue(value=text).SerializeToString()))
    reply = await peer.ended(1)
    assert reply.status == NOT_FOUND
    assert reply.text == "no %E2%80%9Cx%E2%80%9D 100 %25 there%0A"
    encoded = reply.headers[0]["grpc-status-details-bin"]
    assert "=" not in encoded
    status = GrpcStatus.FromString(base64.b64decode(encoded + "=" * (-len(encoded) % 4)))
    assert (status.code, status.message) == (NOT_FOUND, text)
    assert status.details[0].type_url.endswith("NotFoundFailure")


async def test_an_error_that_is_longer_than_a_frame(peer: Peer) -> None:
    text = "long" * 10_000
    body = message(StringValue(value=text).SerializeToString())
    parts = [body[start : start + 16_384] for start in range(0, len(body), 16_384)]
    await peer.send(peer.open(1, "Fail"), *(frame(h2.DATA, 0, 1, part) for part in parts))
    await peer.send(frame(h2.DATA, h2.END_STREAM, 1))
    assert (await peer.ended(1)).ended
    await peer.until(lambda: len(peer.reply(1).headers) == 1)
    assert peer.reply(1).text == text
    kinds = [(kind, flags) for kind, flags, stream_id, _ in peer.frames if stream_id == 1]
    assert kinds[0] == (h2.HEADERS, h2.END_STREAM)
    assert kinds[-1] == (h2.CONTINUATION, h2.END_HEADERS)
    assert len(kinds) > 2


async def test_a_handler_that_breaks(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    await peer.send(peer.call(1, "Fail"))
    reply = await peer.ended(1)
    assert reply.status == INTERNAL
    assert reply.text == "internal error in Fail; the server's log has its cause"
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    "body",
    [b"", b"\0\0\0", message(HELLO)[:-1], message(HELLO) + b"x", message(HELLO) * 2, message(b"\x0a\xff")],
    ids=["nothing", "half a prefix", "cut short", "a byte too many", "two messages", "no protobuf"],
)
async def test_a_request_that_is_no_message(body: bytes, peer: Peer) -> None:
    await peer.send(peer.open(1, "Echo"), frame(h2.DATA, h2.END_STREAM, 1, body))
    assert (await peer.ended(1)).status == INTERNAL
    await peer.send(peer.open(3, "Echo", end=True))
    assert (await peer.ended(3)).status == INTERNAL


@pytest.mark.parametrize(
    ("changes", "http_status"),
    [({"content_type": "text/html"}, "415"), ({"content_type": None}, "415"), ({"_method": "GET"}, "405")],
)
async def test_what_is_no_grpc(changes: dict[str, str | None], http_status: str, peer: Peer) -> None:
    await peer.send(peer.call(1, "Echo", HELLO, **changes))
    assert (await peer.ended(1)).headers == [{":status": http_status}]


@pytest.mark.parametrize("content_type", ["application/grpc+proto", "application/grpc;charset=utf-8"])
async def test_names_of_the_content(content_type: str, peer: Peer) -> None:
    await peer.send(peer.call(1, "Echo", HELLO, content_type=content_type))
    assert (await peer.ended(1)).status == OK


# Deadlines.


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("2H", 7200), ("3M", 180), ("10S", 10), ("2500m", 2.5), ("9000000u", 9), ("99999999n", 0.099)],
)
async def test_units_of_a_timeout(header: str, seconds: float, peer: Peer, toy: Toy) -> None:
    await peer.send(peer.call(1, "Echo", HELLO, grpc_timeout=header))
    assert (await peer.ended(1)).status == OK
    assert toy.remaining is not None
    assert seconds - 0.09 < toy.remaining <= seconds + 0.001


@pytest.mark.parametrize("header", ["", "S", "10", "1.5S", "-1S", "123456789S", "1 S", "1h"])
async def test_a_malformed_timeout(header: str, peer: Peer) -> None:
    await peer.send(peer.call(1, "Echo", HELLO, grpc_timeout=header))
    reply = await peer.ended(1)
    assert (reply.status, "malformed grpc-timeout" in reply.text) == (INTERNAL, True)


async def test_the_longest_timeout(peer: Peer, toy: Toy) -> None:
    await peer.send(peer.call(1, "Echo", HELLO, grpc_timeout="99999999H"))
    assert (await peer.ended(1)).status == OK
    assert toy.remaining == pytest.approx(99_999_999 * 3600)


async def test_no_timeout(peer: Peer, toy: Toy) -> None:
    await peer.send(peer.call(1, "Echo", HELLO))
    await peer.ended(1)
    assert toy.remaining is None


async def test_a_handler_that_is_late(peer: Peer, toy: Toy) -> None:
    started = time.monotonic()
    await peer.send(*(peer.call(stream_id, "Wait", grpc_timeout="300m") for stream_id in range(1, 101, 2)))
    for stream_id in range(1, 101, 2):
        assert (await peer.ended(stream_id)).status == DEADLINE_EXCEEDED
    assert 0.3 <= time.monotonic() - started < 1
    await peer.ping()
    assert (toy.waiting, toy.cancelled) == (0, 50)


async def test_a_request_that_does_not_come_in_time(peer: Peer) -> None:
    await peer.send(peer.open(1, "Echo", grpc_timeout="200m"), frame(h2.DATA, 0, 1, message(HELLO)[:6]))
    reply = await peer.ended(1)
    assert reply.status == DEADLINE_EXCEEDED
    await peer.until(lambda: reply.reset == h2.NO_ERROR)


# Metadata and compression.


async def test_metadata(peer: Peer, toy: Toy) -> None:
    await peer.send(peer.call(1, "Echo", HELLO, client_name="tester", padded_bin="aGk=", plain_bin="aGk"))
    assert (await peer.ended(1)).status == OK
    assert toy.metadata["client-name"] == "tester"
    assert toy.metadata["padded-bin"] == toy.metadata["plain-bin"] == b"hi"
    assert set(toy.metadata) == {"client-name", "padded-bin", "plain-bin"}


async def test_malformed_binary_metadata(peer: Peer) -> None:
    await peer.send(peer.call(1, "Echo", HELLO, some_bin="%%%"))
    assert (await peer.ended(1)).status == INTERNAL


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_compressed_requests(encoding: str, compress: object, peer: Peer) -> None:
    body = BytesValue(value=b"again and " * 1000).SerializeToString()
    data = message(compress(body), compressed=True)  # type: ignore[operator]
    await peer.send(peer.open(1, "Echo", grpc_encoding=encoding), frame(h2.DATA, h2.END_STREAM, 1, data))
    reply = await peer.ended(1)
    assert (reply.status, reply.data) == (OK, message(body))
    # A compressing client may still leave a message as it is.
    await peer.send(peer.call(3, "Echo", HELLO, grpc_encoding=encoding))
    assert (await peer.ended(3)).data == message(HELLO)


@pytest.mark.parametrize(
    ("data", "encoding", "code"),
    [
        (gzip.compress(bytes(4 * 1024 * 1024 + 1)), "gzip", RESOURCE_EXHAUSTED),
        (gzip.compress(HELLO)[:-6], "gzip", INTERNAL),
        (b"no gzip at all", "gzip", INTERNAL),
        (gzip.compress(HELLO), None, INTERNAL),
        (gzip.compress(HELLO), "identity", INTERNAL),
    ],
    ids=["a bomb", "cut short", "nonsense", "not announced", "announced as identity"],
)
async def test_badly_compressed_requests(data: bytes, encoding: str | None, code: int, peer: Peer) -> None:
    body = frame(h2.DATA, h2.END_STREAM, 1, message(data, compressed=True))
    await peer.send(peer.open(1, "Echo", grpc_encoding=encoding), body)
    assert (await peer.ended(1)).status == code


async def test_an_unknown_compression(peer: Peer) -> None:
    await peer.send(peer.call(1, "Echo", HELLO, grpc_encoding="zstd"))
    reply = await peer.ended(1)
    assert reply.status == UNIMPLEMENTED
    assert reply.headers[0]["grpc-accept-encoding"] == "identity,deflate,gzip"


# Sockets.


async def test_a_reply_does_not_wait_for_the_acknowledgement_of_the_one_before() -> None:
    async with serving() as (toy, server), connected(toy.port) as peer:
        await peer.settle()
        (connection,) = server._connections
        accepted = connection._transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# Streams.


async def test_a_stream_both_ways(peer: Peer) -> None:
    await peer.send(peer.open(1, "Count"), frame(h2.DATA, 0, 1, message(Int64Value(value=2).SerializeToString())))
    expected = message(b"") + message(b"\x08\x01")
    await peer.until(lambda: peer.reply(1).data == expected)
    assert not peer.reply(1).ended
    await peer.send(frame(h2.DATA, h2.END_STREAM, 1, message(Int64Value(value=1).SerializeToString()) * 2))
    reply = await peer.ended(1)
    assert (reply.data, reply.status) == (expected + message(b"") * 2, OK)


async def test_a_stream_is_answered_as_fast_as_it_is_read(peer: Peer) -> None:
    peer.credit = False
    await peer.send(peer.call(1, "Count", Int64Value(value=10**9).SerializeToString()))
    await peer.settle()
    assert len(peer.reply(1).data) == 65_535
    await peer.send(frame(h2.RST_STREAM, 0, 1, bytes(4)))
    await peer.ping()


async def test_a_stream_that_sends_nonsense(peer: Peer) -> None:
    await peer.send(peer.open(1, "Count"), frame(h2.DATA, 0, 1, message(b"\xff\xff")))
    assert (await peer.ended(1)).status == INTERNAL
