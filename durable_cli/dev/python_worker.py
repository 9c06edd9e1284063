"""Workers whose modules dx loads with the user's interpreter, in a host process for each candidate."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from durable_cli.dev import events, host_events
from durable_cli.dev.candidate import AttemptFailedError, CrashError
from durable_cli.dev.host_events import Checked, Definition, Drained, Failed, Loaded
from durable_cli.dev.host_process import HostConnection, HostEndedError, HostProcess, HostWorker
from durable_cli.dev.processes import Guard
from durable_cli.dev.project.interpreter import find_python
from durable_cli.dev.project.model import Project, Worker
from durable_cli.dev.report import Reporter
from durable_cli.dev.setup import run_setup
from durable_cli.errors import CliError

__all__ = ["PythonCandidate", "PythonSupply"]

KILL_AFTER_GRACE_SECONDS = 5.0


class PythonSupply:
    """Starts hosts, one ahead: a reload then pays for the user's modules alone."""

    may_be_interrupted = True

    def __init__(
        self,
        name: str,
        worker: Worker,
        project: Project,
        guard: Guard,
        reporter: Reporter,
        environment: Callable[[Worker], dict[str, str]],
        connection: Callable[[str, str], HostConnection],
        *,
        keeps_spare: bool,
    ) -> None:
        self._name = name
        self._worker = worker
        self._project = project
        self._guard = guard
        self._reporter = reporter
        self._environment = environment
        self._connection = connection
        self._keeps_spare = keeps_spare
        self._numbers = itertools.count(1)
        self._spare: asyncio.Task[HostProcess] | None = None

    async def set_up(self) -> None:
        environment = self._environment(self._worker)
        await run_setup(self._worker, self._guard, self._reporter, environment)

    async def take(self, *, fresh: bool) -> PythonCandidate:
        if fresh or not await self._has_good_spare():
            await self.close()
        starting, self._spare = self._spare, None
        host = await (starting or self._start())
        identity = f"{self._name}-{next(self._numbers)}@{socket.gethostname()}:{os.getpid()}"
        connection = self._connection(self._worker.namespace, identity)
        return PythonCandidate(host, self._worker, self._project, connection, self._guard, self._start)

    def prepare(self) -> None:
        if self._keeps_spare and self._spare is None:
            self._spare = asyncio.create_task(self._start())

    def drop_outputs(self, files: frozenset[str]) -> frozenset[str]:
        return files

    async def close(self) -> None:
        spare, self._spare = self._spare, None
        if spare is None:
            return
        with suppress(AttemptFailedError):
            host = await spare
            host.kill()
            await host.wait_exited()
            self._guard.forget(host.pid)

    async def _has_good_spare(self) -> bool:
        """Whether the spare still lives, and has the interpreter that the worker has by now."""
        if self._spare is None:
            return False
        with suppress(AttemptFailedError, CliError):
            host = await asyncio.shield(self._spare)
            return host.is_alive and host.python == find_python(self._worker, self._project.folder)
        return False

    async def _start(self) -> HostProcess:
        feed = self._reporter.open_sink()
        if not self._worker.cwd.is_dir():
            raise _refusal(f"there is no folder {self._worker.cwd}", "correct `cwd` in dx.toml")
        try:
            return await HostProcess.start(
                find_python(self._worker, self._project.folder),
                cwd=self._worker.cwd,
                environment=self._environment(self._worker),
                on_output=lambda stream, line: feed(f"{line}\n".encode()),
                launcher=self._guard.launcher,
                pass_fds=self._guard.pass_fds,
            )
        except CliError as error:
            raise _refusal(error.message or "", error.hint) from None
        except OSError as error:
            raise _refusal(f"no process can be started: {error}") from None


class PythonCandidate:
    """One host."""

    def __init__(
        self,
        host: HostProcess,
        worker: Worker,
        project: Project,
        connection: HostConnection,
        guard: Guard,
        start_another: Callable[[], Coroutine[Any, Any, HostProcess]],
    ) -> None:
        self._host = host
        self._worker = worker
        self._replay = project.replay
        self._connection = connection
        self._guard = guard
        self._start_another = start_another
        self._loaded: Loaded | None = None
        self._is_spoilt = False
        self.task_queue = worker.task_queue

    @property
    def pid(self) -> int:
        return self._host.pid

    @property
    def definitions(self) -> tuple[Sequence[Definition], Sequence[Definition]]:
        return (self._loaded.workflows, self._loaded.activities) if self._loaded else ((), ())

    @property
    def notes(self) -> Sequence[str]:
        return self._loaded.notes if self._loaded else ()

    async def load(self) -> None:
        worker = HostWorker(
            task_queue=self._worker.task_queue,
            workflows=self._worker.workflows,
            activities=self._worker.activities,
            data_converter=self._worker.data_converter,
            interceptors=self._worker.interceptors,
            plugins=self._worker.plugins,
            graceful_shutdown_timeout=self._worker.graceful_shutdown_timeout.total_seconds(),
            options=self._worker.sdk_options,
        )
        try:
            answer = await self._host.load(worker, self._connection)
        except HostEndedError as error:
            answer = host_events.LoadFailed("HostEnded", str(error), traceback="\n".join(error.last_lines))
        if isinstance(answer, host_events.LoadFailed):
            # One that the user's own code raises under this name has a place in a file.
            if answer.error == "ConnectError" and answer.file is None:
                raise AttemptFailedError(events.Note(answer.message, "warn"), is_worth_a_retry=True)
            raise AttemptFailedError(events.LoadFailed(answer))
        self._loaded = answer

    async def check(self) -> Checked | None:
        open_runs, closed_runs = self._replay.open_runs, self._replay.closed_runs
        if not open_runs and not closed_runs:
            return None
        try:
            answer = await self._host.check(open_runs=open_runs, closed_runs=closed_runs)
        except HostEndedError as error:
            raise AttemptFailedError(events.CheckFailed(str(error))) from None
        if isinstance(answer, Failed):
            raise AttemptFailedError(events.CheckFailed(answer.message), is_worth_a_retry=True)
        self._is_spoilt = not answer.is_clean
        return answer

    async def serve(self) -> None:
        if self._is_spoilt:
            await self.kill()
            self._host = await self._start_another()
            await self.load()
        try:
            answer = await self._host.serve()
        except HostEndedError as error:
            raise CrashError(error.exit_code, str(error)) from None
        if isinstance(answer, Failed):
            raise CrashError(1, answer.message)

    async def wait_crashed(self) -> CrashError:
        failed = await asyncio.shield(self._host.failed)
        if failed is not None:
            return CrashError(1, failed.message)
        return CrashError(await self._host.wait_exited())

    async def drain(self) -> bool:
        grace_seconds = self._worker.graceful_shutdown_timeout.total_seconds() + KILL_AFTER_GRACE_SECONDS
        is_clean = False
        with suppress(HostEndedError, TimeoutError):
            drained: Drained = await asyncio.wait_for(self._host.drain(), grace_seconds)
            is_clean = drained.in_time
        await self.kill()
        return is_clean

    async def kill(self) -> None:
        self._host.kill()
        await self._host.wait_exited()
        self._guard.forget(self._host.pid)


def _refusal(message: str, hint: str = "") -> AttemptFailedError:
    return AttemptFailedError(events.LoadFailed(host_events.LoadFailed("can't start", message, hint)))
