"""Run one file of the suite on a fresh server, in as many processes as its hanging tests need."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .results import Results, read_events, results_of, unstarted

# How long a process may be silent, in addition to half as much again as a test may take: the plugin ends a hanging
# test by itself, unless the interpreter is stuck.
SILENCE_SECONDS = 30


@dataclass(frozen=True)
class Setting:
    """Where and how files are run: the same for all of one server."""

    python: Path
    folder: Path
    launcher: Path
    logs: Path
    test_seconds: float
    file_seconds: float
    keyword: str


@dataclass(frozen=True)
class FileLogs:
    """What a file leaves behind: the plugin's events, pytest's output, the failures and the servers' log and pids."""

    events: Path
    output: Path
    failures: Path
    server: Path
    server_pids: Path

    @classmethod
    def fresh(cls, folder: Path, file: str) -> FileLogs:
        """Return empty logs for `file`."""
        name = file.removesuffix(".py").replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        kinds = ("events.jsonl", "output.txt", "failures.txt", "server.txt", "server-pids.txt")
        paths = [folder / f"{name}.{kind}" for kind in kinds]
        for path in paths:
            path.write_text("")
        return cls(*paths)


async def run_file(file: str, setting: Setting) -> Results:
    """Return the result of every test of `file`; each process goes on after the test at which the last one ended."""
    logs = FileLogs.fresh(setting.logs, file)
    until = time.monotonic() + setting.file_seconds
    why = "not run: its process ended before it"
    left: list[str] | None = None
    while True:
        await _run_process(file, setting, logs, until)
        before, left = left, unstarted(_events(logs))
        if time.monotonic() > until:
            why = "not run: the file took too long"
            break
        if not left or left == before:
            break
    return results_of(file, _events(logs), why)


def _events(logs: FileLogs) -> list[dict[str, Any]]:
    return read_events(logs.events.read_text().splitlines(keepends=True))


async def _run_process(file: str, setting: Setting, logs: FileLogs, until: float) -> None:
    """Run pytest once; end it and everything that it started when it is silent for too long or the time is over."""
    command = [str(setting.python), "-m", "pytest", file, "-p", "suite_plugin", "-p", "no:cacheprovider", "--tb=short"]
    if setting.keyword:
        command += ["-k", setting.keyword]
    # The workflow sandbox imports the suite's modules again and again, so their bytecode must be kept.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = {
        **inherited,
        "CONFORMANCE_LAUNCHER": str(setting.launcher),
        "CONFORMANCE_EVENTS": str(logs.events),
        "CONFORMANCE_FAILURES": str(logs.failures),
        "CONFORMANCE_SERVER_LOG": str(logs.server),
        "CONFORMANCE_SERVER_PIDS": str(logs.server_pids),
        "CONFORMANCE_TEST_SECONDS": str(setting.test_seconds),
    }
    with logs.output.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=setting.folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        await _wait(process, logs.events, until, 1.5 * setting.test_seconds + SILENCE_SECONDS)
    finally:
        _end_session(process.pid, logs.server_pids)
        await process.wait()


async def _wait(process: asyncio.subprocess.Process, events: Path, until: float, silence_seconds: float) -> None:
    seen, silent_since = 0, time.monotonic()
    while time.monotonic() < until and time.monotonic() - silent_since < silence_seconds:
        try:
            await asyncio.wait_for(process.wait(), timeout=1)
            return
        except TimeoutError:
            size = _size(events)
            if size != seen:
                seen, silent_since = size, time.monotonic()


def _size(path: Path) -> int:
    return path.stat().st_size


def _end_session(session: int, server_pids: Path) -> None:
    """End a process and what it started; the SDK puts each server in a group of its own, and may not end it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(session, signal.SIGKILL)
    for pid in map(int, server_pids.read_text().split()):
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(pid) == session:
                os.kill(pid, signal.SIGKILL)
