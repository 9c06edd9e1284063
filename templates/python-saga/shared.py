"""The messages of the workflow and its activities.

One dataclass for each message: a field that is added later gets a default, and the
workflows that are already running can still read what was sent to them.
"""

from dataclasses import dataclass

SOLD_OUT = "SoldOutError"


@dataclass
class Trip:
    """A trip to be booked; `sold_out` names what can't be had, to see it undone."""

    trip_id: str
    destination: str
    sold_out: str = ""


@dataclass
class Reservations:
    """The numbers of what was booked."""

    hotel: str
    car: str
    flight: str
