"""The saga: book step by step, and undo the steps in reverse order when one fails.

A workflow can be replayed from its history after any crash, and goes on where it was.
So it must do the same again: no I/O, no clock, no random numbers here. Those belong in
activities; `workflow.now()`, `workflow.sleep()` and `workflow.random()` are safe.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

# The sandbox loads this file anew for each workflow; what is harmless passes through.
with workflow.unsafe.imports_passed_through():
    import activities
    from shared import Reservations, Trip

# Somebody waits for the answer, so three attempts must do.
BOOK_OPTIONS = workflow.ActivityConfig(
    start_to_close_timeout=timedelta(seconds=10),
    retry_policy=RetryPolicy(maximum_attempts=3),
)

# Nobody waits, and giving up is no choice: tried as long as it takes (the default).
UNDO_OPTIONS = workflow.ActivityConfig(start_to_close_timeout=timedelta(seconds=10))


@workflow.defn
class TripWorkflow:
    """Book a whole trip, or nothing of it."""

    def __init__(self) -> None:
        self._undo: list[Callable[[Trip], Awaitable[None]]] = []
        self._steps: list[str] = []

    @workflow.query
    def get_steps(self) -> list[str]:
        """Say what was done, and undone, so far."""
        return self._steps

    @workflow.run
    async def run(self, trip: Trip) -> Reservations:
        """Return the reservations, or fail with nothing booked."""
        try:
            return Reservations(
                hotel=await self._book(
                    trip, activities.book_hotel, undo=activities.cancel_hotel
                ),
                car=await self._book(
                    trip, activities.book_car, undo=activities.cancel_car
                ),
                flight=await self._book(
                    trip, activities.book_flight, undo=activities.cancel_flight
                ),
            )
        # A workflow that is cancelled raises CancelledError where it waits.
        except (ActivityError, asyncio.CancelledError):
            await self._undo_all(trip)
            raise

    async def _book(
        self,
        trip: Trip,
        book: Callable[[Trip], Awaitable[str]],
        *,
        undo: Callable[[Trip], Awaitable[None]],
    ) -> str:
        # Noted before the step is taken: one that fails may have booked all the same.
        self._undo.append(undo)
        reservation = await workflow.execute_activity(book, trip, **BOOK_OPTIONS)
        self._steps.append(book.__name__)
        return reservation

    async def _undo_all(self, trip: Trip) -> None:
        while self._undo:
            undo = self._undo.pop()
            await workflow.execute_activity(undo, trip, **UNDO_OPTIONS)
            self._steps.append(undo.__name__)
