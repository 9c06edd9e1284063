"""Whatever bytes come, the server neither breaks nor keeps anything of a connection that has ended."""

from __future__ import annotations

import asyncio
import logging

import hpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service.transport import peer as h2
from tests.service.transport.conftest import serving
from tests.service.transport.peer import PREFACE, connected, frame, message

HELLO = b"\x0a\x05hello"
STREAM_IDS = st.sampled_from((0, 1, 1, 3, 3, 5, 2, 7, 99, 2**31 - 1))
FLAGS = st.sampled_from((0, 0x1, 0x4, 0x5, 0x8, 0x9, 0x20, 0x25, 0x2D, 0xFF))


def _headers(method: str) -> bytes:
    """Return a header block that needs no table."""
    return hpack.Encoder().encode([hpack.NeverIndexedHeaderTuple(*each) for each in h2.request_headers(method)])


PAYLOADS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([_headers(method) for method in ("Echo", "Wait", "Count", "Fail", "Nowhere")]),
    st.sampled_from([message(HELLO), message(b"\x08\x03"), message(HELLO)[:3], message(b"\xff"), bytes(4), bytes(8)]),
    st.integers(0, 2**32 - 1).map(lambda number: number.to_bytes(4, "big")),
    st.tuples(st.integers(0, 8), st.integers(0, 2**32 - 1)).map(
        lambda pair: pair[0].to_bytes(2, "big") + pair[1].to_bytes(4, "big")
    ),
)
ANY_FRAME = st.builds(frame, st.integers(0, 11), FLAGS, STREAM_IDS, PAYLOADS)
# Calls that are right for the most part reach the states that frames by chance never do.
ODD_IDS = st.sampled_from((1, 3, 5, 7))
LIKELY_FRAME = st.one_of(
    st.builds(
        lambda stream_id, method, end: frame(h2.HEADERS, h2.END_HEADERS | end, stream_id, _headers(method)),
        ODD_IDS,
        st.sampled_from(("Echo", "Wait", "Count", "Large")),
        st.sampled_from((0, 0, 1)),
    ),
    st.builds(
        lambda stream_id, data, end: frame(h2.DATA, end, stream_id, data),
        ODD_IDS,
        st.sampled_from((message(HELLO), message(b"\x08\x05"), message(b"\x08\x90\x4e"), b"\0")),
        st.sampled_from((0, 1)),
    ),
    st.builds(lambda stream_id: frame(h2.RST_STREAM, 0, stream_id, bytes(4)), ODD_IDS),
    st.builds(h2.window_update, st.sampled_from((0, 1, 3, 5)), st.integers(1, 100_000)),
    st.builds(lambda size: h2.settings((h2.INITIAL_WINDOW_SIZE, size)), st.integers(0, 70_000)),
)
INPUTS = st.one_of(
    st.binary(max_size=100),
    st.lists(ANY_FRAME, max_size=12).map(lambda frames: PREFACE + h2.settings() + b"".join(frames)),
    st.lists(st.one_of(LIKELY_FRAME, LIKELY_FRAME, ANY_FRAME), max_size=20).map(
        lambda frames: PREFACE + h2.settings() + b"".join(frames)
    ),
)


async def _survive(data: bytes, cuts: list[int]) -> None:
    async with serving() as (toy, _):
        _, writer = await asyncio.open_connection("127.0.0.1", toy.port)
        start = 0
        for end in [*sorted(cut for cut in cuts if cut < len(data)), len(data)]:
            writer.write(data[start:end])
            start = end
            await asyncio.sleep(0)
        async with connected(toy.port) as other:
            await other.send(other.call(1, "Echo", HELLO))
            assert (await other.ended(1)).status == 0
        writer.close()
        if toy.waiting:
            await asyncio.wait_for(toy.idle.wait(), 5)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=INPUTS, cuts=st.lists(st.integers(0, 300), max_size=3))
def test_any_bytes(data: bytes, cuts: list[int], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        asyncio.run(_survive(data, cuts))
    faults = [record for record in caplog.records if "in Fail" not in record.getMessage()]
    caplog.clear()
    assert not faults
