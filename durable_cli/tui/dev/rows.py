"""What the journal of `dx dev` says, as plain rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, NamedTuple

from durable_cli.dev.host_events import Checked, LoadFailed, Mismatch, ReplayFailure

__all__ = ["BrokenRun", "DevEvent", "Member", "Notice", "Outcome", "Phase", "Reload", "Severity", "StoryLine"]

BrokenRun = Mismatch | ReplayFailure


class DevEvent(NamedTuple):
    """A line of the journal."""

    time_ns: int
    source: str
    name: str
    fields: Mapping[str, Any]


class Phase(Enum):
    """What the server or a worker is doing; an old worker may serve meanwhile."""

    STARTING = "starting"
    SERVING = "serving"
    RELOADING = "reloading"
    CHECKED = "replayed"
    ASKING = "waits for you"
    HELD = "not served"
    FAILED = "failed"
    CRASHED = "crashed"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(slots=True)
class Member:
    """The server, or a worker.

    Attributes:
        words: what is to be said beside its phase.
        served_since_ns: when what serves began to; 0 while nothing does.
        generation: how many times code has come into service.
        question: the id of what is asked, and `choices` its answers.
        broken: the runs that the code as it is now does not repeat.
    """

    name: str
    phase: Phase = Phase.STARTING
    words: str = ""
    served_since_ns: int = 0
    generation: int = 0
    pid: int = 0
    task_queue: str = ""
    address: str = ""
    ui_port: int = 0
    workflows: int = 0
    activities: int = 0
    question: str = ""
    choices: Sequence[str] = ()
    broken: Sequence[BrokenRun] = ()


class Outcome(Enum):
    """How a reload ended."""

    RUNNING = "under way"
    SERVING = "serving"
    ASKING = "waits for you"
    HELD = "not served"
    FAILED = "failed"
    CRASHED = "crashed"
    REPLACED = "another save came"
    CHECKED = "replayed only"


@dataclass(slots=True)
class Reload:
    """One attempt to bring code into service: a start, a save, or only a replay of the runs (`kind`).

    Attributes:
        load_seconds: from the save to the beginning of the replay.
        seconds: from the save until the new worker served.
        drained_seconds: how long the old worker took to finish what it had.
    """

    number: int
    source: str
    time_ns: int
    kind: str
    files: Sequence[str] = ()
    outcome: Outcome = Outcome.RUNNING
    words: str = ""
    load_seconds: float | None = None
    checked: Checked | None = None
    problem: LoadFailed | None = None
    seconds: float | None = None
    drained_seconds: float | None = None

    @property
    def broken(self) -> Sequence[BrokenRun]:
        """The runs that do not repeat their history."""
        return [*self.checked.mismatches, *self.checked.failures] if self.checked else ()


class StoryLine(NamedTuple):
    """Something that dx says; `variable` is its colour."""

    time_ns: int
    source: str
    sign: str
    variable: str
    text: str


Severity = Literal["information", "warning", "error"]


class Notice(NamedTuple):
    """Something worth a word on whatever screen is open."""

    source: str
    text: str
    severity: Severity = "information"
    is_mismatch: bool = False
