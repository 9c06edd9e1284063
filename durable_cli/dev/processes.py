"""Child processes of dx: each in a session of its own, and known to the guard before it runs.

Ctrl-C at the terminal reaches dx alone, which ends its children in order; the guard ends them when dx is killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

from durable_cli.dev import guard

__all__ = ["Child", "Guard"]

GUARD_SCRIPT = Path(guard.__file__)
LEFTOVER_GRACE_SECONDS = 2.0
LAST_OUTPUT_SECONDS = 1.0  # a process that has left the group may hold the output open for ever


class Guard:
    """The guard process and the writing end of its pipe."""

    def __init__(self) -> None:
        self._pipe = -1
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the guard; it lives until this process ends, or `stop`."""
        reading, self._pipe = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *_isolated_python(),
                str(GUARD_SCRIPT),
                "watch",
                str(reading),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[reading],
                cwd="/",
            )
        finally:
            os.close(reading)

    @property
    def launcher(self) -> tuple[str, ...]:
        """The words before a command that make the guard know it; they need `pass_fds`."""
        return (*_isolated_python(), str(GUARD_SCRIPT), "run", str(self._pipe))

    @property
    def pass_fds(self) -> tuple[int, ...]:
        """The file descriptors that a launched command must inherit."""
        return (self._pipe,)

    def kill_all(self) -> None:
        """Let the guard kill everything that runs, at once."""
        self._write("now\n")

    async def wait(self) -> bool:
        """Wait until the guard has killed everything; False when it was killed itself."""
        assert self._process is not None
        return await self._process.wait() == 0

    async def stop(self) -> None:
        """Let the guard end what is left, and wait until it has."""
        if self._pipe >= 0:
            os.close(self._pipe)
        await self.wait()

    async def spawn(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        on_output: Callable[[bytes], None],
    ) -> Child:
        """Start a command; its stdout and stderr, as one stream, go to `on_output`.

        A command that can't be started says so in its output and exits with 127 or 126, as in a shell.
        """
        loop = asyncio.get_running_loop()
        _, child = await loop.subprocess_exec(
            lambda: Child(on_output, self.forget),
            *self.launcher,
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            pass_fds=self.pass_fds,
            cwd=cwd,
            env=dict(env),
        )
        return child

    def note_terminal(self, path: str) -> None:
        """Tell the guard which terminal to restore when dx is killed."""
        self._write(f"tty {path}\n")

    def forget(self, group: int) -> None:
        """Take a process group off the list: nothing is left of it."""
        self._write(f"-{group}\n")

    def _write(self, line: str) -> None:
        with suppress(OSError):
            os.write(self._pipe, line.encode())


class Child(asyncio.SubprocessProtocol):
    """A running command with all the processes that it starts, its process group."""

    def __init__(self, on_output: Callable[[bytes], None], on_gone: Callable[[int], None]) -> None:
        self._on_output = on_output
        self._on_gone = on_gone
        self._exited = asyncio.Event()
        self._output_ended = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None
        self.pid = 0
        self.exit_code: int | None = None
        """The exit code, or minus the signal's number; None while it runs."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self.pid = self._transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._on_output(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == 1:
            self._output_ended.set()

    def process_exited(self) -> None:
        self.exit_code = self._transport.get_returncode()
        self._exited.set()

    async def wait(self) -> int:
        """Wait until the command itself has exited; what it has started may still run."""
        await self._exited.wait()
        return cast(int, self.exit_code)

    async def end(self, grace_seconds: float = LEFTOVER_GRACE_SECONDS) -> int:
        """End the whole group: SIGTERM, then after the grace time SIGKILL. Return the command's exit code.

        It may be called again while it runs, and goes on when the caller is cancelled.
        """
        if self._ending is None:
            self._ending = asyncio.create_task(self._end(grace_seconds))
        await asyncio.shield(self._ending)
        return cast(int, self.exit_code)

    def kill(self) -> None:
        """Send SIGKILL to the whole group, at once."""
        guard.send(self.pid, signal.SIGKILL)

    async def _end(self, grace_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + grace_seconds
        is_there = guard.send(self.pid, signal.SIGTERM)
        while is_there and loop.time() < until:
            await asyncio.sleep(guard.POLL_SECONDS)
            is_there = guard.send(self.pid, 0)
        if is_there:
            self.kill()
        await self._exited.wait()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._output_ended.wait(), LAST_OUTPUT_SECONDS)
        self._on_gone(self.pid)
        self._transport.close()


def _isolated_python() -> tuple[str, str, str]:
    """Return how to run dx's own interpreter without the user's modules and settings."""
    return sys.executable, "-I", "-S"
