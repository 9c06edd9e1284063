"""A batch of any length: a child for each page, and a new run now and then.

A workflow can be replayed from its history after any crash, and goes on where it was.
So it must do the same again: no I/O, no clock, no random numbers here. Those belong in
activities; `workflow.now()`, `workflow.sleep()` and `workflow.random()` are safe.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

from temporalio import workflow

# The sandbox loads this file anew for each workflow; what is harmless passes through.
with workflow.unsafe.imports_passed_through():
    from activities import process_page
    from shared import Batch, Page


@workflow.defn
class BatchWorkflow:
    """Process all items, a few pages at once, and go on as a new run after a while."""

    @workflow.init
    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    @workflow.query
    def get_progress(self) -> str:
        """Say how far it is. A query must not change anything."""
        return f"{self._batch.next_item} of {self._batch.items} items"

    @workflow.run
    async def run(self, batch: Batch) -> int:
        """Return the sum over all items.

        A history must not grow for ever (the server ends a workflow at 51,200 events).
        So after some rounds this run ends, and a new one with the same id and an empty
        history takes over, with all that it needs to know in its argument.
        """
        for _ in range(batch.rounds_per_run):
            pages = self._next_pages()
            if not pages:
                return self._batch.sum
            # Each child is a workflow of its own, with its own history. Its id tells
            # what it does, and keeps it from being started twice.
            sums = await asyncio.gather(
                *(
                    workflow.execute_child_workflow(
                        PageWorkflow.run,
                        page,
                        id=f"{workflow.info().workflow_id}/items-{page.first_item}",
                    )
                    for page in pages
                )
            )
            self._batch = replace(
                self._batch,
                next_item=pages[-1].end_item,
                sum=self._batch.sum + sum(sums),
            )
        workflow.continue_as_new(self._batch)

    def _next_pages(self) -> list[Page]:
        batch = self._batch
        firsts = range(batch.next_item, batch.items, batch.items_per_page)
        return [
            Page(first, min(first + batch.items_per_page, batch.items))
            for first in firsts[: batch.pages_at_once]
        ]


@workflow.defn
class PageWorkflow:
    """Process one page."""

    @workflow.run
    async def run(self, page: Page) -> int:
        """Return the sum over the page's items.

        Without the heartbeat, the server would notice only after ten minutes that the
        worker is gone.
        """
        return await workflow.execute_activity(
            process_page,
            page,
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=timedelta(seconds=5),
        )
