"""What goes wrong, and when: decided by the seed at every commit, every reply and every handler."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any
from unittest import mock

from engine.core import dispatch
from engine.core.run import reset, start

__all__ = ["Crash", "InjectedError", "Trouble", "TroubledWriter", "peace", "troubled_handlers"]


class Crash(BaseException):
    """The server process dies here."""


class InjectedError(Exception):
    """A handler's bug."""


@dataclass
class Trouble:
    """Rates of what goes wrong, from 0 to 1; `crash_at_commit` crashes once, at that commit (from 1)."""

    random: Random
    crash_before_commit: float = 0.0
    crash_after_commit: float = 0.0
    failing_commit: float = 0.0
    failing_read: float = 0.0
    lost_reply: float = 0.0
    handler_error_before: float = 0.0
    handler_error_after: float = 0.0
    cancelled_poll: float = 0.0
    poll_cancelled_with_its_task: float = 0.0
    crash_at_commit: int = 0
    crash_once_after: bool = False
    active: bool = True
    commits: int = 0

    def happens(self, rate: float) -> bool:
        """Toss a coin."""
        return self.active and rate > 0 and self.random.random() < rate

    def before_commit(self) -> None:
        """Crash or fail in place of the COMMIT."""
        self.commits += 1
        if self.commits == self.crash_at_commit and not self.crash_once_after:
            raise Crash
        if self.happens(self.crash_before_commit):
            raise Crash
        if self.happens(self.failing_commit):
            if self.random.random() < 0.1:
                raise InjectedError("in a commit")
            raise sqlite3.OperationalError("database or disk is full")

    def after_commit(self) -> None:
        """Crash when the file has it and nobody has heard of it."""
        if self.commits == self.crash_at_commit and self.crash_once_after:
            raise Crash
        if self.happens(self.crash_after_commit):
            raise Crash


class TroubledWriter:
    """The engine's writer connection; every COMMIT may go wrong."""

    def __init__(self, connection: sqlite3.Connection, trouble: Trouble) -> None:
        self.connection = connection
        self._trouble = trouble

    @property
    def in_transaction(self) -> bool:
        return self.connection.in_transaction

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        if self._trouble.happens(self._trouble.failing_read) and sql.lstrip().startswith("SELECT"):
            raise sqlite3.OperationalError("disk I/O error")
        if sql != "COMMIT":
            return self.connection.execute(sql, parameters)
        self._trouble.before_commit()
        cursor = self.connection.execute(sql)
        self._trouble.after_commit()
        return cursor

    def executemany(self, sql: str, parameters: Any) -> sqlite3.Cursor:
        return self.connection.executemany(sql, parameters)

    def close(self) -> None:
        self.connection.close()


@contextlib.contextmanager
def troubled_handlers(trouble: Trouble) -> Iterator[None]:
    """Let the core's handlers raise now and then, before or after they changed the run."""

    def troubled(handler: Callable[..., Any]) -> Callable[..., Any]:
        def handle(*arguments: Any) -> Any:
            if trouble.happens(trouble.handler_error_before):
                raise InjectedError("before")
            reply = handler(*arguments)
            if trouble.happens(trouble.handler_error_after):
                raise InjectedError("after")
            return reply

        return handle

    handlers = {item: troubled(handler) for item, handler in dispatch.HANDLERS.items()}
    with (
        mock.patch.dict(dispatch.HANDLERS, handlers),
        mock.patch.object(start, "start_workflow", troubled(start.start_workflow)),
        mock.patch.object(start, "signal_with_start_workflow", troubled(start.signal_with_start_workflow)),
        mock.patch.object(start, "start_child_workflow", troubled(start.start_child_workflow)),
        mock.patch.object(reset, "reset_workflow", troubled(reset.reset_workflow)),
    ):
        yield


@contextlib.contextmanager
def peace(trouble: Trouble) -> Iterator[None]:
    """Let nothing go wrong meanwhile."""
    active, trouble.active = trouble.active, False
    try:
        yield
    finally:
        trouble.active = active
