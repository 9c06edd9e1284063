"""Activities: the desks where a trip is booked, and where a booking is cancelled.

An attempt can get lost after its work is done, so the same call may come twice. The
trip's id goes with every call, and by it the desks know: to book twice is to book once,
and to cancel what was never booked is no error.
"""

import asyncio

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from shared import SOLD_OUT, Trip

SECONDS_PER_CALL = 0.2


@activity.defn
async def book_hotel(trip: Trip) -> str:
    """Book a room and return the reservation's number."""
    return await _book("hotel", trip)


@activity.defn
async def cancel_hotel(trip: Trip) -> None:
    """Give the room back."""
    await _call("hotel", "cancel", trip)


@activity.defn
async def book_car(trip: Trip) -> str:
    """Book a car and return the reservation's number."""
    return await _book("car", trip)


@activity.defn
async def cancel_car(trip: Trip) -> None:
    """Give the car back."""
    await _call("car", "cancel", trip)


@activity.defn
async def book_flight(trip: Trip) -> str:
    """Book a seat and return the reservation's number."""
    return await _book("flight", trip)


@activity.defn
async def cancel_flight(trip: Trip) -> None:
    """Give the seat back."""
    await _call("flight", "cancel", trip)


async def _book(desk: str, trip: Trip) -> str:
    await _call(desk, "book", trip)
    if trip.sold_out == desk:
        # Nothing gets better by trying again: this failure ends the activity at once.
        # BENIGN: it is to be expected, so that the worker logs no traceback.
        raise ApplicationError(
            f"no {desk} to be had in {trip.destination}",
            type=SOLD_OUT,
            non_retryable=True,
            category=ApplicationErrorCategory.BENIGN,
        )
    return f"{desk}-{trip.trip_id}"


async def _call(desk: str, request: str, trip: Trip) -> None:
    activity.logger.info("%s desk: %s %s", desk, request, trip.trip_id)
    await asyncio.sleep(SECONDS_PER_CALL)
