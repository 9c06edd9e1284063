"""A workflow that runs for months, so its code changes while it runs.

A workflow can be replayed from its history after any crash, and goes on where it was.
The new code must then ask for the same things in the same order as the history has
them: the same activities, timers and children. What it computes in between, and what
the activities do, may change freely.
"""

from datetime import timedelta

from temporalio import workflow

# The sandbox loads this file anew for each workflow; what is harmless passes through.
with workflow.unsafe.imports_passed_through():
    from activities import charge, send_receipt

ACTIVITY_OPTIONS = workflow.ActivityConfig(start_to_close_timeout=timedelta(minutes=1))


@workflow.defn
class SubscriptionWorkflow:
    """Charge a fee each month."""

    @workflow.run
    async def run(self, customer: str, months: int) -> int:
        """Return what was paid in all."""
        fee = 10
        for _ in range(months):
            await workflow.execute_activity(
                charge, args=[customer, fee], **ACTIVITY_OPTIONS
            )
            # The first version had no receipts. A run that was past this line by then
            # goes on without: for it, `patched` is False for ever. All others get True,
            # and a marker in their history that says so.
            #
            # When no run without receipts is open any more: `workflow.deprecate_patch`
            # in place of the `if`. When none with the marker is: take that away, too.
            if workflow.patched("receipts"):
                await workflow.execute_activity(
                    send_receipt, args=[customer, fee], **ACTIVITY_OPTIONS
                )
            await workflow.sleep(timedelta(days=30))
        return months * fee
