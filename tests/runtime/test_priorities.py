"""The order in which the tasks of a backlog are handed out, also by a server that has read them from the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.api.common.v1 import Priority

from tests.sim.script import Script, activity_command


@pytest.mark.parametrize("restarts", [False, True])
def test_workflow_tasks_by_the_priority_of_their_workflows(tmp_path: Path, restarts: bool) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        for workflow_id, priority_key in (("last", 5), ("middle", 0), ("first", 1)):
            await script.start(workflow_id, priority=Priority(priority_key=priority_key))
        if restarts:
            await script.restart()
        order = [(await script.poll_workflow()).workflow_id for _ in range(3)]
        assert order == ["first", "middle", "last"]

    script.run(case())


@pytest.mark.parametrize("restarts", [False, True])
def test_activities_by_their_own_priority_and_in_turns_by_fairness_key(tmp_path: Path, restarts: bool) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        await script.start(priority=Priority(priority_key=4, fairness_key="tenant-1"))
        commands = [activity_command(f"{number}") for number in range(5)]
        commands[3].schedule_activity_task_command_attributes.priority.fairness_key = "tenant-2"
        commands[4].schedule_activity_task_command_attributes.priority.priority_key = 2
        await script.complete(await script.poll_workflow(), *commands)
        if restarts:
            await script.restart()
        order = [(await script.poll_activity()).activity.activity_id for _ in range(5)]
        assert order == ["4", "0", "3", "1", "2"]

    script.run(case())
