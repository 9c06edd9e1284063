"""A client: place an order, look at it, wait for its end. `python place_order.py`"""

import asyncio
import tomllib
import uuid
from pathlib import Path

from temporalio.client import Client
from temporalio.envconfig import ClientConfig

from shared import Order
from workflows import OrderWorkflow

PROJECT = tomllib.loads(Path(__file__).with_name("dx.toml").read_text())


async def main() -> None:
    """Connect to TEMPORAL_ADDRESS, or to the local server."""
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    client = await Client.connect(**config)

    # The id says what it is about. Only one workflow with an id can run at a time.
    order = Order(uuid.uuid4().hex[:6], "user-123", 99_000, "user@example.com")
    handle = await client.start_workflow(
        OrderWorkflow.run,
        order,
        id=f"order-{order.order_id}",
        task_queue=PROJECT["worker"]["orders"]["task_queue"],
    )
    print(f"started {handle.id}")
    print(f"status: {await handle.query(OrderWorkflow.get_status)}")
    print(f"result: {await handle.result()}")
    # A Python that exits in the moment of the SDK's answer can crash in its threads.
    await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(main())
