"""A worker with the workflows that the browser's tests look at; run as a process of its own: ADDRESS."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

TASK_QUEUE = "tui-tests"
SHORT = timedelta(seconds=10)


@activity.defn
async def charge(order: dict[str, Any]) -> dict[str, Any]:
    if activity.info().attempt == 1:
        raise ApplicationError("card service is down", {"gateway": "eu-1"}, type="GatewayError")
    return {"receipt": "r-1", "sum": order["sum"]}


@activity.defn
async def refuse(reason: str) -> None:
    raise ApplicationError(reason, type="Refused", non_retryable=True)


@activity.defn
async def call_warehouse() -> None:
    raise ApplicationError("nobody answers", type="Closed")


@workflow.defn
class Ship:
    """Ships when it is released."""

    def __init__(self) -> None:
        self._is_released = False

    @workflow.run
    async def run(self, address: str) -> str:
        await workflow.wait_condition(lambda: self._is_released)
        return f"shipped to {address}"

    @workflow.signal
    def release(self) -> None:
        self._is_released = True


@workflow.defn
class Order:
    """Charges, then waits for a timer, a child and an activity that fails again and again."""

    def __init__(self) -> None:
        self._items: list[Any] = []
        self._is_done = False

    @workflow.run
    async def run(self, order: dict[str, Any]) -> dict[str, Any]:
        workflow.set_current_details("waits for the **warehouse**")
        receipt = await workflow.execute_activity(
            charge,
            order,
            start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50)),
            summary="pay by card",
        )
        child = await workflow.start_child_workflow(Ship.run, "Basel", id=f"{workflow.info().workflow_id}-ship")
        workflow.start_activity(
            call_warehouse,
            start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(initial_interval=timedelta(hours=1), maximum_attempts=5),
        )
        timer = asyncio.create_task(workflow.sleep(timedelta(hours=2), summary="delivery window"))
        await workflow.wait_condition(lambda: self._is_done)
        timer.cancel()
        return {"receipt": receipt, "shipped": await child, "items": self._items, "note": "日本語 שלום"}

    @workflow.signal(dynamic=True)
    def take(self, name: str, arguments: Sequence[RawValue]) -> None:
        self._items.append(name)

    @workflow.signal(description="Ends it.")
    def done(self) -> None:
        self._is_done = True

    @workflow.query(description="The price in a currency.")
    def price(self, currency: str, factor: int) -> dict[str, Any]:
        return {"currency": currency, "amount": 12 * factor}


@workflow.defn
class Refusal:
    """Fails with a cause."""

    @workflow.run
    async def run(self, reason: str) -> None:
        try:
            await workflow.execute_activity(refuse, reason, start_to_close_timeout=SHORT)
        except Exception as error:
            raise ApplicationError("the order was refused", type="OrderRefused") from error


@workflow.defn
class Countdown:
    """Goes on as a new run until it has counted down."""

    @workflow.run
    async def run(self, left: int) -> str:
        if left:
            workflow.continue_as_new(left - 1)
        return "done"


async def main(address: str) -> None:
    client = await Client.connect(address)
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[Ship, Order, Refusal, Countdown],
        activities=[charge, refuse, call_warehouse],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
