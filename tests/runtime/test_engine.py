"""The engine over time: a machine that sleeps, queries whose worker goes away, queues that nobody needs any more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest

from engine.core.inputs import RespondWorkflowTaskCompleted, RunRef
from engine.core.policy.durations import NANOS_PER_SECOND
from engine.core.run.workflow_task import StartedWorkflowTask
from engine.runtime.queries import PendingQuery, QueryTask
from engine.service.worker_registry import WorkerRegistry, WorkerShutDown
from tests.sim.script import Script, activity_command, timer_command
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


@pytest.mark.parametrize("turns", [1, 2, 3], ids=["before the step", "after it", "with the answer"])
def test_a_worker_that_shuts_down_gets_the_task_that_its_poll_has_already(tmp_path: Path, turns: int) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        workers = WorkerRegistry()

        async def poll() -> StartedWorkflowTask | None:
            try:
                with workers.polling("instance-1", "worker"):
                    return await script.poll_workflow_here()
            except WorkerShutDown:
                return None

        polling = script.loop.create_task(poll())
        await asyncio.sleep(0)
        starting = script.loop.create_task(script.start())
        for _ in range(turns):
            await asyncio.sleep(0)
        workers.shut_down("instance-1")
        task = await polling
        await starting
        if task is None:
            task = await script.poll_workflow()
        await script.complete(task)
        assert script.event_types() == [
            "WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted",
        ]  # fmt: skip

    script.run(case())


@pytest.mark.parametrize("turns", [1, 2], ids=["before the step", "after it"])
def test_what_the_reply_to_a_completion_carries_is_taken_back_from_a_worker_that_went_away(
    tmp_path: Path, turns: int
) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        await script.start()
        task = await script.poll_workflow()
        eager = activity_command("a", start_to_close_timeout=3600)
        eager.schedule_activity_task_command_attributes.request_eager_execution = True
        request = RespondWorkflowTaskCompletedRequest(
            commands=[eager], force_create_new_workflow_task=True, return_new_workflow_task=True
        )
        completed = RespondWorkflowTaskCompleted(RunRef(NAMESPACE_ID, run_key=task.run_key), task.token, request)
        completion = script.loop.create_task(script.engine.submit(completed))
        for _ in range(turns):
            await asyncio.sleep(0)
        assert not completion.done()
        completion.cancel()
        activity = await asyncio.wait_for(script.poll_activity(), 1)
        assert activity.activity.activity_id == "a"
        again = await asyncio.wait_for(script.poll_workflow(), 1)
        assert again.token.scheduled_event_id > task.token.scheduled_event_id

    script.run(case())
