"""Activities: the desks where a trip is booked, and where a booking is cancelled again.

An attempt whose answer gets lost is repeated, and one that was given up may still arrive. So the trip's id goes with
every call, and by it the desks know: to book twice is to book once, to cancel what was never booked is no error, and a
booking that comes after its cancellation is refused.
"""

from __future__ import annotations

import asyncio

from shared import SOLD_OUT, Trip
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

SECONDS_PER_CALL = 0.2


@activity.defn
async def book_hotel(trip: Trip) -> str:
    """Book a room and return the reservation's number."""
    return await _book("hotel", trip)


@activity.defn
async def cancel_hotel(trip: Trip) -> None:
    """Give the room back."""
    await _call("hotel", f"cancel {trip.trip_id}")


@activity.defn
async def book_car(trip: Trip) -> str:
    """Book a car and return the reservation's number."""
    return await _book("car", trip)


@activity.defn
async def cancel_car(trip: Trip) -> None:
    """Give the car back."""
    await _call("car", f"cancel {trip.trip_id}")


@activity.defn
async def book_flight(trip: Trip) -> str:
    """Book a seat and return the reservation's number."""
    return await _book("flight", trip)


@activity.defn
async def cancel_flight(trip: Trip) -> None:
    """Give the seat back."""
    await _call("flight", f"cancel {trip.trip_id}")


async def _book(desk: str, trip: Trip) -> str:
    await _call(desk, f"book {trip.trip_id} to {trip.destination}")
    if trip.sold_out == desk:
        # Nothing gets better by trying again. BENIGN: to be expected, so the worker writes no traceback.
        raise ApplicationError(
            f"no {desk} to be had in {trip.destination}",
            type=SOLD_OUT,
            non_retryable=True,
            category=ApplicationErrorCategory.BENIGN,
        )
    return f"{desk}-{trip.trip_id}"


async def _call(desk: str, request: str) -> None:
    """Pretend to call a desk; the one of the car rental never picks up at the first attempt."""
    attempt = activity.info().attempt
    activity.logger.info("%s desk, attempt %d: %s", desk, attempt, request)
    await asyncio.sleep(SECONDS_PER_CALL)
    if desk == "car" and attempt == 1:
        raise ApplicationError("the car rental does not answer", category=ApplicationErrorCategory.BENIGN)
