"""The daily loop: from a save to the new code serving, the replay check included."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime

from temporalio.client import Client

from tests.bench.figures import Figure, percentile
from tests.bench.measure import Bench
from tests.dev.dev_process import PYTHON_WORKER, SERVER, replace_in, running_dev, write_project


async def reload(bench: Bench) -> None:
    """Save a small Python worker again and again while some of its workflows are open and some closed."""
    if "dx" not in bench.kinds:
        return
    project = write_project(bench.folder / "reload", SERVER + PYTHON_WORKER)
    runs = bench.sizes.reload_runs
    with running_dev(project) as dev:
        dev.wait_for("orders", "ready")
        client = await Client.connect(dev.address)
        handles = [
            await client.start_workflow("OrderWorkflow", 1, id=f"order-{number}", task_queue="orders")
            for number in range(2 * runs)
        ]
        for handle in handles[runs:]:
            await handle.signal("finish")
            await handle.result()
        latencies = []
        for number in range(bench.sizes.reloads):
            await asyncio.sleep(bench.sizes.reload_pause_seconds)
            old, new = (f"return amount{' + 0' * count}" for count in (number, number + 1))
            saved_s = time.time()
            replace_in(project / "activities.py", f"{old}\n", f"{new}\n")
            ready = await asyncio.to_thread(dev.wait_for, "orders", "ready", is_new_code=True)
            latencies.append(datetime.fromisoformat(ready["time"]).timestamp() - saved_s)
        checked = [line["seconds"] for line in dev.events if line["event"] == "checked"][1:]
    for name, values in (("save to new code serving", latencies), ("replay check", checked)):
        for percent in (50, 99):
            figure = Figure("reload", "file", f"{name}: p{percent}", "ms", "lower")
            bench.figures.record(figure, "dx", 1_000 * percentile(values, percent))
