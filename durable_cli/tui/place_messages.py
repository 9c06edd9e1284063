"""What the feed tells the places beside the workflows; of each kind only the latest is handled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from durable_cli.tui.place_rows import (
    BatchRow,
    DeploymentRow,
    NamespaceRow,
    ServerRow,
    TaskQueueRow,
    VersionDetail,
    VersionRow,
    WorkerRow,
)
from durable_cli.tui.schedules.rows import ScheduleDetail, ScheduleRow

if TYPE_CHECKING:
    from durable_cli.tui.dev.log_lines import RawLine
    from durable_cli.tui.dev.rows import DevEvent

__all__ = [
    "BatchesListed",
    "DeploymentDescribed",
    "DeploymentsListed",
    "JournalRead",
    "LogRead",
    "MetricsRead",
    "NamespacesListed",
    "NotServed",
    "ScheduleDescribed",
    "SchedulesListed",
    "ServerDescribed",
    "TaskQueuesDescribed",
    "VersionDescribed",
    "WorkersListed",
]


class Latest(Message):
    """A message that replaces those of its kind that are not handled yet."""

    def can_replace(self, message: Message) -> bool:
        return type(message) is type(self)


@dataclass
class NotServed(Latest):
    """The server does not know the RPC."""

    message: str


@dataclass
class SchedulesListed(Latest):
    """The schedules of the namespace."""

    rows: Sequence[ScheduleRow]


@dataclass
class ScheduleDescribed(Latest):
    """One schedule."""

    detail: ScheduleDetail


@dataclass
class TaskQueuesDescribed(Latest):
    """Task queues: all that are known, or the one that was asked for; those that nobody looks at have no kinds."""

    rows: Sequence[TaskQueueRow]


@dataclass
class WorkersListed(Latest):
    """The workers of the namespace."""

    rows: Sequence[WorkerRow]


@dataclass
class DeploymentsListed(Latest):
    """The worker deployments of the namespace."""

    rows: Sequence[DeploymentRow]


@dataclass
class DeploymentDescribed(Latest):
    """One deployment and its versions."""

    row: DeploymentRow
    versions: Sequence[VersionRow]


@dataclass
class VersionDescribed(Latest):
    """One version of a deployment."""

    detail: VersionDetail


@dataclass
class BatchesListed(Latest):
    """The batch operations of the namespace."""

    rows: Sequence[BatchRow]


@dataclass
class NamespacesListed(Latest):
    """The namespaces of the server."""

    rows: Sequence[NamespaceRow]


@dataclass
class ServerDescribed(Latest):
    """The server."""

    row: ServerRow


@dataclass
class MetricsRead(Latest):
    """What the server's metrics page says at a time, or why it can't be read."""

    time_s: float
    values: dict[str, float]
    problem: str = ""


@dataclass
class JournalRead(Message):
    """Further lines of the journal of `dx dev`, and whether that runs."""

    events: Sequence[DevEvent]
    is_running: bool


@dataclass
class LogRead(Message):
    """Further lines of the log of `dx dev`; the first ones are all that there is to begin with."""

    lines: Sequence[RawLine]
    is_first: bool
