"""A Python worker's host as a child process: commands in, events and output lines out.

The protocol is in `host/README.md`. One host is one candidate for a worker: it loads, checks, serves and drains, and
then it is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from durable_cli.dev.host_events import Checked, Drained, Failed, HostEvent, Loaded, LoadFailed, Serving, parse
from durable_cli.dev.processes import LAST_OUTPUT_SECONDS

__all__ = ["HostConnection", "HostEndedError", "HostProcess", "HostWorker"]

HOST = Path(__file__).with_name("host") / "main.py"

# A line of output or an event may be this long.
_LINE_LIMIT_BYTES = 64 * 1024 * 1024
_KEPT_STDERR_LINES = 20
# For a check to end by itself after its time.
_OVERTIME_SECONDS = 10.0


@dataclass(frozen=True)
class HostWorker:
    """What the host needs to know of a `[worker.NAME]` table of dx.toml.

    Args:
        options: concurrency limits, passed to the SDK's Worker under their own names.
        graceful_shutdown_timeout: seconds.
    """

    task_queue: str
    workflows: Sequence[str] = ()
    activities: Sequence[str] = ()
    data_converter: str | None = None
    interceptors: Sequence[str] = ()
    plugins: Sequence[str] = ()
    graceful_shutdown_timeout: float = 10.0
    options: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class HostConnection:
    """How a host reaches the server: what is empty is left to the SDK.

    Args:
        tls: True for the system's authorities, or `server_root_ca_cert`, `domain`, `client_cert`,
            `client_private_key` (PEM text).
    """

    address: str
    namespace: str
    identity: str
    api_key: str | None = None
    tls: bool | Mapping[str, str] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class HostEndedError(Exception):
    """The process has ended before it answered.

    Args:
        exit_code: as of subprocess: negative for a signal.
        last_lines: the end of what it wrote to stderr.
    """

    def __init__(self, exit_code: int, last_lines: Sequence[str]) -> None:
        how = f"was ended by {signal.Signals(-exit_code).name}" if exit_code < 0 else f"ended with code {exit_code}"
        super().__init__(f"the worker's process {how}")
        self.exit_code = exit_code
        self.last_lines = list(last_lines)


class HostProcess:
    """One host. Make it with `start`; end it with `drain` or `kill`.

    Attributes:
        pid: of the process, which leads a session and a process group of its own.
        python: the interpreter that it was started with.
        failed: done with what happened once the worker ends by itself while it serves, or with None when the process
            ends in any other way.
    """

    def __init__(self, process: _Process, events: asyncio.StreamReader, python: Path) -> None:
        loop = asyncio.get_running_loop()
        self._process = process
        self._events = events
        self._answers: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._warm = loop.create_future()
        self._last_stderr: deque[str] = deque(maxlen=_KEPT_STDERR_LINES)
        self._tasks: list[asyncio.Task[None]] = []
        self._exited: asyncio.Task[int] = loop.create_task(self._wait())
        self.failed: asyncio.Future[Failed | None] = loop.create_future()
        self.pid = process.transport.get_pid()
        self.python = python

    @property
    def is_alive(self) -> bool:
        """Whether the process itself has not ended."""
        return not self._process.ended.is_set()

    @classmethod
    async def start(
        cls,
        python: str | Path,
        *,
        cwd: Path,
        environment: Mapping[str, str],
        on_output: Callable[[str, str], None],
        launcher: Sequence[str] = (),
        pass_fds: Sequence[int] = (),
    ) -> HostProcess:
        """Start a host, which gets warm and waits for `load`.

        Args:
            environment: the whole environment of the process.
            launcher: a command that becomes the one whose words follow it, such as the guard's.
            pass_fds: file descriptors that the launcher needs.
            on_output: called with `stdout` or `stderr` and one line of what the user's code writes.

        Raises:
            OSError: when `python` (or the launcher) can't be run.
        """
        loop = asyncio.get_running_loop()
        read_fd, write_fd = os.pipe()
        try:
            _, process = await loop.subprocess_exec(
                lambda: _Process(_LINE_LIMIT_BYTES, loop),
                *launcher,
                str(python),
                "-u",
                str(HOST),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=cwd,
                env={**environment, "DX_EVENTS_FD": str(write_fd)},
                pass_fds=(write_fd, *pass_fds),
                start_new_session=True,
            )
        except BaseException:
            os.close(read_fd)
            raise
        finally:
            os.close(write_fd)
        events = asyncio.StreamReader(limit=_LINE_LIMIT_BYTES)
        events_transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(events), os.fdopen(read_fd, "rb", buffering=0)
        )
        process.events_transport = events_transport
        host = cls(process, events, Path(python))
        host._begin(on_output)
        return host

    async def wait_warm(self) -> None:
        """Return once the SDK is imported; a Failed event or an end before that is told by `load`."""
        await asyncio.wait([self._warm, self._exited], return_when=asyncio.FIRST_COMPLETED)

    async def load(self, worker: HostWorker, connection: HostConnection) -> Loaded | LoadFailed:
        """Import the worker's modules, connect, and let the SDK validate the worker.

        Raises:
            HostEndedError: the process ended instead, as when a module calls `sys.exit`.
        """
        answer = await self._ask({"do": "load", "worker": asdict(worker), **asdict(connection)})
        assert isinstance(answer, Loaded | LoadFailed), answer
        return answer

    async def check(
        self, *, open_runs: int, closed_runs: int, seconds: float = 30.0, seconds_per_run: float = 5.0
    ) -> Checked | Failed:
        """Replay open runs (at most, newest first) and the last closed runs of each workflow type.

        Args:
            seconds: in all, after which the rest is not replayed.
            seconds_per_run: after which a run counts as a failure.

        Raises:
            HostEndedError: the process ended instead.
        """
        command = {
            "do": "check",
            "open_runs": open_runs,
            "closed_runs": closed_runs,
            "seconds": seconds,
            "seconds_per_run": seconds_per_run,
        }
        try:
            answer = await asyncio.wait_for(self._ask(command), seconds + _OVERTIME_SECONDS)
        except TimeoutError:
            # The user's code keeps the host from looking at the clock.
            self.kill()
            return Failed(f"the replay check did not end within {seconds + _OVERTIME_SECONDS:g} s")
        assert isinstance(answer, Checked | Failed), answer
        return answer

    async def serve(self) -> Serving | Failed:
        """Start the worker, and return once the server sees it poll.

        Raises:
            HostEndedError: the process ended instead.
        """
        answer = await self._ask({"do": "serve"})
        assert isinstance(answer, Serving | Failed), answer
        return answer

    async def drain(self) -> Drained:
        """Shut the worker down gracefully, and wait until its process has ended.

        Raises:
            HostEndedError: the process ended without a word.
        """
        answer = await self._ask({"do": "drain"})
        assert isinstance(answer, Drained), answer
        await self.wait_exited()
        return answer

    async def wait_exited(self) -> int:
        """Wait for the end of the process and for its last output, and return the exit code."""
        return await asyncio.shield(self._exited)

    def kill(self) -> None:
        """End the process and all that it has started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def _ask(self, command: dict[str, Any]) -> HostEvent:
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            await self._process.stdin.drain()
        answer = await self._answers.get()
        if answer is None:
            self._answers.put_nowait(None)
            raise HostEndedError(await self.wait_exited(), self._last_stderr)
        return parse(answer)

    def _begin(self, on_output: Callable[[str, str], None]) -> None:
        assert self._process.stdout is not None
        assert self._process.stderr is not None

        def keep(stream: str, line: str) -> None:
            self._last_stderr.append(line)
            on_output(stream, line)

        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(_forward("stdout", self._process.stdout, on_output)),
            loop.create_task(_forward("stderr", self._process.stderr, keep)),
            loop.create_task(self._read_events()),
        ]

    async def _read_events(self) -> None:
        is_serving = False
        async for line in self._events:
            event = json.loads(line)
            if event["event"] == "warm":
                self._warm.set_result(None)
            elif event["event"] == "failed" and is_serving:
                self.failed.set_result(Failed(event["message"], event["traceback"]))
                is_serving = False
            else:
                is_serving = event["event"] == "serving"
                self._answers.put_nowait(event)
        # The host is gone, and what the user's code has started in its group goes with it.
        self.kill()

    async def _wait(self) -> int:
        await self._process.ended.wait()
        self.kill()
        _, unfinished = await asyncio.wait(self._tasks, timeout=LAST_OUTPUT_SECONDS)
        for task in unfinished:
            task.cancel()
        self._process.close()
        self._answers.put_nowait(None)
        if not self.failed.done():
            self.failed.set_result(None)
        return cast(int, self._process.transport.get_returncode())


class _Process(asyncio.subprocess.SubprocessStreamProtocol):
    """The process with its streams, and its own end: what has left its group may hold the streams open for ever."""

    transport: asyncio.SubprocessTransport
    events_transport: asyncio.ReadTransport

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit, loop)
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport = cast(asyncio.SubprocessTransport, transport)

    def process_exited(self) -> None:
        super().process_exited()
        self.ended.set()

    def close(self) -> None:
        self.transport.close()
        self.events_transport.close()


async def _forward(stream: str, reader: asyncio.StreamReader, on_output: Callable[[str, str], None]) -> None:
    async for line in reader:
        on_output(stream, line.decode(errors="replace").rstrip("\r\n"))
