"""Walk through the scenarios of a parent and its children: `python main.py`, with a server and `worker.py` running."""

# ruff: noqa: T201 (an example talks to its user)
from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress

from shared import NOWHERE, TASK_QUEUE, Delivery, Parcel, Redirection, Report
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.envconfig import ClientConfig
from workflows import DeliveryWorkflow

# Makes the workflow ids of one walk its own, so that the example can run again on the same server.
RUN_SUFFIX = uuid.uuid4().hex[:6]


async def delivered(client: Client) -> None:
    """Two parcels in parallel, one of them redirected on its way. The map ends with the delivery, the review later."""
    handle = await start_delivery(
        client, "delivered", Parcel("book", "1 High Street"), Parcel("lamp", "1 High Street", travel_seconds=3)
    )
    await handle.signal(DeliveryWorkflow.redirect, Redirection("lamp", "2 Low Road"))
    await show_end(handle)
    await show_children(client, handle, "book", "lamp", "map", "review")


async def returned(client: Client) -> None:
    """One parcel has an address that does not exist. Its workflow fails; the delivery says so, and completes."""
    handle = await start_delivery(client, "returned", Parcel("book", "1 High Street"), Parcel("lamp", NOWHERE))
    await show_end(handle)
    await show_children(client, handle, "book", "lamp", "map", "review")


async def cancelled(client: Client) -> None:
    """The delivery is cancelled, and so are its parcels: each of them goes back before the delivery ends."""
    handle = await start_delivery(
        client,
        "cancelled",
        Parcel("book", "1 High Street", travel_seconds=3600),
        Parcel("lamp", "1 High Street", travel_seconds=3600),
    )
    await wait_until_on_the_road(handle)
    print("  on the road; cancelling")
    await handle.cancel()
    await show_end(handle)
    await show_children(client, handle, "book", "lamp", "map")


async def start_delivery(client: Client, name: str, *parcels: Parcel) -> WorkflowHandle[DeliveryWorkflow, Report]:
    """Start a delivery named after its scenario."""
    delivery = Delivery(f"{name}-{RUN_SUFFIX}", list(parcels), review_after_seconds=1)
    handle = await client.start_workflow(
        DeliveryWorkflow.run, delivery, id=f"delivery-{delivery.order_id}", task_queue=TASK_QUEUE
    )
    print(f"  started {handle.id}")
    return handle


async def wait_until_on_the_road(handle: WorkflowHandle[DeliveryWorkflow, Report]) -> None:
    """Return when all parcels have left."""
    while True:
        if await handle.query(DeliveryWorkflow.is_on_the_road):
            return
        await asyncio.sleep(0.05)


async def show_end(handle: WorkflowHandle[DeliveryWorkflow, Report]) -> None:
    """Wait for a delivery's end, and print it."""
    try:
        report = await handle.result()
    except WorkflowFailureError as error:
        print(f"  ended: {error.cause}")
    else:
        print(f"  delivered: {report.delivered}")
        print(f"  returned: {report.returned}")


async def show_children(client: Client, parent: WorkflowHandle[DeliveryWorkflow, Report], *names: str) -> None:
    """Wait for each child's end, and print its status: they are workflows like all others."""
    for name in names:
        child = client.get_workflow_handle(f"{parent.id}/{name}")
        with suppress(WorkflowFailureError):
            await child.result()
        print(f"  child {name}: {(await child.describe()).status.name}")


async def main() -> None:
    """Run one scenario after the other."""
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    client = await Client.connect(**config)
    for number, scenario in enumerate([delivered, returned, cancelled], start=1):
        print(f"\n{number}. {scenario.__doc__}")
        await scenario(client)
    # A Python that exits in the very moment of the SDK's answer can abort in the SDK's threads.
    await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(main())
