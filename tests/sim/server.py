"""The server under simulation: an engine on a file, which dies and comes back on the same file."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from engine.core.errors import Internal
from engine.core.namespace import Namespace
from engine.core.policy.limits import Limits
from engine.core.run.state import RunState
from engine.runtime.engine import Engine
from engine.runtime.run_cache import RunCache
from engine.runtime.waiters import HistoryWaiters
from engine.store.database import open_database
from engine.store.runs import max_run_key
from tests.sim.trouble import Crash, InjectedError, Trouble, TroubledWriter, peace
from tests.sim.virtual_time import VirtualEnv, VirtualLoop

__all__ = ["LostReplyError", "Server", "ServerGoneError", "Step"]

Reply = TypeVar("Reply")

NAMESPACE_ID = "11111111-1111-4111-8111-111111111111"


class ServerGoneError(Exception):
    """The connection broke: the caller does not know what became of its request."""


class LostReplyError(ServerGoneError):
    """The server carried the request out; its answer never arrived."""


@dataclass(frozen=True)
class Step:
    """What a step of the engine has done, by run keys: the runs that it wrote, and which of them it closed.

    Runs from `first_new_run_key` on it has made.
    """

    run_keys: list[int]
    closed: set[int]
    first_new_run_key: int


class _TouchedRuns(HistoryWaiters):
    """Notes which runs a step has written."""

    def __init__(self) -> None:
        super().__init__()
        self.touched: dict[int, None] = {}

    def notify(self, state: RunState) -> None:
        self.touched[state.run_key] = None
        super().notify(state)


class _UnexpectedErrors(logging.Handler):
    """Collects what the engine logs as internal errors, except those that were injected."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[BaseException] = []
        self.tasks_unread = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.tasks_unread += "tasks can't be read" in record.msg
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, InjectedError | sqlite3.OperationalError):
            self.errors.append(error)


class Server:
    """Boots, serves in-process calls, crashes.

    `check` is called after every step.
    """

    def __init__(self, path: Path, env: VirtualEnv, loop: VirtualLoop, trouble: Trouble, cache_bytes: int = 0) -> None:
        self.limits = Limits()
        self.path = path
        self.env = env
        self.loop = loop
        self.trouble = trouble
        self.cache_bytes = cache_bytes
        self.check: Callable[[Engine, Step], None] = lambda engine, step: None
        self.engine: Engine | None = None
        self.namespace: Namespace = None  # type: ignore[assignment]
        self.failure: BaseException | None = None
        self.crashes = 0
        self.steps = 0
        self._calls: dict[asyncio.Task[Any], None] = {}
        self._polls: dict[asyncio.Task[Any], None] = {}
        self.up = asyncio.Event()
        self._log = _UnexpectedErrors()
        self._tasks_read_again = -1.0
        self._closed: set[int] = set()
        self._first_new_run_key = 1
        logger = logging.getLogger("dx.engine")
        logger.handlers, logger.propagate = [self._log], False
        loop.set_exception_handler(self._on_error)

    async def boot(self) -> None:
        """Open the file as a new process would."""
        database = open_database(self.path, {"synchronous": "off"})
        self.env.restart(max_run_key(database.writer))
        self.note_runs(database.writer)
        engine = Engine(database, self.env, self.limits)
        if not engine.namespaces.all():
            namespace = Namespace(0, NAMESPACE_ID, "default")
            namespace.custom_search_attributes["Number"] = 3
            engine.namespaces.save(namespace)
        self.namespace = engine.namespaces.get("default")
        engine.history_waiters = _TouchedRuns()
        if self.cache_bytes:
            engine.runs = RunCache(self.cache_bytes)
        database.writer = TroubledWriter(database.writer, self.trouble)  # type: ignore[assignment]
        step = engine.step

        def checked_step() -> None:
            if self.engine is not engine:
                return  # it died with this step still to come
            step()
            self._after_step(engine)
            if self.trouble.happens(self.trouble.poll_cancelled_with_its_task):
                # The reply of a poll is there and its handler has not run yet: the last moment to lose the client.
                for poll in list(self._polls):
                    poll.cancel()

        engine.step = checked_step  # type: ignore[method-assign]
        self.engine = engine
        with peace(self.trouble):
            await engine.start()
        self.up.set()

    def crash(self) -> None:
        """Die at once: nothing is answered, nothing more is written; come back a little later."""
        engine = self.engine
        if engine is None:
            return
        self.crashes += 1
        self.engine = None
        self.up.clear()
        engine._stopped = True
        engine.due_runs.stop()
        engine.time_control.stop()
        if engine._housekeeping is not None:
            engine._housekeeping.cancel()
        engine.database.writer.close()
        os.close(engine.database._lock_fd)
        for call in list(self._calls):
            call.cancel()
        self.loop.call_later(self.trouble.random.choice((0.0, 0.01, 3.0)), self._restart)

    def _restart(self) -> None:
        booting = self.loop.create_task(self.boot())
        booting.add_done_callback(self._on_booted)

    def _on_booted(self, booting: asyncio.Task[None]) -> None:
        if not booting.cancelled() and (error := booting.exception()) is not None:
            self.fail(error)

    def all_tasks_read(self) -> bool:
        """Say whether the task queues are as the file; not for the second after a look into it that failed."""
        if self._log.tasks_unread:
            self._log.tasks_unread = 0
            self._tasks_read_again = self.loop.time() + 1.001
        return self.loop.time() > self._tasks_read_again

    def fail(self, error: BaseException) -> None:
        """Note the first thing that is wrong; the simulation stops on it."""
        if self.failure is None:
            self.failure = error

    def _on_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Crash):
            self.crash()
        else:
            self.fail(error or RuntimeError(context["message"]))

    def _after_step(self, engine: Engine) -> None:
        self.steps += 1
        touched = engine.history_waiters.touched  # type: ignore[attr-defined]
        try:
            if self._log.errors:
                raise self._log.errors[0]
            with peace(self.trouble):
                first_new_run_key = self._first_new_run_key
                closed = self.note_runs(engine.database.writer)
                self.check(engine, Step(list(touched), closed, first_new_run_key))
        except Exception as error:
            self.fail(error)
        touched.clear()

    def note_runs(self, connection: sqlite3.Connection) -> set[int]:
        """Note which runs there are and which of them have closed; return those that are news."""
        before = self._closed
        self._closed = {key for (key,) in connection.execute("SELECT run_key FROM runs WHERE status != 1")}
        self._first_new_run_key = max_run_key(connection) + 1
        return self._closed - before

    async def call(self, operation: Callable[[Engine], Awaitable[Reply]], *, poll: bool = False) -> Reply:
        """Run a request on the engine of the moment.

        Raises:
            ServerGoneError: it died meanwhile, or its reply was lost.
        """
        while self.engine is None:
            await self.up.wait()
        engine = self.engine
        call = self.loop.create_task(operation(engine))  # type: ignore[arg-type]
        self._calls[call] = None
        if poll:
            self._polls[call] = None
        try:
            reply = await call
        except asyncio.CancelledError:
            current = asyncio.current_task()
            assert current is not None
            if current.cancelling():
                raise
            raise ServerGoneError from None
        except sqlite3.Error as error:
            raise Internal(str(error)) from None
        finally:
            del self._calls[call]
            self._polls.pop(call, None)
        if self.trouble.happens(self.trouble.lost_reply):
            raise LostReplyError
        return reply

    def close(self) -> None:
        """End the simulation."""
        if self.engine is not None:
            self.engine.database.writer.close()
            os.close(self.engine.database._lock_fd)
