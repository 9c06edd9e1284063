"""The local server of `dx dev`: our own `dx server start-dev` as a child, started again when it crashes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from durable_cli.dev.backoff import Backoff
from durable_cli.dev.events import Crashed, Note, ServerReady, Starting, Stopped, Stopping
from durable_cli.dev.processes import Child, Guard
from durable_cli.dev.project.model import Project
from durable_cli.dev.report import Reporter
from durable_cli.errors import CliError

__all__ = ["LocalServer"]

GRACE_SECONDS = 10.0


class LocalServer:
    """The server's process; `address` is known once it has started."""

    def __init__(self, project: Project, guard: Guard, reporter: Reporter) -> None:
        self.address = ""
        self._project = project
        self._guard = guard
        self._reporter = reporter
        self._backoff = Backoff()
        self._child: Child | None = None
        self._ready_since_s = 0.0
        self._ui_port: int | None = project.server.ui_port
        self._is_headless = False
        self._shown_file = os.path.relpath(project.server.db_filename, project.folder)

    async def start(self) -> None:
        """Start it, and return once it answers.

        Raises:
            CliError: it does not start: the port is in use, the file can't be read.
        """
        self._reporter.tell(Starting())
        started_s = asyncio.get_running_loop().time()
        try:
            ready = await self._start_process()
        except CliError as error:
            if self._is_headless or "web page" not in (error.message or ""):
                raise
            self._is_headless = True
            ready = await self._start_without_page(error)
        self.address, self._ui_port = ready["address"], ready["uiPort"]
        self._ready_since_s = asyncio.get_running_loop().time()
        seconds = self._ready_since_s - started_s
        self._reporter.tell(ServerReady(self.address, self._shown_file, seconds, self._ui_port))

    async def _start_without_page(self, trouble: CliError) -> dict[str, Any]:
        """Start it once more; that the page is left out is news only when the rest of it starts."""
        ready = await self._start_process()
        text = f"{trouble.message}; it goes without: [server] ui_port in dx.toml takes another"
        self._reporter.tell(Note(text, "warn"))
        return ready

    async def _start_process(self) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[dict[str, Any]] = loop.create_future()
        show = self._reporter.open_sink()
        output = _ServerOutput(show, ready)
        child = await self._guard.spawn(
            self._command(), cwd=self._project.folder, env=os.environ, on_output=output.take
        )
        self._child = child
        exited = asyncio.create_task(child.wait())
        try:
            waited: list[asyncio.Future[Any]] = [exited, ready]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            exited.cancel()
        if not ready.done():
            await child.end()
            raise output.explain()
        return ready.result()

    async def run(self) -> None:
        """Start it again whenever it crashes, at the same address, until the task is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            assert self._child is not None
            code = await self._child.wait()
            await self._child.end()
            message = ""
            while True:
                retry_seconds = self._backoff.next_seconds(loop.time() - self._ready_since_s)
                self._ready_since_s = loop.time()
                self._reporter.tell(Crashed(code, retry_seconds, message))
                await asyncio.sleep(retry_seconds)
                try:
                    await self.start()
                    break
                except CliError as error:
                    code, message = 1, error.message or ""

    async def stop(self) -> None:
        """End it in order."""
        if self._child is not None:
            self._reporter.tell(Stopping())
            await self._child.end(GRACE_SECONDS)
            self._reporter.tell(Stopped())

    def _command(self) -> Sequence[str]:
        server = self._project.server
        port = self.address.rpartition(":")[2] or str(server.port)
        server.db_filename.parent.mkdir(parents=True, exist_ok=True)
        words = [sys.executable, "-P", "-m", "durable_cli", "server", "start-dev", "-o", "json"]
        words += ["--ip", server.ip, "--port", port, "--db-filename", str(server.db_filename)]
        words += ["--log-level", server.log_level]
        if self._is_headless:
            words.append("--headless")
        elif self._ui_port is not None:
            words += ["--ui-port", str(self._ui_port)]
        for pragma, setting in server.sqlite_pragmas.items():
            words += ["--sqlite-pragma", f"{pragma}={setting}"]
        for key, value in server.dynamic_config.items():
            words += ["--dynamic-config-value", f"{key}={json.dumps(value)}"]
        return words


class _ServerOutput:
    """Finds the line that says where the server listens; the rest is shown, or is the reason why it did not start."""

    def __init__(self, show: Callable[[bytes], None], ready: asyncio.Future[dict[str, Any]]) -> None:
        self._show = show
        self._ready = ready
        self._rest = b""
        self._lines: deque[str] = deque(maxlen=50)

    def take(self, data: bytes) -> None:
        if self._ready.done():
            self._show(data)
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for index, line in enumerate(lines):
            if line.startswith(b'{"address"'):
                self._ready.set_result(json.loads(line))
                later = b"".join(part + b"\n" for part in lines[index + 1 :]) + self._rest
                if later:
                    self._show(later)
                return
            self._lines.append(line.decode(errors="replace"))

    def explain(self) -> CliError:
        lines = [*self._lines, self._rest.decode(errors="replace")]
        message = next((line.removeprefix("error: ") for line in lines if line.startswith("error: ")), "")
        hint = next((line.removeprefix("hint: ") for line in lines if line.startswith("hint: ")), "")
        if "in use" in message:
            hint = "stop what listens there, or take another one in dx.toml: [server] port = 0 takes a free one"
        if not message:
            message = "the server did not start: " + (" ".join(lines).strip() or "it says nothing")
        return CliError(message, hint)
