"""What callers and workers hear, once it is committed."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["fail", "resolve"]


def resolve(future: asyncio.Future[Any], reply: Any) -> None:
    """Give the reply, unless nobody waits for it any more."""
    if not future.done():
        future.set_result(reply)


def fail(future: asyncio.Future[Any] | None, error: Exception) -> None:
    """Give the error, unless nobody waits for it."""
    if future is not None and not future.done():
        future.set_exception(error)
