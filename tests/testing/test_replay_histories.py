"""`replay_histories` tells which committed histories no longer match the code, and what is not a history."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.server_process import dx_command, launch_dx, reference_executable, running
from tests.testing.conftest import WORKFLOWS, Project, Session

WORKER = """
import asyncio
import os
import sys

from temporalio.client import Client
from temporalio.worker import Worker
from workflows import Greeting, greet


async def main():
    client = await Client.connect(sys.argv[1])
    async with Worker(client, task_queue="greetings", workflows=[Greeting], activities=[greet]):
        for name in ("Ada", "Bob"):
            await client.execute_workflow(Greeting.run, name, id=f"greeting-{name}", task_queue="greetings")


asyncio.run(main())
# The core's threads may not like an interpreter that is being taken down.
os._exit(0)
"""

CHANGED = """
from datetime import timedelta

from temporalio import workflow


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        await workflow.sleep(1)
        return await workflow.execute_activity("greet", name, start_to_close_timeout=timedelta(seconds=5))
"""

TEST = """
from {module} import Greeting


def test_replay(replay_histories):
    assert replay_histories("{path}", workflows=[Greeting]) == {count}
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two histories: one as `dx` shows it, one as the official CLI does."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "workflows.py").write_text(WORKFLOWS)
    (folder / "worker.py").write_text(WORKER)
    histories = folder / "histories" / "v1"
    histories.mkdir(parents=True)
    with running(launch_dx(folder)) as server:
        subprocess.run([sys.executable, "worker.py", server.address], cwd=folder, check=True, timeout=60)
        official = [reference_executable() or "temporal"]
        for name, command in (("Ada", dx_command()), ("Bob", official)):
            words = ["workflow", "show", "-w", f"greeting-{name}", "-o", "json", "--address", server.address]
            shown = subprocess.run([*command, *words], capture_output=True, check=True, timeout=60)
            (histories / f"{name}.json").write_bytes(shown.stdout)
    return histories.parent


@pytest.fixture
def project(make_project: Callable[..., Project], recorded: Path) -> Project:
    """A project with those histories."""
    project = make_project(changed=CHANGED)
    shutil.copytree(recorded, project.folder / "histories")
    return project


def replay(project: Project, module: str, path: str, count: int = 2) -> Session:
    test = TEST.format(module=module, path=path, count=count)
    return project.write(test_replay=test).test("-p", "no:asyncio", "-p", "no:anyio")


@pytest.mark.parametrize(
    ("path", "count"), [("histories", 2), ("histories/v1/*.json", 2), ("**/B*.json", 1), ("histories/v1/Ada.json", 1)]
)
def test_histories_of_the_same_code_replay(project: Project, path: str, count: int) -> None:
    replay(project, "workflows", path, count).passed()


def test_each_file_that_does_not_match_is_named(project: Project) -> None:
    session = replay(project, "changed", "histories")
    said = session.tests["test_replay"].said
    assert "2 of 2 histories do not replay" in said
    for name in ("Ada", "Bob"):
        mismatch = said.partition(f"histories/v1/{name}.json: Greeting greeting-{name}\n")[2]
        assert mismatch.lstrip().startswith(
            "[TMPRL1100] Nondeterminism error: Timer machine does not handle this event"
        )
    assert "replay.py" not in said


def test_one_of_two(project: Project) -> None:
    (project.folder / "histories" / "new").mkdir()
    changed = project.folder / "histories" / "new" / "Cid.json"
    text = (project.folder / "histories" / "v1" / "Ada.json").read_text()
    changed.write_text(text.replace('"greet"', '"greet_in_a_thread"'))
    said = replay(project, "workflows", "histories").tests["test_replay"].said
    assert "1 of 3 histories do not replay" in said
    assert "histories/new/Cid.json: Greeting greeting-Ada" in said
    assert "v1" not in said.split("Captured")[0]


def test_a_workflow_that_is_not_given(project: Project) -> None:
    other = CHANGED.replace("class Greeting", "class Farewell") + "\n\nGreeting = Farewell\n"
    said = replay(project.write(other=other), "other", "histories").tests["test_replay"].said
    assert "2 of 2 histories do not replay" in said
    assert "Workflow class Greeting is not registered on this worker, available workflows: Farewell" in said


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("nowhere", None, "no histories in nowhere"),
        ("histories/*.txt", None, "no histories in histories/*.txt"),
        ("bad.json", "{", "bad.json is not the history of a workflow (JSONDecodeError"),
        ("bad.json", "[1]", "bad.json is not the history of a workflow (TypeError"),
        ("bad.json", '{"events": []}', "bad.json is not the history of a workflow (IndexError"),
        ("bad.json", '{"events": [{"eventId": 1}]}', "bad.json is not the history of a workflow (KeyError"),
        ("new.json", '{"events": [{"workflowExecutionStartedEventAttributes": {}}]}', "new.json has nothing to replay"),
    ],
)
def test_what_is_no_history(make_project: Callable[..., Project], path: str, content: str | None, said: str) -> None:
    project = make_project()
    if content is not None:
        (project.folder / path).write_text(content)
    outcome = replay(project, "workflows", path).tests["test_replay"]
    assert outcome.result == "failed"
    assert said in outcome.said
    assert "hint: `dx workflow show WORKFLOW_ID -o json > FILE.json` makes one" in outcome.said


def test_needs_no_server(make_project: Callable[..., Project]) -> None:
    conftest = "import pytest\n\n\n@pytest.fixture(scope='session')\ndef dx_server():\n    raise AssertionError\n"
    project = make_project(conftest=conftest)
    assert "no histories" in replay(project, "workflows", "nowhere").tests["test_replay"].said
