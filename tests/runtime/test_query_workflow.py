"""Queries that no worker answers: when they fail, and what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult

from engine.core.errors import DeadlineExceeded, FailedPrecondition, ServiceError
from engine.runtime.queries import QueryTask
from engine.runtime.query_workflow import query_workflow
from tests.sim.script import Script
from tests.sim.server import NAMESPACE_ID

NOT_IN_TIME = "query timed out before a worker could process it"
NOBODY = f"{NOT_IN_TIME}: nobody polls the task queue q"


async def _ask(script: Script, seconds: float = 30) -> WorkflowQueryResult:
    state = script.engine.find_current_run(NAMESPACE_ID, "w")
    assert state is not None
    return await query_workflow(script.engine, state, WorkflowQuery(query_type="status"), seconds)


async def _never_polled(script: Script) -> None:
    await script.start()


async def _task_held(script: Script) -> None:
    await script.start()
    await script.poll_workflow()


async def _waiting(script: Script) -> None:
    await script.start()
    await script.complete(await script.poll_workflow())


async def _worker_gone(script: Script) -> None:
    await _waiting(script)
    await asyncio.sleep(15)


async def _worker_long_gone(script: Script) -> None:
    await _waiting(script)
    await asyncio.sleep(600)


@pytest.mark.parametrize(
    ("prepare", "seconds", "after", "error", "message"),
    [
        (_never_polled, 30, 30, DeadlineExceeded, NOBODY),
        (_never_polled, 5, 5, DeadlineExceeded, NOBODY),
        (_task_held, 5, 5, DeadlineExceeded, NOT_IN_TIME),
        (_waiting, 5, 5, DeadlineExceeded, NOT_IN_TIME),
        (_worker_gone, 30, 29, FailedPrecondition, "no poller seen for task queue recently, worker may be down"),
        (_worker_gone, 5, 5, DeadlineExceeded, NOT_IN_TIME),
        (_worker_long_gone, 5, 4, FailedPrecondition, "no poller seen for task queue recently, worker may be down"),
    ],
)
def test_a_query_that_nobody_answers(
    tmp_path: Path,
    prepare: Callable[[Script], Awaitable[None]],
    seconds: float,
    after: float,
    error: type[ServiceError],
    message: str,
) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        await prepare(script)
        asked_at = script.loop.time()
        with pytest.raises(error) as raised:
            await _ask(script, seconds)
        assert raised.value.message == message
        assert script.loop.time() - asked_at == pytest.approx(after, abs=0.01)

    script.run(case())


def test_a_worker_that_comes_late_answers(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        await _worker_long_gone(script)
        asked = script.loop.create_task(_ask(script))
        await asyncio.sleep(28)
        task = await script.poll_workflow()
        assert isinstance(task, QueryTask)
        task.future.set_result(WorkflowQueryResult(result_type=1))
        assert (await asked).result_type == 1

    script.run(case())
