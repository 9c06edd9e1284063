"""The call of the admin service: what it says when there is no answer."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from google.protobuf.empty_pb2 import Empty

from durable_cli.admin_client import AdminError, call_admin
from tests.support.server_process import find_free_port, launch_dx, running


async def test_replies_and_refusals(tmp_path: Path) -> None:
    with running(launch_dx(tmp_path)) as server:
        described = await call_admin(server.address, "DescribeTime", Empty())
        assert described["mode"] == "running"
        with pytest.raises(AdminError) as refused:
            await call_admin(server.address, "Nonsense", Empty())
    assert refused.value.code == 12


async def test_nobody_listens() -> None:
    with pytest.raises(AdminError, match=r"no answer from 127\.0\.0\.1") as failed:
        await call_admin(f"127.0.0.1:{find_free_port()}", "DescribeTime", Empty())
    assert failed.value.code == 14


async def test_somebody_else_listens() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, family=socket.AF_INET)
    async with server:
        host, port = server.sockets[0].getsockname()
        with pytest.raises(AdminError, match=r"no answer from 127\.0\.0\.1"):
            await call_admin(f"{host}:{port}", "DescribeTime", Empty())
