"""What the sections share: one run of the benchmark, and what a block of work costs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .commands import order_plan
from .driver import connected
from .figures import Figure, Figures, Sizes, percentile
from .servers import Server

MIB = 1024 * 1024


@dataclass
class Bench:
    """One run of the benchmark: what is compared, how much is done, where files go, and what was measured."""

    kinds: Sequence[str]
    sizes: Sizes
    folder: Path
    figures: Figures

    def record(self, section: str, server: Server, name: str, unit: str, value: float, *, higher: bool = False) -> None:
        figure = Figure(section, server.storage, name, unit, "higher" if higher else "lower")
        self.figures.record(figure, server.kind, value)

    def record_calls(
        self, section: str, server: Server, label: str, what: str, latencies: Sequence[float], cost: Cost
    ) -> None:
        """Record throughput, latency and CPU of `what` (a word in the singular) under `label`."""
        count = len(latencies)
        self.record(section, server, f"{label}: {what}s", "/s", count / cost.seconds, higher=True)
        self.record(section, server, f"{label}: p50", "ms", 1_000 * percentile(latencies, 50))
        self.record(section, server, f"{label}: p99", "ms", 1_000 * percentile(latencies, 99))
        self.record(section, server, f"{label}: CPU per {what}", "ms", 1_000 * cost.cpu_seconds / count)


@dataclass
class Cost:
    """What a block of work took: wall time, and CPU time of the server; 0 until it ends."""

    seconds: float = 0
    cpu_seconds: float = 0


@contextmanager
def measured(server: Server) -> Iterator[Cost]:
    """Measure the block."""
    cost = Cost()
    cpu_seconds, started = server.cpu_seconds(), time.perf_counter()
    yield cost
    cost.seconds = time.perf_counter() - started
    cost.cpu_seconds = server.cpu_seconds() - cpu_seconds


async def measure_orders(
    bench: Bench, server: Server, section: str, label: str, concurrency: int, **amount: float
) -> None:
    """Execute order workflows on `server` and record throughput, latency and CPU under `label`."""
    async with connected(server.address) as driver, driver.workers(order_plan(driver.task_queue)):
        with measured(server) as cost:
            latencies = await driver.execute_many(concurrency, **amount)
    bench.record_calls(section, server, label, "workflow", latencies, cost)


async def warm_up(server: Server) -> None:
    async with connected(server.address) as driver, driver.workers(order_plan(driver.task_queue)):
        await driver.execute_many(10, count=20)
