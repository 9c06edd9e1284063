"""Workflows: what happens in which order.

A workflow can be replayed from its history after any crash, and goes on where it was.
So it must do the same again: no I/O, no clock, no random numbers here. Those belong in
activities; `workflow.now()`, `workflow.sleep()` and `workflow.random()` are safe.
"""

from datetime import timedelta

from temporalio import workflow

# The sandbox loads this file anew for each workflow; what is harmless passes through.
with workflow.unsafe.imports_passed_through():
    from activities import compose_greeting


@workflow.defn
class GreetingWorkflow:
    """Greet somebody."""

    @workflow.run
    async def run(self, name: str) -> str:
        """Return the greeting; an activity that fails is tried again by itself."""
        return await workflow.execute_activity(
            compose_greeting,
            name,
            start_to_close_timeout=timedelta(seconds=10),
        )
