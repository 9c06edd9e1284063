"""Activities: scheduling, retries, completion by token and id."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from tests.differential.scenario import scenario
from tests.differential.world import World


@activity.defn
async def greet(name: str) -> str:
    return f"hello {name}"


@workflow.defn
class GreetTwice:
    @workflow.run
    async def run(self, name: str) -> str:
        first = await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=10))
        return await workflow.execute_activity(
            greet,
            first,
            schedule_to_close_timeout=timedelta(seconds=20),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=2), maximum_attempts=3),
        )


@scenario(live_sample=True)
async def sdk_two_in_sequence(world: World) -> None:
    """An SDK workflow runs two activities; the server fills in timeouts and the retry policy."""
    async with world.worker([GreetTwice], [greet]):
        result = await world.client.execute_workflow(
            GreetTwice.run, "dx", id=world.workflow_id(), task_queue=world.task_queue
        )
    world.record_value("result", result)
    await world.record_history()
