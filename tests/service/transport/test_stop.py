"""The end of a server: no new calls, a little time for those that are open."""

from __future__ import annotations

import asyncio
import socket

from tests.service.transport import peer as h2
from tests.service.transport.conftest import serving
from tests.service.transport.peer import connected


async def test_open_calls_are_given_time_then_cut_off() -> None:
    async with serving() as (toy, server), connected(toy.port) as peer:
        await peer.send(peer.call(1, "Wait"))
        await peer.settle()
        stopping = asyncio.create_task(server.stop(1.0))
        await peer.until(lambda: peer.goaway == h2.NO_ERROR)
        assert toy.waiting == 1
        await peer.send(peer.call(3, "Echo"))
        assert (await peer.ended(3)).reset == h2.REFUSED_STREAM
        assert toy.waiting == 1
        await peer.until(lambda: peer.closed)
        await stopping
        assert (toy.waiting, toy.cancelled) == (0, 1)
        last_stream_ids = [payload[:4] for kind, _, _, payload in peer.frames if kind == h2.GOAWAY]
        assert last_stream_ids[0] == (1).to_bytes(4, "big")


async def test_calls_that_end_in_time_are_answered() -> None:
    async with serving() as (toy, server), connected(toy.port) as peer:
        await peer.send(peer.call(1, "Wait", grpc_timeout="200m"))
        await peer.settle()
        await server.stop(5.0)
        assert (await peer.ended(1)).status == 4
        await peer.until(lambda: peer.closed)
        assert toy.cancelled == 1


async def test_nobody_gets_in_any_more() -> None:
    async with serving() as (toy, server):
        await server.stop(0.1)
        with socket.socket() as late:
            assert late.connect_ex(("127.0.0.1", toy.port)) != 0
