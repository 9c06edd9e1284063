"""Activities: everything that touches the outside world."""

from temporalio import activity


@activity.defn
async def charge(customer: str, amount: int) -> None:
    """Charge a month's fee."""
    activity.logger.info("charging %s: %d", customer, amount)


@activity.defn
async def send_receipt(customer: str, amount: int) -> None:
    """Send the receipt of a charge."""
    activity.logger.info("receipt for %s: %d", customer, amount)
