"""What the workflow, the activities and their clients share: the messages and the name of the task queue."""

from __future__ import annotations

from dataclasses import dataclass, field

TASK_QUEUE = "carts"

MAXIMUM_QUANTITY = 99


@dataclass
class Addition:
    """The argument of the `add` update."""

    product: str
    quantity: int


@dataclass
class Line:
    """So many of one product, and what one of them costs in cents."""

    quantity: int
    price: int


@dataclass
class Cart:
    """A cart's content, a line for each product."""

    lines: dict[str, Line] = field(default_factory=dict)

    def quantity_of(self, product: str) -> int:
        """Return how many of a product there are."""
        return self.lines[product].quantity if product in self.lines else 0

    def total(self) -> int:
        """Return what everything costs together, in cents."""
        return sum(line.quantity * line.price for line in self.lines.values())


@dataclass
class Receipt:
    """What was paid, in cents."""

    payment_id: str
    total: int
