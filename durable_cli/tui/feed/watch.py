"""Ask the same again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from textual.message import Message

from durable_cli.tui.feed.link import MissingError, Post, reporting
from durable_cli.tui.place_messages import NotServed

__all__ = ["repeat"]

MISSING_SECONDS = 15.0


async def repeat(ask: Callable[[], Awaitable[Message]], post: Post, every_seconds: float) -> None:
    """Tell what `ask` learns, and again after a while, until it is cancelled; what goes wrong is a message as well."""
    while True:
        wait_seconds = every_seconds
        async with reporting(post):
            try:
                post(await ask())
            except MissingError as error:
                post(NotServed(error.message))
                wait_seconds = MISSING_SECONDS  # another server may listen there by then
        await asyncio.sleep(wait_seconds)
