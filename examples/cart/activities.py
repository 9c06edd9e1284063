"""Activities: the shop's catalogue, and the payment gateway."""

from __future__ import annotations

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

PRICES = {"tea": 450, "mug": 1200, "kettle": 3900}


@activity.defn
async def look_up_price(product: str) -> int:
    """Return what one costs, in cents."""
    if product not in PRICES:
        raise _final_error(f"there is no {product}; there is {', '.join(PRICES)}", "UnknownProductError")
    return PRICES[product]


@activity.defn
async def charge_card(card: str, total: int) -> str:
    """Charge the card and return the payment's id."""
    if card == "declined":
        raise _final_error("the card was declined", "PaymentDeclinedError")
    activity.logger.info("charged %d cents for %s", total, activity.info().workflow_id)
    # Every attempt has the same id: a real gateway that sees it again answers with the first attempt's payment.
    return f"payment-{activity.info().workflow_run_id[-8:]}-{activity.info().activity_id}"


def _final_error(message: str, error_type: str) -> ApplicationError:
    """Return an error that is not retried; BENIGN, to be expected, so the worker writes no traceback."""
    return ApplicationError(message, type=error_type, non_retryable=True, category=ApplicationErrorCategory.BENIGN)
