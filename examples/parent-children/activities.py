"""Activities: the vans, and what the customer sees of them. Here they only write to the worker's log."""

from __future__ import annotations

from shared import NOWHERE
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory


@activity.defn
async def hand_over(parcel_name: str, address: str) -> None:
    """Hand a parcel over at its address."""
    if address == NOWHERE:
        # Nothing gets better by trying again. BENIGN: to be expected, so the worker writes no traceback.
        raise ApplicationError(
            f"nobody knows where {address} is",
            type="UnknownAddressError",
            non_retryable=True,
            category=ApplicationErrorCategory.BENIGN,
        )
    activity.logger.info("%s: handed over at %s", parcel_name, address)


@activity.defn
async def bring_back(parcel_name: str) -> None:
    """Bring a parcel back to the warehouse."""
    activity.logger.info("%s: back in the warehouse", parcel_name)


@activity.defn
async def update_map(order_id: str) -> None:
    """Show the customer where the vans are."""
    activity.logger.info("%s: the map is up to date", order_id)


@activity.defn
async def ask_for_review(order_id: str) -> None:
    """Ask the customer how it was."""
    activity.logger.info("%s: how was it?", order_id)
