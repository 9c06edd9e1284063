"""Walk through the saga's scenarios: `python main.py`, with a server and `worker.py` running."""

# ruff: noqa: T201 (an example talks to its user)
from __future__ import annotations

import asyncio
import uuid

from shared import TASK_QUEUE, Trip
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.envconfig import ClientConfig
from workflows import TripWorkflow

# Makes the workflow ids of one walk its own, so that the example can run again on the same server.
RUN_SUFFIX = uuid.uuid4().hex[:6]


async def booked(client: Client) -> None:
    """Everything is to be had; the car rental picks up at the second attempt."""
    handle = await start_trip(client, "booked")
    print(f"  result: {await handle.result()}")


async def sold_out(client: Client) -> None:
    """There is no seat left, so the car and the room are given back, in this order; the trip fails."""
    handle = await start_trip(client, "sold-out", sold_out="flight")
    await show_failure(handle)


async def cancelled(client: Client) -> None:
    """The traveller cancels in the middle: what is booked by then is given back; the trip is cancelled."""
    handle = await start_trip(client, "cancelled")
    await wait_for_step(handle, "book_hotel")
    print("  the room is booked; cancelling")
    await handle.cancel()
    await show_failure(handle)


async def cancelled_too_late(client: Client) -> None:
    """The traveller cancels while the trip is being undone already: nobody stops that."""
    handle = await start_trip(client, "too-late", sold_out="flight")
    await wait_for_step(handle, "cancel_flight")
    print("  there is no seat left, the car and the room are still booked; cancelling")
    await handle.cancel()
    await show_failure(handle)


async def start_trip(client: Client, name: str, sold_out: str = "") -> WorkflowHandle[TripWorkflow, object]:
    """Start a trip named after its scenario."""
    trip = Trip(f"{name}-{RUN_SUFFIX}", "Lisbon", sold_out)
    handle = await client.start_workflow(TripWorkflow.run, trip, id=f"trip-{trip.trip_id}", task_queue=TASK_QUEUE)
    print(f"  started {handle.id}")
    return handle


async def wait_for_step(handle: WorkflowHandle[TripWorkflow, object], step: str) -> None:
    """Return when the trip has taken the step."""
    while True:
        if step in await handle.query(TripWorkflow.get_steps):
            return
        await asyncio.sleep(0.05)


async def show_failure(handle: WorkflowHandle[TripWorkflow, object]) -> None:
    """Wait for a trip that does not complete, and say how it ended and what was done and undone."""
    try:
        await handle.result()
    except WorkflowFailureError as error:
        reason = getattr(error.cause, "cause", None) or error.cause  # inside of an ActivityError, if there is one
        print(f"  ended: {type(reason).__name__}: {reason}")
    print(f"  steps: {', '.join(await handle.query(TripWorkflow.get_steps))}")


async def main() -> None:
    """Run one scenario after the other."""
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    client = await Client.connect(**config)
    for number, scenario in enumerate([booked, sold_out, cancelled, cancelled_too_late], start=1):
        print(f"\n{number}. {scenario.__doc__}")
        await scenario(client)
    # A Python that exits in the very moment of the SDK's answer can abort in the SDK's threads.
    await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(main())
