"""What happens in `dx dev`, as values: the view makes lines of them, the journal JSON, and others may follow that.

Each event belongs to a source: `dx`, `server`, or a worker by its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from durable_cli.dev import host_events
from durable_cli.dev.host_events import Checked, Definition

__all__ = [
    "BuildFailed",
    "Building",
    "Changed",
    "CheckFailed",
    "Checked",
    "Crashed",
    "Drained",
    "Event",
    "Held",
    "LoadFailed",
    "Note",
    "Ready",
    "ServerReady",
    "SettingUp",
    "Starting",
    "Stopped",
    "Stopping",
]


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth a line; `level` is info, warn or error."""

    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Starting:
    """A server or a worker is being started."""


@dataclass(frozen=True, slots=True)
class ServerReady:
    """The server answers; a server that dx has not started has no `db_filename` and no `ui_port`."""

    address: str
    db_filename: str
    seconds: float
    ui_port: int | None = None


@dataclass(frozen=True, slots=True)
class SettingUp:
    """The worker's `setup` runs, since what it creates is missing."""

    command: str


@dataclass(frozen=True, slots=True)
class Changed:
    """Files were saved: the worker is being reloaded."""

    files: Sequence[str]


@dataclass(frozen=True, slots=True)
class Building:
    """The worker's `build` runs."""

    command: str


@dataclass(frozen=True, slots=True)
class BuildFailed:
    """The worker's `setup` or `build` failed; an old worker goes on."""

    command: str
    exit_code: int
    old_goes_on: bool = False


@dataclass(frozen=True, slots=True)
class LoadFailed:
    """The user's modules can't be loaded; an old worker goes on."""

    problem: host_events.LoadFailed
    old_goes_on: bool = False


@dataclass(frozen=True, slots=True)
class CheckFailed:
    """The replay check itself could not be done."""

    message: str


@dataclass(frozen=True, slots=True)
class Held:
    """The new code is not served since it does not repeat the histories; an old worker may go on."""

    old_goes_on: bool
    is_asked: bool
    """Whether the user is being asked what to do."""
    question: str = ""
    """The id of what is asked, for `answers.py`."""
    choices: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """The new worker polls. `seconds` since its start or the save; `is_new_code` when it takes another's place."""

    task_queue: str
    seconds: float
    is_new_code: bool
    workflows: Sequence[Definition] = ()
    activities: Sequence[Definition] = ()
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Drained:
    """The old worker has finished what it had, or was ended after its grace time."""

    seconds: float
    is_clean: bool


@dataclass(frozen=True, slots=True)
class Crashed:
    """The server or a worker ended by itself; it is started again after `retry_seconds`."""

    exit_code: int
    retry_seconds: float
    message: str = ""


@dataclass(frozen=True, slots=True)
class Stopping:
    """The server or a worker is being ended."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The server or a worker was ended."""


Event = (
    Note
    | Starting
    | ServerReady
    | SettingUp
    | Changed
    | Building
    | BuildFailed
    | LoadFailed
    | Checked
    | CheckFailed
    | Held
    | Ready
    | Drained
    | Crashed
    | Stopping
    | Stopped
)
