"""One thing to make on the server, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from durable_cli.errors import CliError

__all__ = ["Outcome", "Result", "Step", "wait_until_usable"]

USABLE_AFTER_AT_MOST_SECONDS = 30.0


class Result(StrEnum):
    """What became of something that was declared; the values are the words of the log."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    STARTED = "started"
    STARTED_BEFORE = "was started before"
    FAILED = "failed"
    NOT_SERVED = "not served"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is to be there.

    Args:
        subject: what and which, such as `schedule nightly-report`.
        make: sees to it that it is there as declared; raises RPCError or CliError when it can't be.
    """

    subject: str
    make: Callable[[], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step, or of all of a kind that the server does not serve."""

    subject: str
    result: Result
    reason: str = ""

    @property
    def line(self) -> str:
        """The line for the log."""
        return f"{self.subject}: {self.reason or self.result}"


async def wait_until_usable(is_usable: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something new: parts of a server read the list of such things only now and then."""
    try:
        async with asyncio.timeout(USABLE_AFTER_AT_MOST_SECONDS):
            while not await is_usable():  # noqa: ASYNC110 (the server says nothing by itself)
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise CliError(f"created, but not usable after {USABLE_AFTER_AT_MOST_SECONDS:g} s") from None
