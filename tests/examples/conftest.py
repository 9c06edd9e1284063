"""The servers of the examples, and one walk through the order example of each language."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.examples.processes import run
from tests.support.server_process import PROJECT_FOLDER, ServerProcess, launch_dx, launch_reference, running

EXAMPLES = PROJECT_FOLDER / "examples"


def launch(folder: Path, *extra: str, db_filename: Path | None = None, port: int | None = None) -> ServerProcess:
    """Start the server under test: DX_TEST_SERVER says which, `dx` or `reference`."""
    if os.environ.get("DX_TEST_SERVER", "dx") == "reference":
        return launch_reference(folder, *extra, db_filename=db_filename, port=port)
    return launch_dx(folder, *extra, db_filename=db_filename, port=port)


class DurableServer:
    """A server with its history in a file, that can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = launch(folder, db_filename=folder / "history.db")
        self.address = self._server.address

    def kill(self) -> None:
        """SIGKILL."""
        self._server.kill()

    def start_again(self) -> None:
        """Start it on the same file."""
        self._server = launch(self._folder, db_filename=self._folder / "history.db", port=self._server.port)

    def stop(self) -> None:
        """End it, if it runs."""
        self._server.stop()


@dataclass
class Walk:
    """What is left of one walk through all scenarios: the server, the output, and the ledger where one is kept."""

    language: str
    server: ServerProcess
    output: str
    ledger: list[dict[str, Any]]


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Run a server for all walks."""
    with running(launch(tmp_path_factory.mktemp("server"))) as server:
        yield server


@pytest.fixture
def durable_server(tmp_path: Path) -> Iterator[DurableServer]:
    """Run a server that one test may kill."""
    server = DurableServer(tmp_path)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="package")
def python_walk(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """Run the Python example to its end."""
    folder = tmp_path_factory.mktemp("python")
    ledger = folder / "ledger.jsonl"
    done = run(
        [sys.executable, str(EXAMPLES / "order" / "main.py")],
        cwd=folder,
        timeout_seconds=90,
        environment={"TEMPORAL_ADDRESS": server.address, "ORDER_LEDGER": str(ledger)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Walk("python", server, done.stdout, [json.loads(line) for line in ledger.read_text().splitlines()])


@pytest.fixture(scope="package")
def typescript_walk(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """Install the TypeScript example into a copy, and run it to its end."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node.js and npm are not installed")
    folder: Path = tmp_path_factory.mktemp("typescript") / "order"
    shutil.copytree(EXAMPLES / "order-typescript", folder, ignore=shutil.ignore_patterns("node_modules", "lib"))
    installed = run([npm, "ci", "--no-audit", "--no-fund"], cwd=folder, timeout_seconds=180)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    done = run([npm, "start"], cwd=folder, timeout_seconds=120, environment={"TEMPORAL_ADDRESS": server.address})
    assert done.returncode == 0, done.stdout + done.stderr
    return Walk("typescript", server, done.stdout, [])


@pytest.fixture(params=["python", pytest.param("typescript", marks=pytest.mark.needs_node)])
def walk(request: pytest.FixtureRequest) -> Walk:
    """Return the walk of each language in turn."""
    walk: Walk = request.getfixturevalue(f"{request.param}_walk")
    return walk
