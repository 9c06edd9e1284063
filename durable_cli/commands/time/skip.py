"""`dx time skip`."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from durable_cli.lazy import UsageError
from durable_cli.network import network_command
from durable_cli.parameters import DURATION

if TYPE_CHECKING:
    from durable_cli.client import Client
    from durable_cli.output.output import Output

SILENT_SECONDS = 1.0


@network_command
@click.argument("duration", type=DURATION)
async def command(client: Client, output: Output, *, duration: timedelta) -> None:
    """Move the clock of a local server forward by DURATION.

    Timers, retries, cron runs and timeouts on the way happen one after the other, each at its own time, and workers
    react to one before the next. The history shows the times as if they had passed.

    \b
    dx time skip 3d
    dx time skip 1h30m
    """
    from durable_cli.local_clock import show_change
    from durable_cli.output.clock_text import format_length

    if duration <= timedelta():
        raise UsageError("the clock moves forward only", "give how far, such as 30s, 5m, 1h30m or 7d")
    clock = await _skip(client, output, duration)
    passed = clock.get("skippedDeadlines", 0)
    deadlines = f", past {passed} deadline{'s' if passed > 1 else ''}" if passed else ""
    show_change(output, clock, f"Skipped {format_length(duration)}{deadlines}")


async def _skip(client: Client, output: Output, duration: timedelta) -> dict[str, Any]:
    """Skip; say what it waits for when that takes long."""
    from google.protobuf.duration_pb2 import Duration

    from durable_cli.local_clock import change_clock, describe_clock
    from durable_cli.output.clock_text import format_work

    request = Duration()
    request.FromTimedelta(duration)
    skipping = asyncio.ensure_future(change_clock(client, "SkipTime", request))
    try:
        await asyncio.wait((skipping,), timeout=SILENT_SECONDS)
        if not skipping.done() and output.is_text:
            work = (await describe_clock(client)).get("waitsFor")
            if work is not None:
                sys.stderr.write(f"waiting for {format_work(work)}\n")
        return await skipping
    finally:
        skipping.cancel()
