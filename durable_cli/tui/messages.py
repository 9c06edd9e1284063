"""What the feed tells the screens: dataclasses; of those that replace each other only the latest is handled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from textual.message import Message

from durable_cli.tui.history.steps import Step
from durable_cli.tui.rows import EventRow, RunRow, RunSummary
from durable_cli.tui.server_clock import ServerClock

if TYPE_CHECKING:
    from durable_cli.tui.feed.link import Link

__all__ = [
    "ClockRead",
    "CodecChanged",
    "Connection",
    "ConnectionChanged",
    "HistoryGrew",
    "HistoryRead",
    "RunDescribed",
    "RunsCounted",
    "RunsListed",
    "Trouble",
    "TroubleChanged",
]


class Connection(Enum):
    """Whether the server answers."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    SLOW = "slow"
    """It is asked, and silent for long."""
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is nothing to show, in one line, and what to do."""

    message: str
    hint: str = ""


@dataclass
class ConnectionChanged(Message):
    """The server that `link` leads to was reached, or does not answer any more."""

    link: Link
    connection: Connection
    trouble: Trouble | None = None

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ConnectionChanged)


@dataclass
class ClockRead(Message):
    """How the clock of the server that `link` leads to goes; None when it has none of its own."""

    link: Link
    clock: ServerClock | None

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ClockRead)


@dataclass
class CodecChanged(Message):
    """The codec server is away, or (None) back."""

    trouble: Trouble | None

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, CodecChanged)


@dataclass
class TroubleChanged(Message):
    """What a screen asks for is refused (None: no longer): a wrong filter, an unknown namespace, a missing RPC.

    A screen may ask for several things at once; each has a name, `source`.
    """

    trouble: Trouble | None
    source: str = ""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, TroubleChanged) and message.source == self.source


@dataclass
class RunsListed(Message):
    """A page of the runs that match `query`; `token` asked for it, and is empty for the first page."""

    of_namespace: str
    query: str
    token: bytes
    rows: Sequence[RunRow]
    next_page_token: bytes

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, RunsListed) and (message.query, message.token) == (self.query, self.token)


@dataclass
class RunsCounted(Message):
    """How many runs of those that match `query` have which status (its number in the protocol)."""

    of_namespace: str
    query: str
    counts: dict[int, int]

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, RunsCounted)


@dataclass
class RunDescribed(Message):
    """What a run is doing now."""

    summary: RunSummary

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, RunDescribed)


@dataclass
class HistoryGrew(Message):
    """Further events of the run, oldest first, and what they do to their groups."""

    events: Sequence[EventRow]
    steps: Sequence[Step]


@dataclass
class HistoryRead(Message):
    """The run is closed, and all of its history was told."""
