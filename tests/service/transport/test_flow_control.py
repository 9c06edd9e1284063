"""Windows both ways: what doesn't fit waits, what overflows is refused."""

from __future__ import annotations

import asyncio

from google.protobuf.wrappers_pb2 import BytesValue, Int64Value

from tests.service.transport import peer as h2
from tests.service.transport.conftest import Toy
from tests.service.transport.peer import PREFACE, Peer, connected, frame, message, settings, window_update

MIB = 1024 * 1024
DEFAULT_WINDOW_BYTES = 65_535


def _large(peer: Peer, stream_id: int, size_bytes: int) -> bytes:
    return peer.call(stream_id, "Large", Int64Value(value=size_bytes).SerializeToString())


def _expected(size_bytes: int) -> bytes:
    return message(BytesValue(value=b"x" * size_bytes).SerializeToString())


def _echo(peer: Peer, stream_id: int, body: bytes, *, frame_bytes: int = 16_384) -> list[bytes]:
    parts = [body[start : start + frame_bytes] for start in range(0, len(body), frame_bytes)]
    ends = [0] * (len(parts) - 1) + [h2.END_STREAM]
    return [
        peer.open(stream_id, "Echo"),
        *(frame(h2.DATA, end, stream_id, part) for part, end in zip(parts, ends, strict=True)),
    ]


async def test_a_large_reply_through_small_windows(peer: Peer) -> None:
    await peer.send(_large(peer, 1, 4 * MIB))
    reply = await peer.ended(1)
    assert reply.data == _expected(4 * MIB)
    assert reply.status == 0
    assert max(len(payload) for kind, _, _, payload in peer.frames if kind == h2.DATA) == 16_384


async def test_nothing_beyond_the_windows(peer: Peer) -> None:
    peer.credit = False
    await peer.send(_large(peer, 1, MIB), _large(peer, 3, MIB))
    await peer.settle()
    assert len(peer.reply(1).data) + len(peer.reply(3).data) == DEFAULT_WINDOW_BYTES
    await peer.send(window_update(0, 100_000))
    await peer.settle()
    # The connection has more now, but each stream only as much as its own window.
    assert len(peer.reply(1).data) + len(peer.reply(3).data) == 2 * DEFAULT_WINDOW_BYTES
    await peer.send(window_update(1, 1), window_update(3, 10))
    await peer.settle()
    assert len(peer.reply(1).data) + len(peer.reply(3).data) == 2 * DEFAULT_WINDOW_BYTES + 11
    # A call with nothing to send is not held up by those that wait.
    await peer.send(peer.call(5, "Fail", b"\x0a\x01x"))
    assert (await peer.ended(5)).status == 5
    await peer.send(window_update(0, 4 * MIB), window_update(1, 2 * MIB), window_update(3, 2 * MIB))
    assert (await peer.ended(1)).data == (await peer.ended(3)).data == _expected(MIB)


async def test_streams_that_wait_take_turns(peer: Peer) -> None:
    await peer.send(*(_large(peer, stream_id, MIB) for stream_id in (1, 3, 5)))
    for stream_id in (1, 3, 5):
        assert (await peer.ended(stream_id)).data == _expected(MIB)
    order = [stream_id for kind, _, stream_id, _ in peer.frames if kind == h2.DATA]
    assert set(order[: len(order) // 2]) == {1, 3, 5}


async def test_a_window_that_the_settings_change(toy: Toy) -> None:
    async with connected(toy.port, settings((h2.INITIAL_WINDOW_SIZE, 10))) as peer:
        peer.credit = False
        await peer.send(_large(peer, 1, 1000))
        await peer.settle()
        assert len(peer.reply(1).data) == 10
        await peer.send(settings((h2.INITIAL_WINDOW_SIZE, 110)))
        await peer.settle()
        assert len(peer.reply(1).data) == 110
        # Below what was sent already: the window is negative until it is filled up again.
        await peer.send(settings((h2.INITIAL_WINDOW_SIZE, 10)), window_update(1, 50))
        await peer.settle()
        assert len(peer.reply(1).data) == 110
        await peer.send(window_update(1, 60))
        await peer.settle()
        assert len(peer.reply(1).data) == 120
        await peer.send(settings((h2.INITIAL_WINDOW_SIZE, 5000)))
        assert (await peer.ended(1)).data == _expected(1000)


async def test_settings_that_overflow_a_window(peer: Peer) -> None:
    await peer.send(peer.call(1, "Wait"), window_update(1, 2**31 - 1 - DEFAULT_WINDOW_BYTES))
    await peer.ping()
    await peer.send(settings((h2.INITIAL_WINDOW_SIZE, DEFAULT_WINDOW_BYTES + 1)))
    await peer.until(lambda: peer.closed)
    assert peer.goaway == h2.FLOW_CONTROL_ERROR


async def test_larger_frames_where_the_peer_takes_them(toy: Toy) -> None:
    greeting = settings((h2.MAX_FRAME_SIZE, MIB), (h2.INITIAL_WINDOW_SIZE, 2**31 - 1))
    async with connected(toy.port, greeting, window_update(0, 2**30)) as peer:
        await peer.send(_large(peer, 1, 100_000))
        assert (await peer.ended(1)).data == _expected(100_000)
        assert sum(1 for kind, _, _, payload in peer.frames if kind == h2.DATA and payload) == 1


async def test_a_reset_drops_what_waits(peer: Peer) -> None:
    peer.credit = False
    await peer.send(_large(peer, 1, MIB))
    await peer.settle()
    await peer.send(frame(h2.RST_STREAM, 0, 1, bytes(4)), window_update(0, 4 * MIB))
    await peer.ping()
    assert len(peer.reply(1).data) == DEFAULT_WINDOW_BYTES
    await peer.send(window_update(1, MIB), _large(peer, 3, 1000))
    assert (await peer.ended(3)).status == 0
    assert not peer.reply(1).ended


async def test_the_largest_requests_one_after_another(peer: Peer) -> None:
    """The connection's window is filled up again; a stream's holds the largest request."""
    body = BytesValue(value=b"y" * (4 * MIB - 10)).SerializeToString()
    for stream_id in range(1, 41, 2):
        await peer.send(*_echo(peer, stream_id, message(body)))
        assert (await peer.ended(stream_id)).data == message(body)
    assert any(kind == h2.WINDOW_UPDATE and stream_id == 0 for kind, _, stream_id, _ in peer.frames[3:])


async def test_a_request_that_is_nearly_all_padding(peer: Peer) -> None:
    body = message(BytesValue(value=b"z" * 40_000).SerializeToString())
    await peer.send(peer.open(1, "Echo"))
    for position in range(len(body)):
        end = h2.END_STREAM if position == len(body) - 1 else 0
        part = frame(h2.DATA, h2.PADDED | end, 1, b"\xff" + body[position : position + 1] + bytes(255))
        await peer.send(part)
    assert (await peer.ended(1)).data == body


async def test_a_request_that_is_too_large(peer: Peer) -> None:
    """Its prefix alone is enough; what still comes is ignored, and other calls go on."""
    await peer.send(peer.open(1, "Echo"), frame(h2.DATA, 0, 1, b"\0" + (4 * MIB + 1).to_bytes(4, "big")))
    reply = await peer.ended(1)
    assert reply.status == 8
    assert "larger than max (4194305 vs. 4194304)" in reply.text
    await peer.until(lambda: reply.reset == h2.NO_ERROR)
    for _ in range(300):
        await peer.send(frame(h2.DATA, 0, 1, bytes(16_384)))
    await peer.send(frame(h2.DATA, h2.END_STREAM, 1), peer.call(3, "Echo"))
    assert (await peer.ended(3)).status == 0


async def test_a_request_beyond_its_streams_window(peer: Peer) -> None:
    """A stream of messages that nobody reads is not credited."""
    await peer.send(peer.open(1, "Count"))
    one = message(Int64Value(value=2**40).SerializeToString())
    for _ in range(300):
        await peer.send(frame(h2.DATA, 0, 1, (one * (16_384 // len(one)))))
    assert (await peer.ended(1)).reset == h2.FLOW_CONTROL_ERROR
    await peer.send(peer.call(3, "Echo"))
    assert (await peer.ended(3)).status == 0


async def test_a_long_stream_of_requests(peer: Peer) -> None:
    """Messages that are read are credited, so that a stream may go on for ever."""
    await peer.send(peer.open(1, "Count"))
    one = message(Int64Value(value=0).SerializeToString() + b"\x7a\x80\x80\x01" + bytes(16_384))
    for _ in range(400):
        await peer.send(*(frame(h2.DATA, 0, 1, part) for part in (one[:9000], one[9000:])))
        await peer.ping()
    await peer.send(frame(h2.DATA, h2.END_STREAM, 1, message(Int64Value(value=3).SerializeToString())))
    reply = await peer.ended(1)
    assert reply.status == 0
    assert reply.data == b"".join(message(Int64Value(value=number).SerializeToString()) for number in range(3))


async def test_a_peer_that_does_not_read(toy: Toy) -> None:
    """The socket fills up: the server holds back and goes on with others."""
    reader, writer = await asyncio.open_connection("127.0.0.1", toy.port, limit=1024)
    writer.write(PREFACE + settings((h2.INITIAL_WINDOW_SIZE, 2**31 - 1)) + window_update(0, 2**30))
    async with connected(toy.port) as other:
        writer.write(b"".join(_large(other, stream_id, 4 * MIB) for stream_id in range(1, 41, 2)))
        other.encoder = type(other.encoder)()
        await other.send(other.call(1, "Echo"))
        assert (await other.ended(1)).status == 0
        received = 0
        async with asyncio.timeout(20):
            while received < 20 * 4 * MIB:
                received += len(await reader.read(MIB))
    writer.close()
