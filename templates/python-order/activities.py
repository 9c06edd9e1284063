"""Activities: everything that touches the outside world.

They may fail, and are tried again as the workflow's retry policy says. An attempt can
get lost after its work is done, so the same work may come twice: the payment gateway
is given a key by which it knows a charge that it has already made.
"""

import asyncio

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from shared import PAYMENT_DECLINED

SECONDS_PER_CALL = 0.3


@activity.defn
async def charge_payment(user_id: str, amount: int, card: str) -> str:
    """Charge the card and return the payment's id."""
    info = activity.info()
    if card == "flaky" and info.attempt == 1:
        raise ApplicationError("the payment gateway did not answer")
    if card == "declined":
        # Nothing gets better by trying again: this failure ends the activity at once.
        # BENIGN: it is to be expected, so that the worker logs no traceback.
        raise ApplicationError(
            "the card was declined",
            type=PAYMENT_DECLINED,
            non_retryable=True,
            category=ApplicationErrorCategory.BENIGN,
        )
    activity.logger.info("charging %s: %d", user_id, amount)
    # A heartbeat tells the server that this worker is alive, and learns about a cancel.
    activity.heartbeat("charging")
    await asyncio.sleep(SECONDS_PER_CALL)
    idempotency_key = (
        f"{info.workflow_id}-{info.activity_id}"  # the same at each attempt
    )
    return f"payment-{idempotency_key}"


@activity.defn
async def refund_payment(payment_id: str) -> None:
    """Give the money of a payment back."""
    activity.logger.info("refunding %s", payment_id)
    await asyncio.sleep(SECONDS_PER_CALL)


@activity.defn
async def send_confirmation_email(email: str, order_id: str, payment_id: str) -> None:
    """Tell the customer that the order is paid."""
    activity.logger.info("confirming %s (%s) to %s", order_id, payment_id, email)
    await asyncio.sleep(SECONDS_PER_CALL)


@activity.defn
async def update_order_status(order_id: str, status: str) -> None:
    """Write the order's status to the shop's database."""
    activity.logger.info("order %s is %s", order_id, status)


@activity.defn
async def write_daily_report(number: int) -> None:
    """Write the report of a day."""
    activity.logger.info("writing report %d", number)
    await asyncio.sleep(SECONDS_PER_CALL)
