"""HTTP/2 at the level of bytes: what a peer may send in any form, and what ends a stream or the connection."""

from __future__ import annotations

import asyncio
import struct

import pytest

from tests.service.transport import peer as h2
from tests.service.transport.conftest import Toy
from tests.service.transport.peer import Peer, connected, frame, message, settings, window_update

HELLO = b"\x0a\x05hello"
"""BytesValue("hello")"""


async def _answers(peer: Peer, stream_id: int) -> None:
    """Check that the connection still serves."""
    await peer.send(peer.call(stream_id, "Echo", HELLO))
    reply = await peer.ended(stream_id)
    assert (reply.status, reply.data) == (0, message(HELLO))


async def test_a_call(peer: Peer) -> None:
    await peer.send(peer.call(1, "Echo", HELLO))
    reply = await peer.ended(1)
    assert reply.headers == [{":status": "200", "content-type": "application/grpc"}, {"grpc-status": "0"}]
    assert reply.data == message(HELLO)


async def test_the_greeting_and_the_acknowledgement_of_settings(peer: Peer) -> None:
    await peer.ping()
    kinds = [(kind, flags) for kind, flags, _, _ in peer.frames]
    assert kinds == [(h2.SETTINGS, 0), (h2.WINDOW_UPDATE, 0), (h2.SETTINGS, h2.ACK), (h2.PING, h2.ACK)]


async def test_every_byte_on_its_own(peer: Peer) -> None:
    for byte in peer.call(1, "Echo", HELLO):
        await peer.send(bytes((byte,)))
        await asyncio.sleep(0)
    assert (await peer.ended(1)).data == message(HELLO)


async def test_many_calls_in_one_packet(peer: Peer) -> None:
    ids = range(1, 401, 2)
    await peer.send(*(peer.call(stream_id, "Echo", HELLO) for stream_id in ids))
    for stream_id in ids:
        assert (await peer.ended(stream_id)).status == 0


async def test_a_header_block_in_continuations(peer: Peer) -> None:
    block = peer.block(h2.request_headers("Echo", filler="x" * 500))
    parts = [block[start : start + 40] for start in range(0, len(block), 40)]
    await peer.send(
        frame(h2.HEADERS, 0, 1, parts[0]),
        *(frame(h2.CONTINUATION, 0, 1, part) for part in parts[1:-1]),
        frame(h2.CONTINUATION, h2.END_HEADERS, 1, parts[-1]),
        frame(h2.DATA, h2.END_STREAM, 1, message(HELLO)),
    )
    assert (await peer.ended(1)).status == 0


async def test_padding_and_priority(peer: Peer) -> None:
    block = peer.block(h2.request_headers("Echo"))
    flags = h2.END_HEADERS | h2.PADDED | h2.HAS_PRIORITY
    await peer.send(
        frame(h2.HEADERS, flags, 1, b"\x04" + b"\0\0\0\0\x10" + block + b"\0" * 4),
        frame(h2.PRIORITY, 0, 1, b"\0\0\0\0\x10"),
        frame(h2.DATA, h2.PADDED, 1, b"\x07" + message(HELLO)[:3] + b"\0" * 7),
        frame(h2.DATA, h2.PADDED | h2.END_STREAM, 1, b"\x00" + message(HELLO)[3:]),
    )
    assert (await peer.ended(1)).data == message(HELLO)


async def test_the_end_of_the_request_in_a_frame_of_its_own(peer: Peer) -> None:
    await peer.send(peer.open(1, "Echo"), frame(h2.DATA, 0, 1, message(HELLO)), frame(h2.DATA, h2.END_STREAM, 1))
    assert (await peer.ended(1)).status == 0
    await peer.send(peer.open(3, "Echo"), frame(h2.DATA, 0, 3, message(HELLO)))
    await peer.send(frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 3, peer.block([("checksum", "1")])))
    assert (await peer.ended(3)).status == 0


async def test_unknown_frames_and_settings_are_ignored(peer: Peer) -> None:
    await peer.send(frame(0x42, 0xFF, 77, b"anything"), settings((0x99, 1)), frame(h2.GOAWAY, 0, 0, bytes(8)))
    await _answers(peer, 1)


async def test_pings_are_answered_with_their_data(peer: Peer) -> None:
    for number in range(100):
        await peer.ping(struct.pack(">Q", number))
    answers = [payload for kind, flags, _, payload in peer.frames if kind == h2.PING and flags == h2.ACK]
    assert answers == [struct.pack(">Q", number) for number in range(100)]


async def test_a_reset_cancels_the_handler_at_once(peer: Peer, toy: Toy) -> None:
    await peer.send(*(peer.call(stream_id, "Wait") for stream_id in (1, 3)))
    await peer.ping()
    assert toy.waiting == 2
    await peer.send(frame(h2.RST_STREAM, 0, 1, struct.pack(">I", h2.CANCEL)))
    await peer.ping()
    assert (toy.waiting, toy.cancelled) == (1, 1)
    assert not peer.reply(1).headers
    await _answers(peer, 5)


async def test_a_reset_in_the_middle_of_a_request(peer: Peer) -> None:
    await peer.send(
        peer.open(1, "Echo"),
        frame(h2.DATA, 0, 1, message(HELLO)[:4]),
        frame(h2.RST_STREAM, 0, 1, bytes(4)),
        frame(h2.DATA, h2.END_STREAM, 1, b"still on its way"),
        frame(h2.RST_STREAM, 0, 1, bytes(4)),
        window_update(1, 5),
    )
    await _answers(peer, 3)
    assert 1 not in peer.replies


async def test_a_lost_connection_cancels_its_handlers(toy: Toy) -> None:
    async with connected(toy.port) as peer:
        await peer.send(*(peer.call(stream_id, "Wait") for stream_id in range(1, 21, 2)))
        await peer.ping()
        assert toy.waiting == 10
    await asyncio.wait_for(toy.idle.wait(), 5)
    assert toy.cancelled == 10


BREAKS_THE_CONNECTION = {
    "DATA on stream 0": (frame(h2.DATA, 0, 0, b"x"), h2.PROTOCOL_ERROR),
    "DATA on a stream never opened": (frame(h2.DATA, 0, 9, b"x"), h2.PROTOCOL_ERROR),
    "DATA padded beyond its end": (frame(h2.DATA, h2.PADDED, 1, b"\xffx"), h2.PROTOCOL_ERROR),
    "DATA padded without a length": (frame(h2.DATA, h2.PADDED, 1), h2.FRAME_SIZE_ERROR),
    "HEADERS on stream 0": (frame(h2.HEADERS, h2.END_HEADERS, 0, b"\x82"), h2.PROTOCOL_ERROR),
    "HEADERS on a server's stream": (frame(h2.HEADERS, h2.END_HEADERS, 2, b"\x82"), h2.PROTOCOL_ERROR),
    "HEADERS with an index of no entry": (frame(h2.HEADERS, h2.END_HEADERS, 9, b"\xff\x7f"), h2.COMPRESSION_ERROR),
    "HEADERS cut short": (frame(h2.HEADERS, h2.END_HEADERS, 9, b"\x00\x7fabc"), h2.COMPRESSION_ERROR),
    "HEADERS with half a priority": (
        frame(h2.HEADERS, h2.END_HEADERS | h2.HAS_PRIORITY, 9, b"\0"),
        h2.FRAME_SIZE_ERROR,
    ),
    "a header block interrupted": (
        frame(h2.HEADERS, 0, 9, b"\x82") + frame(h2.PING, 0, 0, bytes(8)),
        h2.PROTOCOL_ERROR,
    ),
    "CONTINUATION of another stream": (
        frame(h2.HEADERS, 0, 9, b"\x82") + frame(h2.CONTINUATION, h2.END_HEADERS, 11),
        h2.PROTOCOL_ERROR,
    ),
    "CONTINUATION of nothing": (frame(h2.CONTINUATION, h2.END_HEADERS, 1), h2.PROTOCOL_ERROR),
    "CONTINUATION without an end": (
        frame(h2.HEADERS, 0, 9, b"\x82") + frame(h2.CONTINUATION, 0, 9) * 1000,
        h2.ENHANCE_YOUR_CALM,
    ),
    "a header list without measure": (
        frame(h2.HEADERS, h2.END_HEADERS, 9, b"\x40\x01x\x7f\xe0\x1e" + b"v" * 4063 + b"\xbe" * 400),
        h2.ENHANCE_YOUR_CALM,
    ),
    "RST_STREAM on stream 0": (frame(h2.RST_STREAM, 0, 0, bytes(4)), h2.PROTOCOL_ERROR),
    "RST_STREAM on a stream never opened": (frame(h2.RST_STREAM, 0, 9, bytes(4)), h2.PROTOCOL_ERROR),
    "RST_STREAM of three bytes": (frame(h2.RST_STREAM, 0, 1, bytes(3)), h2.FRAME_SIZE_ERROR),
    "SETTINGS on a stream": (frame(h2.SETTINGS, 0, 1), h2.PROTOCOL_ERROR),
    "SETTINGS of five bytes": (frame(h2.SETTINGS, 0, 0, bytes(5)), h2.FRAME_SIZE_ERROR),
    "SETTINGS acknowledged with settings": (frame(h2.SETTINGS, h2.ACK, 0, bytes(6)), h2.FRAME_SIZE_ERROR),
    "ENABLE_PUSH of 2": (settings((2, 2)), h2.PROTOCOL_ERROR),
    "a window of 2 GiB": (settings((h2.INITIAL_WINDOW_SIZE, 2**31)), h2.FLOW_CONTROL_ERROR),
    "small frames": (settings((h2.MAX_FRAME_SIZE, 100)), h2.PROTOCOL_ERROR),
    "huge frames": (settings((h2.MAX_FRAME_SIZE, 2**24)), h2.PROTOCOL_ERROR),
    "PUSH_PROMISE": (frame(h2.PUSH_PROMISE, h2.END_HEADERS, 1, bytes(4)), h2.PROTOCOL_ERROR),
    "PING of seven bytes": (frame(h2.PING, 0, 0, bytes(7)), h2.FRAME_SIZE_ERROR),
    "PING on a stream": (frame(h2.PING, 0, 1, bytes(8)), h2.PROTOCOL_ERROR),
    "GOAWAY on a stream": (frame(h2.GOAWAY, 0, 1, bytes(8)), h2.PROTOCOL_ERROR),
    "WINDOW_UPDATE of three bytes": (frame(h2.WINDOW_UPDATE, 0, 0, bytes(3)), h2.FRAME_SIZE_ERROR),
    "WINDOW_UPDATE of nothing": (window_update(0, 0), h2.PROTOCOL_ERROR),
    "WINDOW_UPDATE on a stream never opened": (window_update(9, 1), h2.PROTOCOL_ERROR),
    "WINDOW_UPDATE beyond 2 GiB": (window_update(0, 2**31 - 1), h2.FLOW_CONTROL_ERROR),
    "a frame that is too large": (frame(h2.DATA, 0, 1, bytes(16_385)), h2.FRAME_SIZE_ERROR),
}


@pytest.mark.parametrize("name", BREAKS_THE_CONNECTION)
async def test_what_breaks_the_connection(name: str, peer: Peer, toy: Toy) -> None:
    frames, error_code = BREAKS_THE_CONNECTION[name]
    await peer.send(peer.open(1, "Echo"), peer.call(3, "Wait"))
    await peer.ping()
    await peer.send(frames)
    await peer.until(lambda: peer.closed)
    assert peer.goaway == error_code
    assert (toy.waiting, toy.cancelled) == (0, 1)
    async with connected(toy.port) as other:
        await _answers(other, 1)


async def test_a_stream_id_that_goes_back(peer: Peer) -> None:
    await _answers(peer, 9)
    await peer.send(peer.call(7, "Echo"))
    await peer.until(lambda: peer.closed)
    assert peer.goaway == h2.STREAM_CLOSED


BREAKS_THE_STREAM = {
    "DATA after the end": (frame(h2.DATA, 0, 1, b"x"), h2.STREAM_CLOSED),
    "WINDOW_UPDATE of nothing": (window_update(1, 0), h2.PROTOCOL_ERROR),
    "WINDOW_UPDATE beyond 2 GiB": (window_update(1, 2**31 - 1), h2.FLOW_CONTROL_ERROR),
    "PRIORITY of four bytes": (frame(h2.PRIORITY, 0, 1, bytes(4)), h2.FRAME_SIZE_ERROR),
}


@pytest.mark.parametrize("name", BREAKS_THE_STREAM)
async def test_what_breaks_a_stream(name: str, peer: Peer, toy: Toy) -> None:
    frames, error_code = BREAKS_THE_STREAM[name]
    await peer.send(peer.call(1, "Wait"))
    await peer.ping()
    await peer.send(frames)
    assert (await peer.ended(1)).reset == error_code
    await _answers(peer, 3)
    assert toy.cancelled == 1


MALFORMED = {
    "an upper-case name": {"X_Upper": "1"},
    "a connection header": {"connection": "close"},
    "te of another kind": {"te": "gzip"},
    "no path": {"_path": None},
    "no method": {"_method": None},
    "an unknown pseudo-header": {"_protocol": "websocket"},
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_request_is_reset(name: str, peer: Peer) -> None:
    changes = MALFORMED[name]
    headers = sorted(h2.request_headers("Echo", **changes), key=lambda pair: not pair[0].startswith(":"))
    await peer.send(frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 1, peer.block(headers)))
    assert (await peer.ended(1)).reset == h2.PROTOCOL_ERROR
    await _answers(peer, 3)


async def test_a_pseudo_header_after_others(peer: Peer) -> None:
    headers = h2.request_headers("Echo")
    await peer.send(frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 1, peer.block([*headers[1:], headers[0]])))
    assert (await peer.ended(1)).reset == h2.PROTOCOL_ERROR
    await peer.send(frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 3, peer.block([*headers[:1], *headers])))
    assert (await peer.ended(3)).reset == h2.PROTOCOL_ERROR


@pytest.mark.parametrize(
    "words", [b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"PRI * HTTP/2.0\r\nx"]
)
async def test_another_protocol_is_turned_away(words: bytes, toy: Toy) -> None:
    async with connected(toy.port, greet=False) as peer:
        await peer.send(words)
        await peer.until(lambda: peer.closed)
        assert peer.goaway == h2.PROTOCOL_ERROR


async def test_the_first_frame_is_settings(toy: Toy) -> None:
    async with connected(toy.port, frame(h2.PING, 0, 0, bytes(8))) as peer:
        await peer.until(lambda: peer.closed)
        assert peer.goaway == h2.PROTOCOL_ERROR


async def test_a_header_table_that_changes(peer: Peer) -> None:
    """The same bytes mean other headers once the table has moved on."""
    await peer.send(peer.call(1, "Echo", HELLO, mark="one"))
    assert (await peer.ended(1)).status == 0
    blocks = [peer.block(h2.request_headers("Echo", mark="one")) for _ in range(2)]
    assert blocks[0] == blocks[1]
    await peer.send(
        *(
            frame(h2.HEADERS, h2.END_HEADERS, 3 + 2 * number, block)
            + frame(h2.DATA, h2.END_STREAM, 3 + 2 * number, message(HELLO))
            for number, block in enumerate(blocks)
        )
    )
    assert [(await peer.ended(each)).status for each in (3, 5)] == [0, 0]
    # A new entry moves the others one place on: the old bytes now name another one.
    newest = blocks[0][-1]
    assert newest == 0xBE
    await peer.send(peer.call(7, "Echo", HELLO, mark="two"))
    await peer.ended(7)
    await peer.send(frame(h2.HEADERS, h2.END_HEADERS, 9, blocks[0]) + frame(h2.DATA, h2.END_STREAM, 9, message(HELLO)))
    reply = await peer.ended(9)
    assert reply.reset is not None or reply.status == 0


async def test_a_header_table_that_is_resized(peer: Peer) -> None:
    for stream_id, size in ((1, 0), (3, 4096), (5, 100), (7, 4096)):
        peer.encoder.header_table_size = size
        await _answers(peer, stream_id)
