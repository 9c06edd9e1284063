"""The clock of a local server: how it goes, and how it is moved. Other servers have none of their own.

Raises: CliError when the server refuses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from durable_cli.errors import CliError
from durable_cli.tui.feed.link import Link, Post
from durable_cli.tui.messages import ClockRead
from durable_cli.tui.server_clock import ServerClock

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["jump_when_idle", "pause_clock", "read_clock", "resume_clock", "skip_time", "skip_to_next", "watch_clock"]

READ_SECONDS = 3.0
MOVING_SECONDS = 0.4


async def watch_clock(link: Link, post: Post) -> None:
    """Tell how the server's clock goes, again and again; where it has none of its own, say that once."""
    is_known = False
    while True:
        clock = await read_clock(link)
        if clock is not None or not is_known:
            post(ClockRead(link, clock))
        is_known = is_known or clock is not None
        if not is_known:
            return
        await asyncio.sleep(MOVING_SECONDS if clock is not None and clock.mode == "auto" else READ_SECONDS)


async def read_clock(link: Link) -> ServerClock | None:
    """Return how the server's clock goes, or None where it has none of its own."""
    client = await link.get_client()
    from durable_cli.local_clock import describe_clock

    try:
        return _server_clock(await describe_clock(client))
    except CliError:
        return None


async def skip_time(link: Link, duration: timedelta) -> str:
    """Move the clock forward; what is due on the way happens at its time."""
    from google.protobuf.duration_pb2 import Duration

    from durable_cli.output.clock_text import format_length

    request = Duration()
    request.FromTimedelta(duration)
    passed = (await _change(link, "SkipTime", request)).get("skippedDeadlines", 0)
    deadlines = f", past {passed} deadline{'s' if passed > 1 else ''}" if passed else ""
    return f"skipped {format_length(duration)}{deadlines}"


async def skip_to_next(link: Link) -> str:
    """Move the clock forward to what is due next."""
    clock = await read_clock(link)
    if clock is None or not clock.next_time_ns:
        return "nothing is due: the clock was not moved"
    # A microsecond is the finest that a timedelta knows.
    left = timedelta(microseconds=max(1, -(-(clock.next_time_ns - clock.time_ns) // 1000)))
    return f"{await skip_time(link, left)}: {clock.next_words}"


async def pause_clock(link: Link) -> str:
    """Let the clock stand."""
    await _change(link, "PauseTime")
    return "the server's clock stands"


async def resume_clock(link: Link) -> str:
    """Let the clock go on at the pace of the system's."""
    await _change(link, "ResumeTime")
    return "the server's clock goes on"


async def jump_when_idle(link: Link) -> str:
    """Let the clock jump to what is due next whenever nothing is in flight."""
    await _change(link, "JumpWhenIdle")
    return "the server's clock jumps whenever nothing is in flight"


async def _change(link: Link, method: str, request: Message | None = None) -> dict[str, Any]:
    client = await link.get_client()
    from google.protobuf.empty_pb2 import Empty

    from durable_cli.local_clock import change_clock

    return await change_clock(client, method, Empty() if request is None else request)


def _server_clock(described: Mapping[str, Any]) -> ServerClock:
    from durable_cli.output.clock_text import format_deadline, format_work

    due = described.get("next")
    time_ns = _time_ns(described["time"])
    return ServerClock(
        time_ns,
        time_ns - _time_ns(described["systemTime"]),
        described["mode"],
        described.get("locks", 0),
        _time_ns(due["time"]) if due else 0,
        format_deadline(due) if due else "",
        format_work(described["waitsFor"]) if "waitsFor" in described else "",
    )


def _time_ns(text: str) -> int:
    from google.protobuf.timestamp_pb2 import Timestamp

    time = Timestamp()
    time.FromJsonString(text)
    return time.ToNanoseconds()
