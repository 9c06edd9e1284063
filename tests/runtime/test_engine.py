"""The engine over time: a machine that sleeps, queries whose worker goes away, queues that nobody needs any more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from temporalio.api.query.v1 import WorkflowQuery

from engine.core.policy.durations import NANOS_PER_SECOND
from engine.runtime.queries import PendingQuery, QueryTask
from tests.sim.script import Script, timer_command
from tests.sim.server import NAMESPACE_ID


def test_a_timer_that_came_due_while_the_machine_slept_fires_at_once(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        await script.start(workflow_task_timeout=None)
        await script.complete(await script.poll_workflow(), timer_command("t", 1800))
        script.env.skew_ns += 3600 * NANOS_PER_SECOND
        await asyncio.sleep(11)
        assert "TimerFired" in script.event_types()

    script.run(case())


def test_a_query_whose_worker_went_away_goes_to_another_that_waits(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        engine = script.engine
        first: Any = script.poll_workflow()
        second: Any = script.poll_workflow()
        await asyncio.sleep(1)
        pending = PendingQuery(1, "query", WorkflowQuery(query_type="q"), script.loop.create_future())
        task = QueryTask(pending, pending.future, "w", "run", "type", "q", 0, 1, sticky=False)
        engine.offer_query((NAMESPACE_ID, "q", False), task)
        first.cancel()
        assert await asyncio.wait_for(second, 1) is task

    script.run(case())


def test_idle_task_queues_are_forgotten(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        for number in range(10):
            await script.poll_workflow(f"sticky-{number}")
        await asyncio.sleep(600)
        assert list(script.engine.task_queues) == []

    script.run(case())
