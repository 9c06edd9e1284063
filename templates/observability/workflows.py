"""Workflows: what happens in which order.

A workflow can be replayed from its history after any crash, and goes on where it was.
So it must do the same again: no I/O, no clock, no random numbers here. What is logged
and measured by the `workflow` module is left out when it is a replay.
"""

from datetime import timedelta

from temporalio import workflow

# The sandbox loads this file anew for each workflow; what is harmless passes through.
with workflow.unsafe.imports_passed_through():
    from activities import pack, ship

ACTIVITY_OPTIONS = workflow.ActivityConfig(start_to_close_timeout=timedelta(seconds=30))


@workflow.defn
class ShippingWorkflow:
    """Pack and ship an order."""

    @workflow.run
    async def run(self, order_id: str) -> str:
        """Return the parcel's number."""
        workflow.logger.info("order %s is to be shipped", order_id)
        weight = await workflow.execute_activity(pack, order_id, **ACTIVITY_OPTIONS)
        parcel = await workflow.execute_activity(
            ship, args=[order_id, weight], **ACTIVITY_OPTIONS
        )
        workflow.logger.info("shipped as %s", parcel)
        return parcel
