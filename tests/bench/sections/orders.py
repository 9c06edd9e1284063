"""Many runs of the order workflow: throughput, footprint, readiness, growth of the file."""

from __future__ import annotations

import asyncio

from tests.bench.commands import order_plan
from tests.bench.driver import connected
from tests.bench.figures import Figure
from tests.bench.measure import MIB, Bench, measure_orders, measured, warm_up
from tests.bench.servers import launch, launched, seconds_to_ready


async def throughput(bench: Bench) -> None:
    """Order workflows for some seconds, by storage and concurrency, the servers taking turns."""
    with launched(bench.kinds, bench.sizes.storages, bench.folder) as servers:
        for server in servers:
            await warm_up(server)
        for _ in range(bench.sizes.rounds):
            for concurrency in bench.sizes.concurrencies:
                for server in servers:
                    label = f"{concurrency} at a time"
                    await measure_orders(bench, server, "throughput", label, concurrency, seconds=bench.sizes.seconds)


async def ready(bench: Bench) -> None:
    """Process start to the first answered GetSystemInfo."""
    for _ in range(bench.sizes.ready_starts):
        for storage in ("memory", "file"):
            for kind in bench.kinds:
                seconds = await seconds_to_ready(kind, storage, bench.folder)
                bench.figures.record(
                    Figure("ready", storage, "process start to first answer", "s", "lower"), kind, seconds
                )


async def idle(bench: Bench) -> None:
    """CPU of a server on which only pollers wait."""
    with launched(bench.kinds, ["file"], bench.folder) as servers:
        for server in servers:
            async with connected(server.address) as driver, driver.workers(order_plan(driver.task_queue)):
                await asyncio.sleep(1)
                with measured(server) as cost:
                    await asyncio.sleep(bench.sizes.idle_seconds)
            bench.record("idle", server, "CPU with 20 waiting pollers", "%", 100 * cost.cpu_seconds / cost.seconds)


async def footprint(bench: Bench) -> None:
    """Memory at the start and after workflows, and what a workflow takes on disk."""
    count = bench.sizes.memory_workflows
    for storage in ("memory", "file"):
        for kind in bench.kinds:
            empty_bytes = 0
            server = launch(kind, storage, bench.folder)
            if server.db_filename is not None:
                empty_bytes = server.stop_and_measure_file_bytes()
                server = launch(kind, storage, bench.folder, server.db_filename)
            try:
                await asyncio.sleep(0.5)
                bench.record("footprint", server, "RSS at start", "MiB", server.rss_bytes() / MIB)
                async with connected(server.address) as driver, driver.workers(order_plan(driver.task_queue)):
                    await driver.execute_many(20, count=count)
                bench.record("footprint", server, f"RSS after {count:,} workflows", "MiB", server.rss_bytes() / MIB)
                if server.db_filename is not None:
                    file_bytes = server.stop_and_measure_file_bytes() - empty_bytes
                    bench.record("footprint", server, "disk per workflow", "bytes", file_bytes / count)
            finally:
                server.end()


async def growth(bench: Bench) -> None:
    """Throughput and CPU at several sizes of one file."""
    with launched(bench.kinds, ["file"], bench.folder) as servers:
        for server in servers:
            await warm_up(server)
            done = 0
            for point in bench.sizes.growth[server.kind]:
                window = min(bench.sizes.growth_window, point)
                async with connected(server.address) as driver, driver.workers(order_plan(driver.task_queue)):
                    await driver.execute_many(20, count=point - window - done)
                await measure_orders(bench, server, "growth", f"up to {point:,}", 20, count=window)
                done = point
