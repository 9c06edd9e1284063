"""A server, a worker, and the two command lines that are run against it.

The server under test is ours; `DX_TEST_SERVER=reference` runs the same tests against the reference server. What
only the reference server can do (batches, grouped counts) asks for `reference`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.sample_worker import TASK_QUEUE
from tests.support.server_process import (
    PROJECT_FOLDER,
    ServerProcess,
    dx_command,
    launch_dx,
    launch_reference,
    reference_executable,
    running,
)

ATTRIBUTES = ("--search-attribute", "Customer=Keyword", "--search-attribute", "Amount=Int")
SERVER_UNDER_TEST = os.environ.get("DX_TEST_SERVER", "dx")


@dataclass
class Result:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    def ok(self) -> Result:
        """Return self, or fail with what the command said."""
        assert self.code == 0, f"exit {self.code}\n{self.stdout}\n{self.stderr}"
        return self


@dataclass
class Cli:
    """A command line, ours or the official one, bound to a server."""

    command: list[str]
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, stdin: str | None = None, env: dict[str, str] | None = None) -> Result:
        process = self.launch(*words, env=env, stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL)
        try:
            stdout, stderr = process.communicate(stdin, timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Result(process.returncode, stdout, stderr)

    def launch(
        self, *words: str, env: dict[str, str] | None = None, command: list[str] | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        """Start a command and return at once."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL")}
        environment = {
            **kept,
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder),
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "PYTHONPATH": str(PROJECT_FOLDER),
            **self.environment,
            **(env or {}),
        }
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen(
            [*(command or self.command), *words], cwd=self.folder, env=environment, text=True, **streams
        )


@dataclass(eq=False)
class Stage:
    """A running server with a worker, and both command lines."""

    server: ServerProcess
    dx: Cli
    official: Cli

    def new_id(self, name: str) -> str:
        return f"{name}-{uuid.uuid4().hex[:8]}"

    def start(self, workflow_type: str, *words: str, name: str | None = None) -> str:
        """Start a workflow by the official command line, and return its id."""
        workflow_id = name or self.new_id(workflow_type.lower())
        words = ("workflow", "start", "-w", workflow_id, "--type", workflow_type, "-t", TASK_QUEUE, *words)
        self.official(*words).ok()
        return workflow_id

    def finish(self, workflow_id: str) -> None:
        """Wait until a workflow is closed, however it ends."""
        self.official("workflow", "result", "-w", workflow_id)


def run_stage(server: ServerProcess, folder: Path) -> Iterator[Stage]:
    environment = {"TEMPORAL_ADDRESS": server.address}
    executable = reference_executable() or "temporal"
    with (folder / "worker.log").open("w") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.sample_worker", server.address],
            cwd=PROJECT_FOLDER,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Stage(server, Cli(dx_command(), folder, environment), Cli([executable], folder, environment))
    finally:
        worker.kill()
        worker.wait()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The server under test."""
    folder = tmp_path_factory.mktemp("stage")
    launch = launch_reference if SERVER_UNDER_TEST == "reference" else launch_dx
    with running(launch(folder, *ATTRIBUTES)) as server:
        yield from run_stage(server, folder)


@pytest.fixture(scope="session")
def reference(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The reference server, for what ours does not offer yet."""
    if SERVER_UNDER_TEST == "reference":
        yield request.getfixturevalue("stage")
        return
    folder = tmp_path_factory.mktemp("reference")
    with running(launch_reference(folder, *ATTRIBUTES)) as server:
        yield from run_stage(server, folder)


@pytest.fixture
def dx(tmp_path: Path) -> Cli:
    """Our command line, bound to no server."""
    return Cli(dx_command(), tmp_path)
