"""The fixture `dx_time`: the server's clock, in the hands of a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from durable_cli.admin_client import AdminError, call_admin
from durable_cli.parameters import parse_duration
from durable_cli.testing.errors import DxError

__all__ = ["DxTime"]

_METHODS = {"running": "ResumeTime", "paused": "PauseTime", "auto": "JumpWhenIdle"}  # by the mode that they lead to
_HINT = 'hint: write it with its unit, such as "90s", "1h30m" or "3d"'


class DxTime:
    """Moves the time of the server: for all namespaces, and never back."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.changed = False

    async def skip(self, duration: str | timedelta) -> None:
        """Move the time by a duration, such as "3d" or "1h30m"; what falls due on the way happens at its time.

        It returns when all that has happened.
        """
        try:
            delta = parse_duration(duration) if isinstance(duration, str) else duration
        except ValueError as error:
            raise DxError(f"{error}\n\n{_HINT}") from None
        if not isinstance(delta, timedelta):
            raise DxError(f"{duration!r} is not a duration\n\n{_HINT}, or give a timedelta")
        request = Duration()
        request.FromTimedelta(delta)
        await self._call("SkipTime", request)

    @asynccontextmanager
    async def auto(self) -> AsyncIterator[None]:
        """Jump to what is due next, again and again, whenever nothing else is to be done."""
        async with self._in_mode("auto"):
            yield

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Let the time stand; it goes on from there."""
        async with self._in_mode("paused"):
            yield

    async def now(self) -> datetime:
        """Return the server's time."""
        described = await self._call("DescribeTime", Empty())
        time = Timestamp()
        time.FromJsonString(described["time"])
        return time.ToDatetime(UTC)

    async def resume(self) -> None:
        """Let the time go as the system's does; the fixture does so after the test."""
        await self._call("ResumeTime", Empty())

    @asynccontextmanager
    async def _in_mode(self, mode: str) -> AsyncIterator[None]:
        """Let the time go in a mode, and then as it went before: blocks may stand in each other."""
        before = (await self._call("DescribeTime", Empty()))["mode"]
        self.changed = True
        await self._call(_METHODS[mode], Empty())
        try:
            yield
        finally:
            await self._call(_METHODS[before], Empty())

    async def _call(self, method: str, request: Message) -> dict[str, Any]:
        try:
            return await call_admin(self._address, method, request)
        except AdminError as error:
            raise DxError(f"the time can't be changed: {error.message}") from None
