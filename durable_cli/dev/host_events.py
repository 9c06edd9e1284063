"""What a worker's host reports, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

__all__ = [
    "Checked",
    "Definition",
    "Drained",
    "Failed",
    "LoadFailed",
    "Loaded",
    "Mismatch",
    "ReplayFailure",
    "Serving",
    "Source",
    "parse",
]

Source = list[tuple[int, str]]
"""Lines of a file with their numbers, the one that is meant in the middle."""

T = TypeVar("T")


@dataclass(frozen=True)
class Definition:
    """A workflow or an activity that was found; `name` is `(dynamic)` for one that takes every name."""

    name: str
    file: str
    line: int


@dataclass(frozen=True)
class Loaded:
    """The worker's modules are imported, and the SDK accepts what is in them.

    Args:
        notes: what the user may not have meant, a sentence each.
    """

    workflows: list[Definition]
    activities: list[Definition]
    seconds: float
    sdk_version: str
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LoadFailed:
    """The worker can't be made; `file` and `line` are of the user's code, when it is to blame.

    Args:
        error: the name of the exception's class.
        hint: what the user can do about it, or empty.
    """

    error: str
    message: str
    hint: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    source: Source = field(default_factory=list)
    traceback: str = ""


@dataclass(frozen=True)
class Mismatch:
    """A run that the new code can't go on with: an event of its history beside the command of the new code.

    Args:
        kind: `nondeterminism`, or `workflow_type_missing` when the new code has no workflow of that type.
        event_id: None where the new code issues a command that the history knows nothing of.
        command_type: empty where the new code issues no command at all.
        file: where the new code issues the command, or where it waits instead of issuing one.
        callers: the lines of the user's code that called that one, the nearest first.
        message: the SDK's own words.
    """

    kind: str
    workflow_id: str
    run_id: str
    workflow_type: str
    open: bool
    message: str
    event_id: int | None = None
    event_type: str = ""
    event_summary: str = ""
    command_type: str = ""
    command_summary: str = ""
    file: str | None = None
    line: int | None = None
    source: Source = field(default_factory=list)
    callers: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True)
class ReplayFailure:
    """A run that could not be replayed for another reason.

    Args:
        kind: `workflow_task_failed` (the new code raises), `time_limit` (it did not end), `history` (it can't be read).
        error: the name of the exception's class, or empty.
    """

    kind: str
    workflow_id: str
    run_id: str
    workflow_type: str
    open: bool
    message: str
    error: str = ""
    file: str | None = None
    line: int | None = None
    source: Source = field(default_factory=list)
    traceback: str = ""


@dataclass(frozen=True)
class Checked:
    """The replay check is over.

    Args:
        open: how many open runs were looked at, of `open_total`.
        closed: how many closed runs were replayed.
        not_replayed: runs that the time limit left no time for.
        forgiven: runs that do not repeat their history and that the user has let go; they count nowhere else.
        is_clean: False when user code still runs in the process, which should be replaced before it serves.
    """

    open: int
    closed: int
    open_total: int
    seconds: float
    mismatches: list[Mismatch]
    failures: list[ReplayFailure]
    not_replayed: int = 0
    forgiven: int = 0
    is_clean: bool = True

    @property
    def is_good(self) -> bool:
        """Say whether every run that was looked at survives the change."""
        return not self.mismatches and not self.failures


@dataclass(frozen=True)
class Serving:
    """The server sees the worker poll (`seen`), or has not shown it in a good while."""

    task_queue: str
    seen: bool = True


@dataclass(frozen=True)
class Drained:
    """The worker has ended; not `in_time` when activities went on after they were cancelled, and were abandoned."""

    in_time: bool = True


@dataclass(frozen=True)
class Failed:
    """The worker has ended by itself, or can't do what it was told."""

    message: str
    traceback: str = ""


HostEvent = Loaded | LoadFailed | Checked | Serving | Drained | Failed

_EVENTS: dict[str, type[HostEvent]] = {
    "loaded": Loaded,
    "load_failed": LoadFailed,
    "checked": Checked,
    "serving": Serving,
    "drained": Drained,
    "failed": Failed,
}

_ITEMS: dict[str, type[Any]] = {
    "workflows": Definition,
    "activities": Definition,
    "mismatches": Mismatch,
    "failures": ReplayFailure,
}


def parse(line: Mapping[str, Any]) -> HostEvent:
    """Turn an event's JSON into a value; a field that is not known is left out."""
    return _build(_EVENTS[line["event"]], line)


def _build(kind: type[T], values: Mapping[str, Any]) -> T:
    known = {entry.name for entry in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: _convert(name, value) for name, value in values.items() if name in known})


def _convert(name: str, value: Any) -> Any:
    if name in _ITEMS:
        return [_build(_ITEMS[name], item) for item in value]
    if name in ("source", "callers"):
        return [tuple(pair) for pair in value]
    return value
