"""A project on disk, and `dx dev` running in it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.support.server_process import PROJECT_FOLDER, dx_command

WAIT_SECONDS = 60.0

ACTIVITIES = """\
from temporalio import activity


@activity.defn
async def charge(amount: int) -> int:
    return amount
"""

WORKFLOWS = """\
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities import charge


@workflow.defn
class OrderWorkflow:
    def __init__(self) -> None:
        self.is_finished = False

    @workflow.run
    async def run(self, amount: int) -> int:
        await workflow.execute_activity(charge, amount, start_to_close_timeout=timedelta(seconds=30))
        await workflow.wait_condition(lambda: self.is_finished)
        return amount

    @workflow.signal
    def finish(self) -> None:
        self.is_finished = True
"""

PYTHON_WORKER = """\
[worker.orders]
task_queue = "orders"
workflows = ["workflows"]
activities = ["activities"]
"""

SERVER = "[server]\nport = 0\n"
NO_REPLAY = "[replay]\nopen_runs = 0\nclosed_runs = 0\n"


def write_project(folder: Path, toml: str = SERVER + PYTHON_WORKER, **files: str) -> Path:
    """Write dx.toml, the two modules of an order worker, and further files (`name="text"`, of Python) into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dx.toml").write_text(toml)
    for name, text in {"activities": ACTIVITIES, "workflows": WORKFLOWS, **files}.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def replace_in(path: Path, old: str, new: str) -> None:
    """Save a file with one text in place of another, as an editor does: a new file is moved over the old one."""
    text = path.read_text()
    assert old in text, f"{old!r} is not in {path}"
    beside = path.with_name(f".{path.name}.new~")
    beside.write_text(text.replace(old, new))
    beside.replace(path)


def wait_until(is_so: Callable[[], bool], what: str = "it") -> None:
    """Wait until something holds."""
    until = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < until, f"{what} did not come to hold"
        time.sleep(0.02)


class DevProcess:
    """A running `dx dev`: what it has written, what its journal says, and all its processes."""

    def __init__(self, process: psutil.Popen | psutil.Process, folder: Path, log: Path) -> None:
        self.process = process
        self.folder = folder
        self._log = log
        self._seen = 0

    @property
    def output(self) -> str:
        return self._log.read_text()

    @property
    def events(self) -> list[dict[str, Any]]:
        """Return the journal's lines."""
        journal = self.folder / ".dx" / "dev.jsonl"
        text = journal.read_text() if journal.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    @property
    def address(self) -> str:
        """Return where its server listens, once it does."""
        return str(self.wait_for("server", "server_ready", anywhere=True)["address"])

    def wait_for(
        self, source: str, event: str, *, anywhere: bool = False, seconds: float = WAIT_SECONDS, **values: Any
    ) -> dict[str, Any]:
        """Return the next event of that kind with those values; the ones before it count as seen."""
        until = time.monotonic() + seconds
        while True:
            events = self.events
            for index, line in enumerate(events[0 if anywhere else self._seen :], 0 if anywhere else self._seen):
                fits = all(line.get(name) == value for name, value in values.items())
                if line["source"] == source and line["event"] == event and fits:
                    self._seen = max(self._seen, index + 1)
                    return line
            has_ended = not self._is_running() and self.events == events
            assert not has_ended, f"dx dev ended before {source} {event}:\n{self.output}"
            assert time.monotonic() < until, f"no {source} {event} {values}:\n{self.output}"
            time.sleep(0.02)

    def all_processes(self) -> list[psutil.Process]:
        """Return every process that dx has started, however deep, and dx itself."""
        dx = psutil.Process(self.process.pid)
        return [dx, *dx.children(recursive=True)]

    def _is_running(self) -> bool:
        return bool(self.process.is_running()) and self.process.status() != psutil.STATUS_ZOMBIE

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal, and return the exit code."""
        self.send(number)
        return int(self.process.wait(WAIT_SECONDS))


def find_served(dev: DevProcess) -> psutil.Process:
    """Return the host that serves: the last one that became ready."""
    return psutil.Process([line["pid"] for line in dev.events if line["event"] == "ready" and line.get("pid")][-1])


def assert_gone(processes: list[psutil.Process]) -> None:
    """Wait until none of the processes runs any more."""

    def are_gone() -> bool:
        return not [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]

    def are_gone_safely() -> bool:
        try:
            return are_gone()
        except psutil.NoSuchProcess:
            return False

    wait_until(are_gone_safely, f"the end of {processes}")


@contextmanager
def running_dev(folder: Path, *arguments: str, verb: tuple[str, ...] = ("dev",)) -> Iterator[DevProcess]:
    """Run `dx dev` in a project; at the end of the block nothing of it is left."""
    log = folder.with_name(f"{folder.name}.log")
    (folder / ".dx" / "dev.jsonl").unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
    with log.open("wb") as output:
        process = psutil.Popen(
            [*dx_command(), *verb, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**environment, "PYTHONPATH": str(PROJECT_FOLDER), "PYTHONUNBUFFERED": "1"},
        )
    dev = DevProcess(process, folder, log)
    try:
        yield dev
    finally:
        if process.poll() is None:
            processes = dev.all_processes()
            dev.end()
            assert_gone(processes)
