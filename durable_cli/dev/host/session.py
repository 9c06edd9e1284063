"""One host from its first to its last command: warm, load, check, serve, drain."""

from __future__ import annotations

import asyncio
import atexit
import dataclasses
import importlib
import os
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

from . import problems, snapshot
from .channel import Channel

if TYPE_CHECKING:
    from .worker import Parts, RunningWorker


def run() -> NoReturn:
    """Serve the commands until the worker is drained."""
    channel = Channel()
    snapshot.install()
    warmed = _warm(channel)
    command = channel.receive()
    started_s = time.monotonic()
    parts = None
    if warmed:
        # Outside of any event loop, as in a program of the user's own: a module may well call asyncio.run.
        importlib.invalidate_caches()
        try:
            parts = _load_parts(command)
        except BaseException as error:
            channel.send("load_failed", **problems.describe(error))
    else:
        channel.send("load_failed", **_without_sdk())
    if parts is None or not asyncio.run(_Session(channel, command, parts).run(started_s)):
        channel.receive()
        channel.send("drained", in_time=True)
    _leave()


def _warm(channel: Channel) -> bool:
    """Import the SDK before there is anything to do; False when this interpreter has none."""
    try:
        from . import check

        assert check
    except ModuleNotFoundError as error:
        if error.name != "temporalio":
            raise
        return False
    finally:
        channel.send("warm")
    return True


def _without_sdk() -> dict[str, Any]:
    return {
        "error": "ModuleNotFoundError",
        "message": f"no temporalio in {sys.executable}",
        "hint": f"{sys.executable} -m pip install temporalio, or name another interpreter in dx.toml: python = …",
        "file": None,
        "line": None,
        "column": None,
        "source": [],
        "traceback": "",
    }


def _load_parts(command: dict[str, Any]) -> Parts:
    from . import logs
    from .worker import load_parts

    parts = load_parts(command["worker"])
    logs.set_up()
    return parts


class _Session:
    """What follows once the user's modules are imported."""

    def __init__(self, channel: Channel, command: dict[str, Any], parts: Parts) -> None:
        self._channel = channel
        self._load = command
        self._table: dict[str, Any] = command["worker"]
        self._parts = parts
        self._running: RunningWorker | None = None
        self._is_clean = True

    async def run(self, started_s: float) -> bool:
        """Answer commands until the worker is drained; False when it can't be made."""
        from .worker import connect, make_worker, sdk_version

        try:
            self._client = await connect(self._load, self._parts)
            self._worker = make_worker(self._client, self._table, self._parts)
        except Exception as error:
            self._channel.send("load_failed", **problems.describe(error))
            return False
        definitions = self._parts.definitions
        self._channel.send(
            "loaded",
            workflows=[entry.to_json() for entry in definitions.workflows],
            activities=[entry.to_json() for entry in definitions.activities],
            seconds=time.monotonic() - started_s,
            sdk_version=sdk_version(),
            notes=definitions.notes,
        )
        while True:
            command = await self._channel.receive_async()
            if command["do"] == "drain":
                await self._drain()
                return True
            try:
                if command["do"] == "serve":
                    await self._serve()
                elif command["do"] == "check":
                    await self._check(command)
            except Exception as error:
                self._fail(error)

    async def _check(self, command: dict[str, Any]) -> None:
        from .check import Check

        started_s = time.monotonic()
        report = await Check(self._client, self._table["task_queue"], self._parts, command).run()
        self._is_clean = self._is_clean and report.is_clean
        self._channel.send("checked", seconds=time.monotonic() - started_s, **dataclasses.asdict(report))

    async def _serve(self) -> None:
        from .worker import RunningWorker

        task_queue = self._table["task_queue"]
        self._running = RunningWorker(self._worker, self._client, self._parts)
        seen = await self._running.wait_seen(task_queue, self._load["identity"])
        if self._running.ended.done():
            await self._running.ended
        self._channel.send("serving", task_queue=task_queue, seen=seen)
        self._running.ended.add_done_callback(self._on_end)

    async def _drain(self) -> None:
        in_time = True
        if self._running is not None and not self._running.ended.done():
            self._running.ended.remove_done_callback(self._on_end)
            in_time = await self._running.drain(self._table["graceful_shutdown_timeout"])
        self._channel.send("drained", in_time=in_time)
        if not in_time or not self._is_clean:
            # User code still runs in a thread, which a proper end would wait for.
            _leave()

    def _on_end(self, ended: asyncio.Future[None]) -> None:
        if not ended.cancelled():
            self._fail(ended.exception() or RuntimeError("the worker has ended"))

    def _fail(self, error: BaseException) -> None:
        text = problems.format_traceback(error)
        cause = error.__cause__
        self._channel.send("failed", message=f"{error}: {cause}" if cause else str(error), traceback=text)


def _leave() -> NoReturn:
    """End the process: what the user has registered runs, the SDK's threads do not hold it up or abort it."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
