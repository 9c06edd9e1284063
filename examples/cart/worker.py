"""Run a worker: `python worker.py`."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from activities import charge_card, look_up_price
from shared import TASK_QUEUE
from temporalio import activity
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.worker import Worker
from workflows import CartWorkflow


async def main() -> None:
    """Work until Ctrl-C."""
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    client = await Client.connect(**config)
    worker = Worker(client, task_queue=TASK_QUEUE, workflows=[CartWorkflow], activities=[look_up_price, charge_card])
    logging.info("polling %s on %s", TASK_QUEUE, config["target_host"])
    await worker.run()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    activity.logger.activity_info_on_message = False
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
