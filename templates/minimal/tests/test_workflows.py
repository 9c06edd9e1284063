"""The workflow on a real server, which starts with the tests and keeps nothing."""

from temporalio import activity

from activities import compose_greeting
from workflows import GreetingWorkflow


async def test_a_greeting(dx_client, dx_worker) -> None:
    async with dx_worker(
        workflows=[GreetingWorkflow], activities=[compose_greeting]
    ) as worker:
        greeting = await dx_client.execute_workflow(
            GreetingWorkflow.run, "world", id="hello", task_queue=worker.task_queue
        )
    assert greeting == "Hello, world!"


async def test_a_greeting_at_the_second_attempt(dx_client, dx_worker) -> None:
    attempts = []

    # In place of the real activity: the server knows activities by their names.
    @activity.defn(name="compose_greeting")
    async def compose_at_the_second_attempt(name: str) -> str:
        attempts.append(activity.info().attempt)
        if len(attempts) == 1:
            raise RuntimeError("try again")
        return f"Finally, {name}!"

    async with dx_worker(
        workflows=[GreetingWorkflow], activities=[compose_at_the_second_attempt]
    ) as worker:
        greeting = await dx_client.execute_workflow(
            GreetingWorkflow.run, "world", id="hello", task_queue=worker.task_queue
        )
    assert greeting == "Finally, world!"
    assert attempts == [1, 2]
