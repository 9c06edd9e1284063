"""A worker that may take the place of the one that serves: what both kinds of workers offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from durable_cli.dev.events import Event
from durable_cli.dev.host_events import Checked, Definition

__all__ = ["AttemptFailedError", "Candidate", "CrashError", "Supply", "describe_command"]


class AttemptFailedError(Exception):
    """The candidate is no good, and the event says why.

    Args:
        is_worth_a_retry: whether it may work later without another save.
    """

    def __init__(self, event: Event, *, is_worth_a_retry: bool = False) -> None:
        super().__init__(str(event))
        self.event = event
        self.is_worth_a_retry = is_worth_a_retry


class CrashError(Exception):
    """The process ended by itself, or its worker did.

    Args:
        exit_code: minus the signal's number when it was ended by one.
    """

    def __init__(self, exit_code: int, message: str = "") -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.message = message


class Candidate(Protocol):
    """One process, from its first to its last moment: load, check, serve, drain."""

    task_queue: str

    async def load(self) -> None:
        """Do everything that can fail before a worker runs; raises AttemptFailedError."""

    async def check(self) -> Checked | None:
        """Replay histories with the new code, or return None when there is nothing to do it with.

        Raises: AttemptFailedError when it can't be done.
        """

    async def serve(self) -> None:
        """Start to poll, and return once the server sees it; raises CrashError."""

    async def wait_crashed(self) -> CrashError:
        """Return when the worker that serves has ended by itself."""

    async def drain(self) -> bool:
        """Let it finish what it has, within its grace time; False when that was too short."""

    async def kill(self) -> None:
        """End it at once, in whatever state it is; nothing of it is left afterwards."""

    @property
    def pid(self) -> int:
        """Its process; 0 while it has none."""

    @property
    def definitions(self) -> tuple[Sequence[Definition], Sequence[Definition]]:
        """The workflows and the activities that it serves, as far as that is known."""

    @property
    def notes(self) -> Sequence[str]:
        """What the user may not have meant."""


class Supply(Protocol):
    """Makes candidates for one worker."""

    may_be_interrupted: bool
    """Whether a save during `load` may end the candidate; a build goes on."""

    async def set_up(self) -> None:
        """Run the worker's setup, if it is due; raises AttemptFailedError."""

    async def take(self, *, fresh: bool) -> Candidate:
        """Return a candidate; a `fresh` one has not been started ahead. Raises AttemptFailedError."""

    def prepare(self) -> None:
        """Get ready for the next `take`, in the background."""

    def drop_outputs(self, files: frozenset[str]) -> frozenset[str]:
        """Return the files that were changed while a candidate was loaded, without those that loading it writes."""

    async def close(self) -> None:
        """End what was started ahead."""


def describe_command(words: Sequence[str]) -> str:
    """Return a command as it is typed, cut when it is long."""
    import shlex

    text = shlex.join(words)
    return text if len(text) <= 60 else f"{text[:59]}…"
