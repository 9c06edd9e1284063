"""Real files, saved as editors and version control save them: one save is told once, to whom it concerns."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from durable_cli.dev.project.model import USUALLY_IGNORED
from durable_cli.dev.watching import PYTHON_SUFFIXES, Watcher, Watching

QUIET_SECONDS = 0.6


class Told:
    """What was told, one entry for each time."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def take(self, files: Sequence[Path], seen_at_s: float) -> None:
        self.batches.append([file.name for file in files])

    async def wait(self) -> list[list[str]]:
        """Wait until something was told and nothing more comes; return all since the last call."""
        for _ in range(500):
            if self.batches:
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(QUIET_SECONDS)
        batches, self.batches = self.batches, []
        return batches


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def folder(tmp_path: Path, told: Told) -> AsyncIterator[Path]:
    """Return a folder that is being watched as a Python worker's."""
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("1")
    (tmp_path / ".venv" / "lib").mkdir(parents=True)
    (tmp_path / "generated").mkdir()
    watching = Watching([tmp_path], [*USUALLY_IGNORED, "generated/", "*_old.py"], PYTHON_SUFFIXES, told.take)
    task = asyncio.create_task(Watcher([watching]).run())
    # The first save that is seen says that the watcher has begun.
    while not told.batches:
        (tmp_path / "begin.py").write_text("")
        await asyncio.sleep(0.1)
    await told.wait()
    yield tmp_path
    task.cancel()


async def test_a_save_in_place_is_told_once(folder: Path, told: Told) -> None:
    (folder / "a.py").write_text("2")
    assert await told.wait() == [["a.py"]]


async def test_a_save_by_renaming_is_told_once(folder: Path, told: Told) -> None:
    (folder / "4913").write_text("")
    (folder / "4913").unlink()
    os.rename(folder / "a.py", folder / "a.py~")
    (folder / "a.py").write_text("2")
    (folder / ".a.py.swp").write_text("")
    (folder / "a.py~").unlink()
    assert await told.wait() == [["a.py"]]


async def test_a_hundred_files_are_told_together(folder: Path, told: Told) -> None:
    for number in range(100):
        (folder / f"module_{number}.py").write_text("1")
    ((batch),) = await told.wait()
    assert len(batch) == 100


async def test_what_is_ignored_is_not_told(folder: Path, told: Told) -> None:
    for name in (".venv/lib/x.py", "generated/x.py", "x_old.py", "data.json", "x.pyc", "x.py.swp"):
        (folder / name).write_text("2")
    (folder / "a.py").write_text("2")
    assert await told.wait() == [["a.py"]]


async def test_new_folders_are_watched(folder: Path, told: Told) -> None:
    (folder / "new" / "deep").mkdir(parents=True)
    await asyncio.sleep(0.2)
    (folder / "new" / "deep" / "c.py").write_text("1")
    assert await told.wait() == [["c.py"]]


async def test_a_deleted_file_is_told(folder: Path, told: Told) -> None:
    (folder / "b.py").unlink()
    assert await told.wait() == [["b.py"]]


async def test_a_file_that_was_there_for_a_moment_is_not_told_beside_others(tmp_path: Path, told: Told) -> None:
    (tmp_path / "a.ts").write_text("1")
    watching = Watching([tmp_path], [], frozenset(), told.take)
    watching.note(tmp_path / "sedXyz")
    watching.note(tmp_path / "a.ts")
    assert await told.wait() == [["a.ts"]]


def test_which_files_count(tmp_path: Path) -> None:
    def counts(*names: str, paths: Sequence[str] = ("src", "settings.toml"), suffixes: frozenset[str]) -> list[bool]:
        watching = Watching([tmp_path / path for path in paths], ["*.log", "lib/**"], suffixes, Told().take)
        return [watching.counts(tmp_path / name) for name in names]

    names = ("src/a.py", "src/a.ts", "src/lib/a.ts", "src/deep/lib/a.ts", "src/x.log", "other/a.py", "settings.toml")
    assert counts(*names, suffixes=frozenset()) == [True, True, False, False, False, False, True]
    assert counts(*names, suffixes=PYTHON_SUFFIXES) == [True, False, False, False, False, False, True]
