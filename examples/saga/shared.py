"""What the workflow, the activities and their clients share: the messages and the name of the task queue."""

from __future__ import annotations

from dataclasses import dataclass

TASK_QUEUE = "trips"

SOLD_OUT = "SoldOutError"


@dataclass
class Trip:
    """A trip to book: a hotel, a car and a flight; `sold_out` names the one of them that is not to be had."""

    trip_id: str
    destination: str
    sold_out: str = ""


@dataclass
class Reservations:
    """The numbers of what was booked."""

    hotel: str
    car: str
    flight: str
