"""Workflows as they were when the histories were made."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import activity, workflow

LIMIT = timedelta(seconds=10)


@activity.defn
async def charge_payment(order: str) -> str:
    return order


@activity.defn
async def reserve_stock(order: str) -> str:
    return order


@activity.defn
async def ship(order: str) -> str:
    return order


async def call(name: str) -> None:
    await workflow.execute_activity(name, "order", start_to_close_timeout=LIMIT)


class Waiting:
    """A workflow that a signal lets go on."""

    def __init__(self) -> None:
        self.released = False

    @workflow.signal
    def release(self) -> None:
        self.released = True

    async def wait(self) -> None:
        await workflow.wait_condition(lambda: self.released)


@workflow.defn
class Unchanged(Waiting):
    @workflow.run
    async def run(self) -> None:
        await call("charge_payment")
        await self.wait()


@workflow.defn
class ChangedActivityType(Waiting):
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)
        await self.wait()


@workflow.defn
class InsertedBefore(Waiting):
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)
        await self.wait()


@workflow.defn
class InsertedAfter(Waiting):
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)


@workflow.defn
class RemovedActivity(Waiting):
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)
        await workflow.execute_activity(ship, "order", start_to_close_timeout=LIMIT)
        await self.wait()


@workflow.defn
class RemovedLastActivity(Waiting):
    @workflow.run
    async def run(self) -> str:
        await workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)
        await workflow.execute_activity(ship, "order", start_to_close_timeout=LIMIT)
        return "done"


@workflow.defn
class Reordered(Waiting):
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)
        await workflow.execute_activity(ship, "order", start_to_close_timeout=LIMIT)
        await self.wait()


@workflow.defn
class AddedTimer(Waiting):
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)
        await workflow.execute_activity(ship, "order", start_to_close_timeout=LIMIT)
        await self.wait()


@workflow.defn
class RemovedTimer(Waiting):
    @workflow.run
    async def run(self) -> None:
        await asyncio.sleep(0.01)
        await workflow.execute_activity(ship, "order", start_to_close_timeout=LIMIT)
        await self.wait()


@workflow.defn
class RemovedSignalHandler(Waiting):
    @workflow.run
    async def run(self) -> None:
        await self.wait()
        await workflow.execute_activity(ship, "order", start_to_close_timeout=LIMIT)
        await workflow.wait_condition(lambda: False)


@workflow.defn
class ChildOne:
    @workflow.run
    async def run(self) -> None:
        pass


@workflow.defn
class ChildTwo:
    @workflow.run
    async def run(self) -> None:
        pass


@workflow.defn
class ChangedChildType(Waiting):
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_child_workflow(ChildOne.run)
        await self.wait()


@workflow.defn
class AddedPatch(Waiting):
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)
        await self.wait()


@workflow.defn
class RemovedPatch(Waiting):
    @workflow.run
    async def run(self) -> None:
        if workflow.patched("reserve-first"):
            await workflow.execute_activity(reserve_stock, "order", start_to_close_timeout=LIMIT)
        await workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)
        await self.wait()


@workflow.defn
class DeprecatedPatch(Waiting):
    @workflow.run
    async def run(self) -> None:
        if workflow.patched("reserve-first"):
            await workflow.execute_activity(reserve_stock, "order", start_to_close_timeout=LIMIT)
        await self.wait()


@workflow.defn
class TypeGone(Waiting):
    @workflow.run
    async def run(self) -> None:
        await self.wait()


@workflow.defn
class ChangedArgument(Waiting):
    @workflow.run
    async def run(self, order: str) -> None:
        await self.wait()


@workflow.defn
class RaisesNow(Waiting):
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)
        await self.wait()


@workflow.defn
class Gathered(Waiting):
    @workflow.run
    async def run(self) -> None:
        await asyncio.gather(
            workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT),
            workflow.execute_activity(reserve_stock, "order", start_to_close_timeout=LIMIT),
        )
        await self.wait()


@workflow.defn
class WaitsInstead(Waiting):
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)
        await self.wait()


@workflow.defn
class EndsInstead(Waiting):
    @workflow.run
    async def run(self) -> str:
        await workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)
        await workflow.execute_activity(ship, "order", start_to_close_timeout=LIMIT)
        await self.wait()
        return "long"


@workflow.defn
class ChangedLocalActivity(Waiting):
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_local_activity(charge_payment, "order", start_to_close_timeout=LIMIT)
        await self.wait()


@workflow.defn
class RemovedUpdateHandler(Waiting):
    @workflow.run
    async def run(self) -> None:
        await self.wait()

    @workflow.update
    async def pay(self) -> str:
        return await workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)


@workflow.defn
class SignalHandlerCalls(Waiting):
    @workflow.run
    async def run(self) -> None:
        await self.wait()
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    async def pay(self) -> None:
        await workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)


@workflow.defn
class ContinuedAsNew(Waiting):
    @workflow.run
    async def run(self, left: int) -> None:
        if left:
            await workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)
            workflow.continue_as_new(left - 1)
        await self.wait()


@workflow.defn
class AfterTimers(Waiting):
    @workflow.run
    async def run(self) -> None:
        undone = asyncio.create_task(asyncio.sleep(100))
        await asyncio.sleep(0)
        undone.cancel()
        cancelled = workflow.start_activity(reserve_stock, "order", start_to_close_timeout=LIMIT)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        with suppress(asyncio.TimeoutError):
            await workflow.wait_condition(lambda: False, timeout=0.01)
        activity_call = workflow.execute_activity(charge_payment, "order", start_to_close_timeout=LIMIT)
        await asyncio.wait_for(activity_call, 60)
        workflow.upsert_memo({"paid": True})
        await workflow.execute_activity(ship, "order", start_to_close_timeout=LIMIT)
        await self.wait()


@workflow.defn
class ThroughHelper(Waiting):
    @workflow.run
    async def run(self) -> None:
        await call("charge_payment")
        await self.wait()
