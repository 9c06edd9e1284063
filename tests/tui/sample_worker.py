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
from temporalio.exceptions import ActivityError, ApplicationError
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


@activity.defn
async def pack(item: str) -> str:
    if item == "by hand":
        activity.raise_complete_async()
    raise ApplicationError(f"no box for {item}", type="NoBox")


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


@workflow.defn
class Cart:
    """Takes items by updates, and packs when it is told to; what is packed comes from outside."""

    def __init__(self) -> None:
        self._items: list[str] = []
        self._notes: list[Any] = []
        self._is_closed = False

    @workflow.run
    async def run(self, customer: str, limit: int) -> dict[str, Any]:
        retry_policy = RetryPolicy(initial_interval=timedelta(hours=1), maximum_attempts=5)
        packing = workflow.start_activity(
            pack, customer, start_to_close_timeout=timedelta(hours=1), retry_policy=retry_policy, activity_id="pack-1"
        )
        try:
            packed = await packing
        except ActivityError as error:
            packed = str(error.cause)
        await workflow.wait_condition(lambda: self._is_closed)
        return {"packed": packed, "items": self._items, "notes": self._notes, "limit": limit}

    @workflow.update(description="Puts an item into it.")
    async def add_item(self, item: str, count: int) -> dict[str, Any]:
        self._items += [item] * count
        if item == "rare":
            raise ApplicationError("sold out", type="SoldOut")
        return {"items": self._items}

    @add_item.validator
    def refuse_too_many(self, item: str, count: int) -> None:
        if count > 9:
            raise ValueError(f"{count} are too many")

    @workflow.signal(description="Writes something down.")
    def note(self, text: str, number: int) -> None:
        self._notes.append([text, number])

    @workflow.signal(description="Ends it.")
    def close(self) -> None:
        self._is_closed = True

    @workflow.query(description="What is in it.")
    def items(self) -> list[str]:
        return self._items


async def main(address: str) -> None:
    client = await Client.connect(address)
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[Ship, Order, Refusal, Countdown, Cart],
        activities=[charge, refuse, call_warehouse, pack],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
