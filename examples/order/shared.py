"""What the workflows, the activities and their clients share: the messages and the names of the task queues."""

from __future__ import annotations

from dataclasses import dataclass

ORDER_TASK_QUEUE = "order-processing"
REPORT_TASK_QUEUE = "reports"

PAYMENT_DECLINED = "PaymentDeclinedError"


@dataclass
class OrderInput:
    """An order: `amount` in the smallest unit of the currency, `card` one of the pretend gateway's test cards.

    After the confirmation the order can still be cancelled for `cancel_window_seconds`.
    """

    order_id: str
    user_id: str
    amount: int
    email: str
    card: str = "valid"
    cancel_window_seconds: float = 0


@dataclass
class CancelRequest:
    """The argument of the `cancel` signal."""

    reason: str


@dataclass
class DatasetSummary:
    """The result of `process_large_dataset`: the attempt that finished, and the item at which it went on."""

    items_total: int
    attempt: int
    resumed_at_item: int
