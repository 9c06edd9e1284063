"""dx as a user has it: built, installed into an environment of its own, and its projects beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.dev.dev_process import DevProcess, assert_gone
from tests.support.server_process import PROJECT_FOLDER, find_free_port

# What leads from a test's environment back to this repository, or to another server.
HIDDEN = ("PYTHON", "PYTEST", "TEMPORAL", "VIRTUAL_ENV")


def run(command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str], seconds: float = 300) -> str:
    """Run a command that must succeed, and return what it has written to stdout."""
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        raise AssertionError(f"{command} took too long\n{stdout}\n{stderr}") from None
    assert process.returncode == 0, f"{command} ended with {process.returncode}\n{stdout}\n{stderr}"
    return stdout


@dataclass(frozen=True)
class Installation:
    """An environment with the wheel of dx in it."""

    folder: Path
    wheel: Path

    @classmethod
    def make(cls, folder: Path) -> Installation:
        """Build the wheel, and install it into a fresh environment."""
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}
        run(build, cwd=PROJECT_FOLDER, environment=environment)
        (wheel,) = (folder / "dist").glob("*.whl")
        home = folder / "home"
        venv.create(home, with_pip=True)
        install = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        constraints = PROJECT_FOLDER / "constraints.txt"
        run([*install, "--constraint", constraints, wheel], cwd=folder, environment=environment)
        return cls(home, wheel)

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of a shell in which this installation is activated."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}
        path = f"{self.folder / 'bin'}{os.pathsep}{kept['PATH']}"
        return {**kept, "PATH": path, "PIP_NO_COMPILE": "1"}

    def new(self, template: str, folder: Path, *words: str) -> Project:
        """Make a project, and give it a port of its own."""
        run(["dx", "new", template, folder, "--defaults", *words], cwd=folder.parent, environment=self.environment)
        project = Project(self, folder, find_free_port())
        with (folder / "dx.toml").open("a") as file:
            file.write(f"\n[server]\nport = {project.port}\n")
        return project


@dataclass(frozen=True)
class Project:
    """A project that was made from a template."""

    installation: Installation
    folder: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        return {**self.installation.environment, "TEMPORAL_ADDRESS": f"127.0.0.1:{self.port}"}

    def run(self, *command: str, seconds: float = 60) -> str:
        """Run a command in the project's folder, as its README says."""
        return run(command, cwd=self.folder, environment=self.environment, seconds=seconds)

    def dx(self, *words: str) -> Any:
        """Run a `dx workflow` command, and return what it answers."""
        return json.loads(self.run("dx", "workflow", *words, "-o", "json"))

    def result(self, workflow_id: str) -> Any:
        """Wait for a workflow's end, and return its result."""
        return self.dx("result", workflow_id, "--command-timeout", "60s")["result"]

    def list(self, query: str) -> Any:
        """Return the workflows that match."""
        return self.dx("list", "--query", query)

    def timers(self, workflow_id: str) -> int:
        """Return how many timers a workflow has started."""
        events = self.dx("show", workflow_id)["events"]
        return sum("timerStartedEventAttributes" in event for event in events)

    def query(self, workflow_id: str, name: str) -> Any:
        (answer,) = self.dx("query", workflow_id, "--name", name)["queryResult"]
        return answer

    def test(self, *command: str) -> None:
        """Run the project's own tests."""
        self.run(*command, seconds=180)

    def install(self) -> None:
        """Install the project with what its tests need, as its README says."""
        if not (self.folder / ".venv").exists():
            venv.create(self.folder / ".venv", with_pip=True)
        self.run(".venv/bin/pip", "install", "--quiet", "-e", ".[test]", seconds=300)

    @contextmanager
    def running(self) -> Iterator[DevProcess]:
        """Run `dx dev`; at the end it ends in order, and nothing of it is left."""
        log = self.folder.with_name(f"{self.folder.name}.log")
        (self.folder / ".dx" / "dev.jsonl").unlink(missing_ok=True)
        environment = self.installation.environment
        with log.open("wb") as output:
            process = psutil.Popen(
                [str(self.installation.folder / "bin" / "dx"), "dev"],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        dev = DevProcess(process, self.folder, log)
        try:
            yield dev
            processes = dev.all_processes()
            assert dev.end() == 0, dev.output
            assert_gone(processes)
        finally:
            if process.poll() is None:
                process.kill()  # its guard ends the rest
                process.wait()
