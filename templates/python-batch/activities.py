"""Activities: everything that touches the outside world."""

import asyncio

from temporalio import activity

from shared import Page

SECONDS_PER_ITEM = 0.01


@activity.defn
async def process_page(page: Page) -> int:
    """Process the items of a page one by one, and return the sum of their results.

    What a heartbeat reports is kept by the server. When the worker dies, the heartbeats
    stop, the next attempt starts on another one, and goes on where they ended.
    """
    item, total = page.first_item, 0
    if details := activity.info().heartbeat_details:
        item, total = details
        activity.logger.info("going on at item %d", item)
    while item < page.end_item:
        total += await _process(item)
        item += 1
        # The SDK sends them a few times a second at most, however often they are made.
        activity.heartbeat(item, total)
    return total


async def _process(item: int) -> int:
    await asyncio.sleep(SECONDS_PER_ITEM)
    return item
