"""Shoot the browser for the README, from real runs: `make pictures`.

A server and a worker are started, orders are placed, and `dx tui` looks at them, in dark and in light.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from textual import constants
from textual.pilot import Pilot

from durable_cli.options import ConnectionOptions, GlobalOptions
from durable_cli.tui.app import BrowserApp
from durable_cli.tui.widgets.top_bar import TopBar

FOLDER = Path(__file__).parent
SIZE = (112, 30)
THEMES = {"dark": "dx-dark", "light": "dx-light"}
PATIENCE_SECONDS = 60.0
SOON = timedelta(seconds=10)
ORDER = {"customer": "Mara", "items": [{"sku": "mug", "count": 2}, {"sku": "poster", "count": 1}], "total": 55}

Shot = Callable[[Pilot[None]], Awaitable[None]]


@activity.defn
async def reserve_stock(order: dict[str, Any]) -> dict[str, Any]:
    """Reserve what was ordered."""
    await asyncio.sleep(1.5)
    return {"warehouse": "Basel", "reserved": len(order["items"])}


@activity.defn
async def charge_payment(amount: int) -> dict[str, Any]:
    """Charge the card, at the third attempt."""
    await asyncio.sleep(0.6)
    if amount > 500:
        raise ApplicationError("the bank declined the card", {"code": 51}, type="Declined", non_retryable=True)
    if activity.info().attempt < 3:
        raise ApplicationError("gateway eu-1 answers 503", type="GatewayError")
    return {"receipt": "r-88213", "amount": amount}


@activity.defn
async def notify_customer(customer: str) -> None:
    """Fail, again and again."""
    raise ApplicationError("mail server answers 421", type="MailError")


@activity.defn
async def pack_parcel(number: int) -> str:
    """Pack one parcel."""
    await asyncio.sleep(1 + number)
    return f"parcel {number} is packed"


@workflow.defn
class ShippingWorkflow:
    """Waits for the van."""

    @workflow.run
    async def run(self, city: str) -> None:
        """Wait."""
        await workflow.sleep(timedelta(hours=1))


@workflow.defn
class OrderWorkflow:
    """Does some of everything that a picture can show."""

    def __init__(self) -> None:
        self._notes: list[str] = []

    @workflow.run
    async def run(self, order: dict[str, Any]) -> None:
        """Take an order, until it waits for ever."""
        await workflow.execute_activity(reserve_stock, order, start_to_close_timeout=SOON)
        try:
            await workflow.execute_activity(charge_payment, order["total"], start_to_close_timeout=SOON)
        except Exception as error:
            raise ApplicationError("the order can't be paid", type="OrderRefused") from error
        await asyncio.gather(
            *(workflow.execute_activity(pack_parcel, number, start_to_close_timeout=SOON) for number in (1, 2))
        )
        await workflow.start_child_workflow(ShippingWorkflow.run, "Basel", id=f"{workflow.info().workflow_id}-shipping")
        workflow.start_activity(
            notify_customer,
            order["customer"],
            retry_policy=RetryPolicy(backoff_coefficient=1.4),
            start_to_close_timeout=SOON,
        )
        await workflow.sleep(timedelta(seconds=20), summary="delivery window")
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def add_note(self, note: str) -> None:
        """Keep a note."""
        self._notes.append(note)

    @workflow.update
    async def change_address(self, city: str) -> str:
        """Let it go elsewhere."""
        await workflow.sleep(timedelta(seconds=1.5))
        return f"it goes to {city}"


@workflow.defn
class ReportWorkflow:
    """Is soon done."""

    @workflow.run
    async def run(self, day: str) -> dict[str, int]:
        """Count the orders of a day."""
        await workflow.sleep(timedelta(seconds=1))
        return {"orders": 417}


async def place_orders(client: Client) -> None:
    """Let there be something to look at."""
    for day in range(20, 26):
        await client.start_workflow(ReportWorkflow.run, f"2026-11-{day}", id=f"daily-report-{day}", task_queue="orders")
    for number, total in ((412, 80), (413, 910), (414, 31), (415, 12)):
        await client.start_workflow(
            OrderWorkflow.run, ORDER | {"total": total}, id=f"order-{number}", task_queue="orders"
        )
    await client.get_workflow_handle("order-412").cancel()
    await asyncio.sleep(1)
    await client.get_workflow_handle("order-414").terminate(reason="a duplicate")
    await client.start_workflow(
        ReportWorkflow.run, "2026-11-26", id="daily-report-26", task_queue="nobody", run_timeout=timedelta(seconds=1)
    )
    handle = await client.start_workflow(OrderWorkflow.run, ORDER, id="order-417", task_queue="orders")
    await asyncio.sleep(8)
    await handle.signal(OrderWorkflow.add_note, "ring twice")
    await asyncio.sleep(2)
    await handle.execute_update(OrderWorkflow.change_address, "Zürich")
    await asyncio.sleep(4)


async def shoot(name: str, address: str, workflow_id: str, shot: Shot) -> None:
    """Make a picture of the browser in each theme."""
    for suffix, theme in THEMES.items():
        app = BrowserApp(
            GlobalOptions(disable_config_env=True), ConnectionOptions(address=address), workflow_id=workflow_id
        )
        app.theme = theme
        async with app.run_test(size=SIZE) as pilot:
            await asyncio.sleep(1.5)
            app.link.address = "localhost:7233"
            await shot(pilot)
            app.screen.query_one(TopBar).update_bar()
            await asyncio.sleep(1)
            picture = without_this_path(app.export_screenshot(title=f"dx tui: {name}"))
            (FOLDER / f"browser-{name}-{suffix}.svg").write_text(picture, encoding="utf-8")


def without_this_path(picture: str) -> str:
    """Let stack traces name a file of the shop; its line is not stretched to the length of ours."""
    return re.sub(rf'(?: textLength="[\d.]+")?>([^<>]*){re.escape(__file__)}', r">\1/srv/shop/orders.py", picture)


def press(*keys: str) -> Shot:
    """Make the shot after some keys."""

    async def shot(pilot: Pilot[None]) -> None:
        await pilot.press(*keys)

    return shot


async def play(address: str) -> None:
    """Run orders, and shoot."""
    client = await connect(address)
    async with Worker(
        client,
        task_queue="orders",
        workflows=[OrderWorkflow, ShippingWorkflow, ReportWorkflow],
        activities=[reserve_stock, charge_payment, notify_customer, pack_parcel],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        await place_orders(client)
        await shoot("list", address, "", press())
        await shoot("timeline", address, "order-417", press("down", "down"))
        await shoot("failure", address, "order-413", press("3"))
        await shoot("history", address, "order-417", press("2", "down", "down", "enter"))
        await shoot("travel", address, "order-417", press("8", *["["] * 12))


async def connect(address: str) -> Client:
    """Connect once the server answers."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await Client.connect(address)
        except RuntimeError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.2)


def main() -> None:
    """Start a server, play, end it."""
    with socket.socket() as probe, suppress(KeyboardInterrupt), tempfile.TemporaryDirectory() as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        os.environ["XDG_CONFIG_HOME"] = folder
        constants.COLOR_SYSTEM = "truecolor"  # type: ignore[misc]
        words = [sys.executable, "-m", "durable_cli", "server", "start-dev", "--headless", "--port", str(port)]
        server = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        try:
            asyncio.run(play(f"127.0.0.1:{port}"))
        finally:
            server.terminate()
            server.wait(timeout=20)


if __name__ == "__main__":
    main()
