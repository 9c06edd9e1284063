"""A worker with the workflows that the CLI's tests talk to; run as a process of its own: ADDRESS."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

TASK_QUEUE = "cli-tests"


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@activity.defn
async def boom(name: str) -> None:
    raise ApplicationError(f"boom {name}", type="Boom")


@workflow.defn
class Greet:
    """Greets by an activity."""

    @workflow.run
    async def run(self, name: str) -> dict[str, object]:
        greeting = await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=10))
        return {"greeting": greeting, "n": 1}


@workflow.defn
class Fails:
    """Fails, because its activity does."""

    @workflow.run
    async def run(self, name: str) -> None:
        await workflow.execute_activity(
            boom, name, start_to_close_timeout=timedelta(seconds=10), retry_policy=RetryPolicy(maximum_attempts=1)
        )


@workflow.defn
class Stuck:
    """Waits for an activity that is tried again after a long time."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            boom,
            "again",
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(initial_interval=timedelta(hours=1)),
        )


@workflow.defn
class Waiter:
    """Collects what `add` brings until `finish` comes."""

    def __init__(self) -> None:
        self._values: list[Any] = []
        self._finished = False

    @workflow.run
    async def run(self) -> list[Any]:
        await workflow.wait_condition(lambda: self._finished)
        return self._values

    @workflow.signal
    def add(self, value: Any) -> None:
        self._values.append(value)

    @workflow.signal
    def finish(self) -> None:
        self._finished = True

    @workflow.query
    def values(self) -> list[Any]:
        return self._values


@workflow.defn
class Counts:
    """Goes on as new run until it has counted down."""

    @workflow.run
    async def run(self, remaining: int) -> str:
        if remaining:
            workflow.continue_as_new(remaining - 1)
        return "counted"


async def main(address: str) -> None:
    client = await Client.connect(address)
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[Greet, Fails, Stuck, Waiter, Counts],
        activities=[greet, boom],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
