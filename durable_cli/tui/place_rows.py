"""What the lists beside the workflows show, as plain rows.

Times are nanoseconds since the epoch, 0 when there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = [
    "BatchRow",
    "DeploymentRow",
    "KindRow",
    "NamespaceRow",
    "PollerRow",
    "ServerRow",
    "SlotsRow",
    "TaskQueueRow",
    "VersionDetail",
    "VersionRow",
    "WorkerRow",
]


class PollerRow(NamedTuple):
    """Who asks a task queue for tasks of a kind."""

    kind: str
    identity: str
    last_access_time_ns: int
    rate_per_second: float
    version: str


class KindRow(NamedTuple):
    """The tasks of one kind, workflow or activity, in a task queue."""

    backlog_count: int
    backlog_age_ns: int
    add_rate: float
    dispatch_rate: float
    pollers: tuple[PollerRow, ...]


class TaskQueueRow(NamedTuple):
    """A task queue; its kinds are None until the server was asked."""

    name: str
    workflow: KindRow | None = None
    activity: KindRow | None = None
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def kinds(self) -> tuple[KindRow, ...]:
        """What is known of its kinds."""
        return tuple(kind for kind in (self.workflow, self.activity) if kind is not None)

    @property
    def pollers(self) -> tuple[PollerRow, ...]:
        """Who polls it."""
        return tuple(poller for kind in self.kinds for poller in kind.pollers)

    @property
    def backlog_count(self) -> int:
        """How many tasks wait."""
        return sum(kind.backlog_count for kind in self.kinds)

    @property
    def backlog_age_ns(self) -> int:
        """How long the oldest has waited."""
        return max((kind.backlog_age_ns for kind in self.kinds), default=0)


class SlotsRow(NamedTuple):
    """The slots of a worker for one kind of work."""

    kind: str
    used: int
    available: int
    supplier: str
    processed: int
    failed: int
    pollers: int
    last_poll_time_ns: int


class WorkerRow(NamedTuple):
    """A worker that reports itself; what only its heartbeats tell is empty when the server keeps none."""

    key: str
    identity: str
    status: str
    task_queue: str
    version: str
    sdk: str
    host: str
    process_id: str
    start_time_ns: int
    heartbeat_time_ns: int = 0
    slots: tuple[SlotsRow, ...] = ()
    cached_runs: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    host_cpu: float = 0
    host_memory: float = 0
    plugins: str = ""


class DeploymentRow(NamedTuple):
    """A worker deployment: which version gets new workflows, and which a share of them."""

    name: str
    current_build_id: str
    current_since_ns: int
    ramping_build_id: str
    ramping_percentage: float
    latest_build_id: str
    create_time_ns: int
    fields: tuple[tuple[str, str], ...] = ()


class VersionRow(NamedTuple):
    """A version of a deployment; `status` is the protocol's word for it, as `Current` or `Draining`."""

    build_id: str
    status: str
    ramping_percentage: float
    create_time_ns: int
    since_ns: int
    """When it got the status."""
    drainage_checked_ns: int


class VersionDetail(NamedTuple):
    """What only a closer look at a version tells."""

    build_id: str
    task_queues: tuple[tuple[str, str, int, int], ...]
    """Name, kind, backlog, age of the backlog."""
    metadata: str


class BatchRow(NamedTuple):
    """A batch operation; the counts are None until the server was asked for them."""

    job_id: str
    operation: str
    state: str
    start_time_ns: int
    close_time_ns: int
    total: int | None = None
    completed: int = 0
    failed: int = 0
    reason: str = ""
    query: str = ""
    identity: str = ""


class NamespaceRow(NamedTuple):
    """A namespace."""

    name: str
    state: str
    retention_seconds: float
    description: str
    owner_email: str
    namespace_id: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ServerRow:
    """The server itself."""

    fields: tuple[tuple[str, str], ...]
    capabilities: tuple[tuple[str, bool], ...]
    is_serving: bool | None
    """What its health check answers; None when it has none."""
    counts: dict[int, int]
    """Runs of the namespace by status."""
    namespaces: int
