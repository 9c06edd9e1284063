"""Activities: everything that touches the outside world."""

import asyncio
import random

from temporalio import activity
from temporalio.exceptions import ApplicationError


@activity.defn
async def pack(order_id: str) -> int:
    """Pack an order and return its weight in grams."""
    # A metric of your own, beside those of the SDK; it gets the SDK's labels, too.
    packed = activity.metric_meter().create_counter("orders_packed", "Packed orders")
    activity.logger.info("packing %s", order_id)
    await asyncio.sleep(random.uniform(0.05, 0.2))
    packed.add(1)
    return 500


@activity.defn
async def ship(order_id: str, weight_grams: int) -> str:
    """Hand the parcel over, which fails at the first attempt, and return its number."""
    if activity.info().attempt == 1:
        # To be seen in all three: a failure is counted, traced and logged.
        raise ApplicationError("the van is not there yet")
    activity.logger.info("shipping %s, %d g", order_id, weight_grams)
    return f"parcel-{order_id}"
