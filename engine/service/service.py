"""What every handler gets: the engine and what the service keeps beside it, and the call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from temporalio.api.enums.v1.namespace_pb2 import NAMESPACE_STATE_DEPRECATED, NAMESPACE_STATE_REGISTERED

from engine.core.errors import InvalidArgument, NamespaceInvalidState
from engine.core.namespace import Namespace
from engine.core.policy.fields import validate_namespace_name
from engine.runtime.engine import Engine
from engine.runtime.reads import Reads
from engine.service.worker_registry import WorkerRegistry

__all__ = ["Call", "Service", "get_namespace", "long_poll_seconds", "remaining_ns"]

# A long poll is answered this much before the caller's deadline, so that the empty answer still arrives.
LONG_POLL_MARGIN_SECONDS = 1.0
# Some clients say that they have no deadline by one that is due in centuries.
NO_DEADLINE_SECONDS = 10 * 365 * 24 * 3600.0


class Call(Protocol):
    """What a handler may ask of its call."""

    def time_remaining(self) -> float | None:
        """Return the seconds until the caller's deadline."""
        ...

    def invocation_metadata(self) -> Iterable[tuple[str, str | bytes]] | None:
        """Return the caller's metadata."""
        ...


@dataclass(slots=True)
class Service:
    """The engine, read-only access to its file, and the workers that reported themselves."""

    engine: Engine
    reads: Reads
    address: str
    workers: WorkerRegistry = field(default_factory=WorkerRegistry)


def get_namespace(service: Service, name: str, *, for_start: bool = False) -> Namespace:
    """Return the namespace of a request.

    Args:
        for_start: a deprecated namespace won't do.

    Raises:
        InvalidArgument: no name, or one that is too long.
        NamespaceNotFound: there is none.
        NamespaceInvalidState: it is deprecated or being deleted.
    """
    found = service.engine.namespaces.find(name)
    if found is None:
        validate_namespace_name(name, service.engine.limits)
        if not name:
            raise InvalidArgument("Namespace is empty.")
        found = service.engine.namespaces.get(name)
    state = found.description.namespace_info.state
    if state != NAMESPACE_STATE_REGISTERED and (for_start or state != NAMESPACE_STATE_DEPRECATED):
        allowed = (
            [NAMESPACE_STATE_REGISTERED] if for_start else [NAMESPACE_STATE_REGISTERED, NAMESPACE_STATE_DEPRECATED]
        )
        raise NamespaceInvalidState(name, state, allowed)
    return found


def remaining_ns(call: Call) -> int | None:
    """Return the nanoseconds until the caller's deadline, or None without one."""
    seconds = call.time_remaining()
    return None if seconds is None or seconds > NO_DEADLINE_SECONDS else int(seconds * 1e9)


def long_poll_seconds(call: Call, interval_ns: int) -> float:
    """Return how long a long poll may wait: the server's interval, or less for a caller in a hurry."""
    seconds = call.time_remaining()
    interval = interval_ns / 1e9
    return interval if seconds is None else max(0.0, min(interval, seconds - LONG_POLL_MARGIN_SECONDS))
