"""A transition costs what it changes, never the size of the run: counted in statements, rows and bytes, not in time."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.runtime import batch
from engine.store import commit as commit_module
from tests.sim.script import Script, activity_command


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
            return iter(rows)
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
    cost = _cost_of_activity(tmp_path, counted)
    assert cost.rows_read == 0
    assert cost.statements.count("BEGIN IMMEDIATE") == cost.statements.count("COMMIT")
    expected = _cost_of_activity(tmp_path, 10, name="again")
    assert cost.statements == expected.statements
    assert cost.rows == expected.rows
    # Event ids and sizes are varints, a few bytes longer when they are larger.
    assert abs(cost.value_bytes - expected.value_bytes) <= 64


def _cost_of_activity(folder: Path, counted: int, name: str = "history") -> _Cost:
    (folder / name).mkdir()
    script = Script(folder / name)
    script.server.check = lambda engine, run_keys: None  # each check reads the whole run
    found: list[_Cost] = []

    async def case() -> None:
        await script.start()
        for number in range(1, counted):
            await _one_activity(script, number)
        writer = script.engine.database.writer
        counting = _Counting(writer)
        script.engine.database.writer = counting  # type: ignore[assignment]
        await _one_activity(script, counted)
        script.engine.database.writer = writer
        found.append(counting.cost)

    script.run(case())
    return found[0]


def test_commit_is_what_a_batch_calls() -> None:
    """The account above would miss a second way to the file."""
    assert batch.commit is commit_module.commit
