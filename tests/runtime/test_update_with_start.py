"""Update-with-start while runs close: what is tried again, and what the caller hears of each operation."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.core.errors import Aborted, MultiOperationExecution, NotFound
from tests.core.support.update_messages import accept, respond
from tests.runtime.update_script import COMPLETED, answer, idle, start_and_update, terminate
from tests.sim.commands import seconds
from tests.sim.script import Script


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def test_a_start_whose_run_closes_without_an_answer(script: Script) -> None:
    async def case() -> None:
        waiting = start_and_update(script)
        await script.poll_workflow()
        await terminate(script)
        with pytest.raises(MultiOperationExecution) as raised:
            await waiting
        detail: Any = raised.value.detail
        assert [status.code for status in detail.statuses] == [0, NotFound.code]

    script.run(case())


def test_an_existing_run_that_closes_is_followed_by_a_new_one(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        waiting = start_and_update(script, "USE_EXISTING")
        await script.poll_workflow()
        await terminate(script)
        task = await script.poll_workflow()
        await answer(script, task, accept(task.messages[0]), respond("u", 1))
        reply, status = await waiting
        assert (reply.start.started, status.stage) == (True, COMPLETED)
        assert script.event_types(1)[-1] == "WorkflowExecutionUpdateCompleted"

    script.run(case())


def test_existing_runs_that_close_again_and_again(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        waiting = start_and_update(script, "USE_EXISTING")
        await script.poll_workflow()
        # The run closes and another one starts before the caller can try again.
        closing = script.loop.create_task(terminate(script))
        starting = script.loop.create_task(script.start(workflow_task_timeout=seconds(10)))
        await asyncio.gather(closing, starting)
        await script.poll_workflow()
        await terminate(script)
        with pytest.raises(MultiOperationExecution) as raised:
            await waiting
        detail: Any = raised.value.detail
        assert raised.value.code == Aborted.code
        assert [status.code for status in detail.statuses] == [Aborted.code, Aborted.code]

    script.run(case())
