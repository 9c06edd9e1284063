"""Trips on a real server, which starts with the tests and keeps nothing."""

import asyncio

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import CancelledError

import activities
from shared import Reservations, Trip
from workflows import TripWorkflow


@pytest.fixture
async def task_queue(dx_worker):
    """A worker, as dx.toml has it; a test has its own, and its own namespace."""
    async with dx_worker(
        workflows=[TripWorkflow],
        activities=[
            activities.book_hotel,
            activities.cancel_hotel,
            activities.book_car,
            activities.cancel_car,
            activities.book_flight,
            activities.cancel_flight,
        ],
    ) as worker:
        yield worker.task_queue


async def start(dx_client, task_queue, **details):
    trip = Trip("1", "Rome", **details)
    return await dx_client.start_workflow(
        TripWorkflow.run, trip, id="trip-1", task_queue=task_queue
    )


async def test_a_trip_is_booked_as_a_whole(dx_client, task_queue) -> None:
    handle = await start(dx_client, task_queue)
    assert await handle.result() == Reservations("hotel-1", "car-1", "flight-1")


@pytest.mark.parametrize(
    ("sold_out", "steps"),
    [
        ("hotel", ["cancel_hotel"]),
        ("car", ["book_hotel", "cancel_car", "cancel_hotel"]),
        (
            "flight",
            ["book_hotel", "book_car", "cancel_flight", "cancel_car", "cancel_hotel"],
        ),
    ],
)
async def test_what_was_booked_is_undone(
    dx_client, task_queue, sold_out: str, steps: list[str]
) -> None:
    handle = await start(dx_client, task_queue, sold_out=sold_out)
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert await handle.query(TripWorkflow.get_steps) == steps


async def test_a_cancelled_trip_is_undone_too(dx_client, task_queue) -> None:
    handle = await start(dx_client, task_queue)
    while not await handle.query(TripWorkflow.get_steps):
        await asyncio.sleep(0.02)
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()
    assert isinstance(failure.value.cause, CancelledError)
    steps = await handle.query(TripWorkflow.get_steps)
    assert steps[-1] == "cancel_hotel"
