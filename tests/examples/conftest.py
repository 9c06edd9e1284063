"""Walk once through the order example of each language, on a real server."""

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


@dataclass
class Walk:
    """What is left of one walk through all scenarios: the server, the output, and the ledger where one is kept."""

    language: str
    server: ServerProcess
    output: str
    ledger: list[dict[str, Any]]


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Run the server under test: DX_TEST_SERVER says which, `dx` or `reference`."""
    launch = {"dx": launch_dx, "reference": launch_reference}[os.environ.get("DX_TEST_SERVER", "dx")]
    with running(launch(tmp_path_factory.mktemp("server"))) as server:
        yield server


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
