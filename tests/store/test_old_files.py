"""A file that an older dx left behind, with everything pending that there was: what is open in it goes on.

`schema_1.sql` is such a file of schema 1 as SQL, with these runs: a timer; two activities, one of them with a worker; a
further attempt of a workflow task, and a held back signal, both with a worker; one that has ended and one that closed
over an activity; a workflow task each on a sticky and on a normal queue.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload, SearchAttributes
from temporalio.api.enums.v1.workflow_pb2 import WORKFLOW_EXECUTION_STATUS_COMPLETED
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest

from engine.core.inputs import ActivityRef, RespondActivityTaskCompleted, RespondWorkflowTaskCompleted, RunRef
from engine.core.matching.task_token import ActivityTaskToken, WorkflowTaskToken
from engine.core.visibility.list_filter import parse_list_filter
from engine.store.database import open_database
from engine.store.schema import APPLICATION_ID, MIGRATIONS, OPEN_CLOSE_TIME_NS, SCHEMA_VERSION
from engine.store.visibility import load_runs
from tests.sim.script import Script, complete_command
from tests.sim.server import NAMESPACE_ID

SCHEMA_1 = Path(__file__).with_name("schema_1.sql")
BEFORE_LIST_FILTERS = 6
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


def test_filters_find_the_runs_of_a_file_from_before_them(tmp_path: Path) -> None:
    """Such a file is made by the migrations of its time."""
    path = tmp_path / "history.db"
    connection = sqlite3.connect(path)
    for script in MIGRATIONS[:BEFORE_LIST_FILTERS]:
        connection.executescript(script)
    connection.executescript(f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={BEFORE_LIST_FILTERS};")
    connection.execute("INSERT INTO namespaces VALUES (1, 'id', 'default', 1, x'', ?)", (json.dumps({"Note": 1}),))
    child = HistoryEvent(event_id=1)
    started = child.workflow_execution_started_event_attributes
    started.parent_workflow_execution.workflow_id, started.parent_workflow_execution.run_id = "parent", "run-p"
    started.root_workflow_execution.workflow_id, started.root_workflow_execution.run_id = "root", "run-r"
    attributes = {"Note": "A note", "BuildIds": ["b1"], "TemporalNamespaceDivision": "north", "Removed": "x"}
    for run_key, event, values in ((1, child, {}), (2, HistoryEvent(event_id=1), attributes)):
        fields = {
            name: Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())
            for name, value in values.items()
        }
        stored = SearchAttributes(indexed_fields=fields).SerializeToString() or None
        row = (
            run_key,
            1,
            f"w{run_key}",
            f"run-{run_key}",
            "t",
            "q",
            1,
            5,
            5,
            OPEN_CLOSE_TIME_NS,
            3,
            9,
            "r",
            None,
            stored,
        )
        rest = (None, None, 1, None, 0, 1, 0, 0, 0, 0, None, "", 0, None, "", 0, 0)
        connection.execute(f"INSERT INTO runs VALUES ({', '.join('?' * 32)})", row + rest)
        connection.execute("INSERT INTO events VALUES (?, 1, 1, 5, ?)", (run_key, event.SerializeToString()))
    connection.commit()
    connection.close()

    database = open_database(path, {})
    for query, expected in {
        "ParentWorkflowId = 'parent' AND ParentRunId = 'run-p'": "w1",
        "RootWorkflowId = 'root' AND RootRunId = 'run-r'": "w1",
        "BuildIds = 'b1' AND TemporalNamespaceDivision = 'north'": "w2",
        "Note = 'note' AND RootWorkflowId = 'w2' AND NamespaceDivision IS NOT NULL AND ParentRunId IS NULL": "w2",
        "WorkflowId != 'nobody'": "w1",
    }.items():
        found = load_runs(database.writer, 1, parse_list_filter(query, {"Note": 1}), 10, None)
        assert [info.execution.workflow_id for _, info in found] == [expected]
    database.close()


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
