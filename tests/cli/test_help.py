"""What `--help` says, and what it must not import to say it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from syrupy.assertion import SnapshotAssertion

from durable_cli.commands import ROOT
from durable_cli.lazy import Group
from tests.cli.conftest import Cli
from tests.support.server_process import PROJECT_FOLDER

HEAVY = ("grpc", "temporalio", "textual", "rich", "sqlite3", "asyncio", "google.protobuf", "pydantic", "copier")


def list_paths(group: Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    paths = [path]
    for name, child in group.children.items():
        paths += list_paths(child, (*path, name)) if isinstance(child, Group) else [(*path, name)]
    return paths


@pytest.mark.parametrize("path", list_paths(ROOT), ids=" ".join)
def test_help_text(dx: Cli, snapshot: SnapshotAssertion, path: tuple[str, ...]) -> None:
    result = dx(*path, "--help").ok()
    assert result.stderr == ""
    assert result.stdout == snapshot


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["workflow", "--help"],
        ["workflow", "start", "--help"],
        ["server", "start-dev", "--help"],
        ["new", "--help"],
        ["new", "--list"],
        # Refused before the engine is started: all that the boot path imports of ours has been imported by then.
        ["server", "start-dev", "--search-attribute", "Name=Nonsense"],
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(words: list[str]) -> None:
    script = (
        "import sys\n"
        "from durable_cli.main import run\n"
        f"run({words!r})\n"
        f"heavy = {HEAVY!r}\n"
        "found = sorted(name for name in sys.modules if name in heavy)\n"
        "sys.exit(f'imported: {found}' if found else 0)\n"
    )
    process = subprocess.run([sys.executable, "-c", script], cwd=PROJECT_FOLDER, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


def test_version(dx: Cli) -> None:
    name, version = dx("--version").ok().stdout.split()
    assert name == "dx"
    assert version[0].isdigit()
