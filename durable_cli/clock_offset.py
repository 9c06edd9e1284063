"""How far a server's clock is from this machine's: a local server's may have been moved."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from durable_cli.errors import CliError

if TYPE_CHECKING:
    from durable_cli.client import Client

__all__ = ["find_clock_offset"]

TOLERATED_SECONDS = 2.0
ANSWER_SECONDS = 1.0


async def find_clock_offset(client: Client, times: Iterable[Timestamp]) -> timedelta:
    """Return how far the server's clock is ahead; it is asked only when one of its times lies in the future."""
    latest_seconds = datetime.now(UTC).timestamp() + TOLERATED_SECONDS
    if all(time.seconds <= latest_seconds for time in times):
        return timedelta()
    from durable_cli.local_clock import describe_clock

    server_time = Timestamp()
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            server_time.FromJsonString((await describe_clock(client))["time"])
    except (CliError, TimeoutError):  # only a dx server has a clock of its own
        return timedelta()
    return server_time.ToDatetime(UTC) - datetime.now(UTC)
