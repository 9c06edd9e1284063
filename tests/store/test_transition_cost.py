"""A transition costs what it changes, never the size of the run: counted in statements, rows and bytes, not in time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.taskqueue.v1 import TaskQueue

from engine.runtime import batch
from engine.store import commit as commit_module
from tests.sim.script import Script, activity_command, child_command, complete_command

CHILD_QUEUE = TaskQueue(name="children")


@dataclass
class _Cost:
    """What the writer was asked for."""

    statements: list[str] = field(default_factory=list)
    rows: int = 0
    value_bytes: int = 0
    rows_read: int = 0

    def note(self, sql: str, rows: list[Any]) -> None:
        self.statements.append(" ".join(sql.split())[:40])
        self.rows += len(rows)
        self.value_bytes += sum(len(value) for row in rows for value in row if isinstance(value, bytes))


class _Rows:
    """What was read, as a cursor gives it."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = iter(rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)


class _Counting:
    """A writer that keeps the account of the moment."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self.cost = _Cost()

    @property
    def in_transaction(self) -> bool:
        return bool(self._writer.in_transaction)

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        self.cost.note(sql, [parameters])
        cursor = self._writer.execute(sql, parameters)
        if sql.lstrip().startswith("SELECT"):
            rows = cursor.fetchall()
            self.cost.rows_read += len(rows)
            return _Rows(rows)
        return cursor

    def executemany(self, sql: str, parameters: Any) -> Any:
        rows = list(parameters)
        self.cost.note(sql, rows)
        return self._writer.executemany(sql, rows)

    def close(self) -> None:
        self._writer.close()


async def _one_activity(script: Script, number: int) -> None:
    """Schedule one activity, run it, and let the workflow see its end."""
    await script.complete(await script.poll_workflow(), activity_command(f"{number:05}"))
    await script.complete_activity(await script.poll_activity())


@pytest.mark.parametrize("counted", [10, 5_000])
def test_activity_costs_the_same_however_long_the_run_is(tmp_path: Path, counted: int) -> None:
    """The 10th and the 5,000th activity of a run: the same statements, rows and bytes."""
    cost = _cost_of_the_last(tmp_path / "one", _one_activity, counted)
    assert cost.rows_read == 0
    _assert_same(cost, _cost_of_the_last(tmp_path / "another", _one_activity, 10))


async def _one_child(script: Script, number: int) -> None:
    """Start one child; nine of ten stay open."""
    await script.complete(await script.poll_workflow(), child_command(f"child-{number:05}", task_queue=CHILD_QUEUE))
    child = await script.poll_workflow("children")
    if number % 10:
        await script.complete(child)
    else:
        await script.complete(child, complete_command())


@pytest.mark.parametrize("counted", [10, 1_000])
def test_child_costs_the_same_however_many_there_are(tmp_path: Path, counted: int) -> None:
    """The 10th and the 1,000th child, of which nine tenths are open: its start, its end, and that its parent hears."""
    cost = _cost_of_the_last(tmp_path / "one", _one_child, counted)
    assert cost.rows_read == 1  # is there a run with the child's id?
    assert cost.statements.count("COMMIT") == 4
    _assert_same(cost, _cost_of_the_last(tmp_path / "another", _one_child, 10))


def _assert_same(cost: _Cost, expected: _Cost) -> None:
    assert cost.statements.count("BEGIN IMMEDIATE") == cost.statements.count("COMMIT")
    assert cost.statements == expected.statements
    assert cost.rows == expected.rows
    # Event ids and sizes are varints, a few bytes longer when they are larger.
    assert abs(cost.value_bytes - expected.value_bytes) <= 64


def _cost_of_the_last(folder: Path, one: Callable[[Script, int], Awaitable[None]], count: int) -> _Cost:
    """Do `one` so many times in one run; return what the last time cost."""
    folder.mkdir()
    script = Script(folder)
    script.server.check = lambda engine, step: None  # each check reads the whole run
    found: list[_Cost] = []

    async def case() -> None:
        await script.start()
        for number in range(1, count):
            await one(script, number)
        writer = script.engine.database.writer
        counting = _Counting(writer)
        script.engine.database.writer = counting  # type: ignore[assignment]
        await one(script, count)
        script.engine.database.writer = writer
        found.append(counting.cost)

    script.run(case())
    return found[0]


def test_commit_is_what_a_batch_calls() -> None:
    """The account above would miss a second way to the file."""
    assert batch.commit is commit_module.commit
