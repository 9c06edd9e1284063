"""What the workflows, the activities and their clients share: the messages and the name of the task queue."""

from __future__ import annotations

from dataclasses import dataclass, field

TASK_QUEUE = "deliveries"

NOWHERE = "nowhere"
"""The address where nobody finds anything."""


@dataclass
class Parcel:
    """A parcel on its way; `travel_seconds` is how long the van takes."""

    name: str
    address: str
    travel_seconds: float = 1


@dataclass
class Delivery:
    """An order in one or more parcels; a while after it, the customer is asked for a review."""

    order_id: str
    parcels: list[Parcel]
    review_after_seconds: float = 7 * 24 * 60 * 60


@dataclass
class Redirection:
    """The argument of the delivery's `redirect` signal."""

    parcel_name: str
    address: str


@dataclass
class Report:
    """The result of a delivery: by the parcel's name, where it was handed over, or why it was not."""

    delivered: dict[str, str] = field(default_factory=dict)
    returned: dict[str, str] = field(default_factory=dict)
