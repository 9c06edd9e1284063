"""A file that an older dx left behind, with everything pending that there was: what is open in it goes on.

`schema_1.sql` is such a file of schema 1 as SQL, with these runs: a timer; two activities, one of them with a worker; a
further attempt of a workflow task, and a held back signal, both with a worker; one that has ended and one that closed
over an activity; a workflow task each on a sticky and on a normal queue.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from temporalio.api.enums.v1.workflow_pb2 import WORKFLOW_EXECUTION_STATUS_COMPLETED
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest

from engine.core.inputs import ActivityRef, RespondActivityTaskCompleted, RespondWorkflowTaskCompleted, RunRef
from engine.core.matching.task_token import ActivityTaskToken, WorkflowTaskToken
from engine.store.database import open_database
from engine.store.schema import APPLICATION_ID, SCHEMA_VERSION
from tests.sim.script import Script, complete_command
from tests.sim.server import NAMESPACE_ID

SCHEMA_1 = Path(__file__).with_name("schema_1.sql")
TIMER, ACTIVITIES, FAILING, HELD_BACK, ENDED, CLOSED, STICKY, WAITS = range(1, 9)


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    path = tmp_path / "history.db"
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA_1.read_text())
    connection.executescript(f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version=1;")
    connection.close()
    return path


def _schema(path: Path) -> list[tuple[str, str, str]]:
    open_database(path, {}).close()
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    connection.close()
    return rows


def test_it_gets_the_schema_of_a_new_file(old_file: Path, tmp_path: Path) -> None:
    assert _schema(old_file) == _schema(tmp_path / "new.db")


def test_what_is_open_goes_on(old_file: Path) -> None:
    script = Script(old_file.parent)

    async def case() -> None:
        writer = script.engine.database.writer
        assert writer.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        run_ids = dict(writer.execute("SELECT run_key, run_id FROM runs").fetchall())

        async def answer(run_key: int, started_event_id: int, attempt: int) -> None:
            """Complete a workflow task with the token that the worker was given by the older server."""
            started_time_ns = script.env.now_ns()
            token = WorkflowTaskToken(
                run_key, run_ids[run_key], started_event_id - 1, started_event_id, attempt, started_time_ns
            )
            completed = RespondWorkflowTaskCompletedRequest(commands=[complete_command()] if attempt > 1 else [])
            await script.engine.submit(
                RespondWorkflowTaskCompleted(RunRef(NAMESPACE_ID, run_key=run_key), token, completed)
            )

        await answer(HELD_BACK, 3, attempt=1)
        await answer(FAILING, 6, attempt=2)
        taken = ActivityTaskToken(ACTIVITIES, run_ids[ACTIVITIES], 5, 1)
        run = RunRef(NAMESPACE_ID, run_key=ACTIVITIES)
        await script.engine.submit(RespondActivityTaskCompleted(run, ActivityRef(taken), None, "worker"))
        await script.complete_activity(await script.poll_activity())
        await asyncio.sleep(61)
        assert "TimerFired" in script.event_types(TIMER - 1)
        completed = []
        for _ in (TIMER, ACTIVITIES, HELD_BACK, STICKY, WAITS):
            task = await script.poll_workflow()
            await script.complete(task, complete_command())
            completed.append(task.run_key)
        assert sorted(completed) == [TIMER, ACTIVITIES, HELD_BACK, STICKY, WAITS]
        statuses = {status for (status,) in writer.execute("SELECT status FROM runs")}
        assert statuses == {WORKFLOW_EXECUTION_STATUS_COMPLETED}

    script.run(case())


def test_what_is_closed_reads_as_before(old_file: Path) -> None:
    script = Script(old_file.parent)

    async def case() -> None:
        ended, closed = script.engine.find_run(ENDED), script.engine.find_run(CLOSED)
        assert ended is not None
        assert closed is not None
        assert not ended.running
        assert ended.priority is not None
        assert ended.priority.priority_key == 2
        assert [activity.activity_id for activity in closed.activities.values()] == ["left"]

    script.run(case())
