"""A server in memory leaves nothing behind for long, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.server_process import PROJECT_FOLDER

OPEN = """
import sys
from engine.store.database import open_database
database = open_database(None, {})
print(database.path.parent, flush=True)
sys.stdin.read()
database.close()
"""


@contextmanager
def open_database(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Open a private file in a process of its own, with `folder` for temporary files."""
    process = subprocess.Popen(
        [sys.executable, "-c", OPEN],
        env={**os.environ, "PYTHONPATH": str(PROJECT_FOLDER), "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def make_old(folder: Path) -> None:
    os.utime(folder / "history.db-lock", (0, 0))


def test_the_folder_is_gone_at_exit(tmp_path: Path) -> None:
    with open_database(tmp_path) as (process, folder):
        assert (folder / "history.db").exists()
        process.communicate("", timeout=20)
        assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_server_has_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    with open_database(tmp_path) as (killed, abandoned), open_database(tmp_path) as (_, living):
        killed.kill()
        killed.wait()
        for folder in (abandoned, living):
            make_old(folder)
        with open_database(tmp_path) as (_, new):
            assert set(tmp_path.iterdir()) == {living, new}


def test_a_folder_that_may_be_about_to_be_locked_is_left_alone(tmp_path: Path) -> None:
    with open_database(tmp_path) as (killed, young):
        killed.kill()
        killed.wait()
        with open_database(tmp_path) as (_, new):
            assert set(tmp_path.iterdir()) == {young, new}


def test_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    names = {"dx-memory-empty", "dx-other", "unrelated"}
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / "dx-other" / "history.db-lock").touch()
    make_old(tmp_path / "dx-other")
    with open_database(tmp_path) as (_, new):
        assert {path.name for path in tmp_path.iterdir()} == {*names, new.name}
