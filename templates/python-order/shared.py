"""The messages of the workflows and their activities.

One dataclass for each message: a field that is added later gets a default, and the
workflows that are already running can still read what was sent to them.
"""

from dataclasses import dataclass

PAYMENT_DECLINED = "PaymentDeclinedError"


@dataclass
class Order:
    """An order: `amount` in the smallest unit of the currency.

    After its confirmation it can still be cancelled for `cancel_window_seconds`.
    """

    order_id: str
    user_id: str
    amount: int
    email: str
    card: str = "valid"
    cancel_window_seconds: float = 0


@dataclass
class CancelRequest:
    """The argument of the signal `cancel`."""

    reason: str
