"""Workers that are any command: built, checked by the user's own replay command, started, and ended by signals."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from durable_cli.dev.candidate import AttemptFailedError, CrashError, describe_command
from durable_cli.dev.events import BuildFailed, Building, CheckFailed, Event, Note
from durable_cli.dev.histories import HistoryFolder
from durable_cli.dev.host_events import Checked, Definition, ReplayFailure
from durable_cli.dev.processes import Child, Guard
from durable_cli.dev.project.model import Worker
from durable_cli.dev.report import Reporter
from durable_cli.dev.setup import run_setup, run_to_end
from durable_cli.errors import CliError

__all__ = ["CommandCandidate", "CommandSupply", "Pollers"]

ALIVE_SECONDS = 1.0
POLL_SECONDS = 0.1
SEEN_WITHIN_SECONDS = 15.0
KEPT_OUTPUT_LINES = 20


class Pollers(Protocol):
    """Sees who polls a task queue."""

    async def find_pollers(self, namespace: str, task_queue: str) -> frozenset[str]:
        """Return the identities of the workers that have polled lately."""


class CommandSupply:
    """Makes candidates of a command, and knows which files its build writes."""

    may_be_interrupted = False

    def __init__(
        self,
        worker: Worker,
        guard: Guard,
        reporter: Reporter,
        environment: Callable[[Worker], dict[str, str]],
        pollers: Pollers,
        histories: HistoryFolder,
    ) -> None:
        self._worker = worker
        self._guard = guard
        self._reporter = reporter
        self._environment = environment
        self._pollers = pollers
        self._histories = histories
        self._seen_during_builds: frozenset[str] = frozenset()
        self._outputs: frozenset[str] = frozenset()

    async def set_up(self) -> None:
        environment = self._environment(self._worker)
        await run_setup(self._worker, self._guard, self._reporter, environment)

    async def take(self, *, fresh: bool) -> CommandCandidate:
        return CommandCandidate(
            self._worker, self._guard, self._reporter, self._environment(self._worker), self._pollers, self._histories
        )

    def prepare(self) -> None:
        pass

    def drop_outputs(self, files: frozenset[str]) -> frozenset[str]:
        """What changes during two builds is taken for what the build writes; the first time it is built once more."""
        left = files - self._outputs
        repeated = left & self._seen_during_builds
        if left and left == repeated:
            shown = ", ".join(sorted(left)[:3])
            self._reporter.tell(Note(f"{shown} is written by the build and not watched; add it to `ignore` in dx.toml"))
            self._outputs |= left
            return frozenset()
        self._seen_during_builds |= left
        return left

    async def close(self) -> None:
        pass


class CommandCandidate:
    """One run of the command, with the build before it."""

    def __init__(
        self,
        worker: Worker,
        guard: Guard,
        reporter: Reporter,
        environment: dict[str, str],
        pollers: Pollers,
        histories: HistoryFolder,
    ) -> None:
        self._worker = worker
        self._guard = guard
        self._reporter = reporter
        self._environment = environment
        self._pollers = pollers
        self._histories = histories
        self._child: Child | None = None
        self._is_ended = False
        self.task_queue = worker.task_queue

    @property
    def pid(self) -> int:
        return self._child.pid if self._child is not None else 0

    @property
    def definitions(self) -> tuple[Sequence[Definition], Sequence[Definition]]:
        return (), ()

    @property
    def notes(self) -> Sequence[str]:
        return ()

    async def load(self) -> None:
        if not self._worker.cwd.is_dir():
            raise AttemptFailedError(Note(f"there is no folder {self._worker.cwd}: correct `cwd` in dx.toml", "error"))
        if self._worker.build is not None:
            self._tell(Building(describe_command(self._worker.build)))
            code = await self._run(self._worker.build, {})
            if code:
                raise AttemptFailedError(BuildFailed(describe_command(self._worker.build), code))

    async def check(self) -> Checked | None:
        if self._worker.replay_command is None:
            return None
        started_s = time.monotonic()
        try:
            folder, counts = await self._histories.write(self._worker)
        except (CliError, OSError) as error:
            raise AttemptFailedError(CheckFailed(str(error)), is_worth_a_retry=True) from None
        last_lines: deque[str] = deque(maxlen=KEPT_OUTPUT_LINES)
        code = 0
        if counts.open or counts.closed:
            code = await self._run(self._worker.replay_command, {"DX_HISTORIES": str(folder)}, last_lines)
        failure = ReplayFailure(
            "replay_command",
            "",
            "",
            "",
            True,
            f"`{describe_command(self._worker.replay_command)}` ended with exit code {code}",
            traceback="\n".join(last_lines),
        )
        return Checked(
            open=counts.open,
            closed=counts.closed,
            open_total=counts.open_total,
            seconds=time.monotonic() - started_s,
            mismatches=[],
            failures=[failure] if code else [],
        )

    async def serve(self) -> None:
        assert self._worker.command is not None
        namespace, task_queue = self._worker.namespace, self.task_queue
        before = await self._pollers.find_pollers(namespace, task_queue) if task_queue else frozenset()
        self._child = child = await self._spawn(self._worker.command, {})
        exited = asyncio.create_task(child.wait())
        try:
            if not task_queue:
                await asyncio.wait([exited], timeout=ALIVE_SECONDS)
            until = time.monotonic() + SEEN_WITHIN_SECONDS
            while task_queue and not exited.done():
                if await self._pollers.find_pollers(namespace, task_queue) - before:
                    break
                if time.monotonic() > until:
                    self._tell(Note(f"the server has not seen it poll {task_queue} yet", "warn"))
                    break
                await asyncio.wait([exited], timeout=POLL_SECONDS)
            if exited.done():
                raise CrashError(exited.result())
        finally:
            exited.cancel()

    async def wait_crashed(self) -> CrashError:
        assert self._child is not None
        return CrashError(await self._child.wait())

    async def drain(self) -> bool:
        if self._child is None:
            return True
        started_s = time.monotonic()
        grace_seconds = self._worker.graceful_shutdown_timeout.total_seconds()
        await self._child.end(grace_seconds)
        self._is_ended = True
        return time.monotonic() - started_s < grace_seconds

    async def kill(self) -> None:
        if self._child is not None and not self._is_ended:
            self._child.kill()
            await self._child.end()

    async def _run(self, words: Sequence[str], more: dict[str, str], last_lines: deque[str] | None = None) -> int:
        return await run_to_end(await self._spawn(words, more, last_lines))

    async def _spawn(self, words: Sequence[str], more: dict[str, str], last_lines: deque[str] | None = None) -> Child:
        show = self._reporter.open_sink()

        def take(data: bytes) -> None:
            show(data)
            if last_lines is not None:
                last_lines.extend(data.decode(errors="replace").splitlines())

        return await self._guard.spawn(words, cwd=self._worker.cwd, env={**self._environment, **more}, on_output=take)

    def _tell(self, event: Event) -> None:
        self._reporter.tell(event)
