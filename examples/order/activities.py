"""Activities: everything that touches the outside world. They may fail and be retried; workflows never see that."""

from __future__ import annotations

import asyncio

import outside_world
from shared import PAYMENT_DECLINED, DatasetSummary
from temporalio import activity
from temporalio.exceptions import ApplicationError

ITEMS_PER_DATASET = 40
SECONDS_PER_ITEM = 0.1


@activity.defn
async def charge_payment(user_id: str, amount: int, card: str) -> str:
    """Charge the card and return the payment's id."""
    attempt = activity.info().attempt
    if card == "flaky" and attempt == 1:
        raise ApplicationError("the payment gateway did not answer", type="PaymentGatewayError")
    if card == "declined":
        # Nothing gets better by trying again, so this failure ends the activity at its first attempt.
        raise ApplicationError("the card was declined", type=PAYMENT_DECLINED, non_retryable=True)
    payment_id = f"payment-{outside_world.idempotency_key()}"
    activity.logger.info("charging %s: %d, attempt %d", user_id, amount, attempt)
    await outside_world.call(payment_id, on_beat=lambda: activity.heartbeat("charging..."))
    return payment_id


@activity.defn
async def refund_payment(payment_id: str) -> None:
    """Give the money of a payment back."""
    activity.logger.info("refunding %s", payment_id)
    await outside_world.call(payment_id, on_beat=lambda: activity.heartbeat("refunding..."))


@activity.defn
async def send_confirmation_email(email: str, order_id: str, payment_id: str) -> None:
    """Tell the customer that the order is paid."""
    activity.logger.info("sending the confirmation of %s (%s) to %s", order_id, payment_id, email)
    await outside_world.call(email)


@activity.defn
async def update_order_status(order_id: str, status: str) -> None:
    """Write the order's status to the shop's database."""
    activity.logger.info("order %s -> %s", order_id, status)
    await outside_world.call(f"{order_id} -> {status}")


@activity.defn
async def write_daily_report(number: int) -> str:
    """Write a report and return its name."""
    name = f"daily-report-{number}"
    activity.logger.info("writing %s", name)
    await outside_world.call(name)
    return name


@activity.defn
async def process_large_dataset(dataset_id: str) -> DatasetSummary:
    """Process a dataset item by item; after a crash the next attempt goes on where the last heartbeat was."""
    info = activity.info()
    resumed_at_item = int(info.heartbeat_details[0]) if info.heartbeat_details else 0
    outside_world.note("started", f"{dataset_id} from item {resumed_at_item}")
    for item in range(resumed_at_item, ITEMS_PER_DATASET):
        await asyncio.sleep(SECONDS_PER_ITEM)
        activity.heartbeat(item + 1)
    outside_world.note("completed", dataset_id)
    return DatasetSummary(ITEMS_PER_DATASET, info.attempt, resumed_at_item)
