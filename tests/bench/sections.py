"""What is measured, one function per section; each starts the servers that it needs."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueResponse

from .driver import activity_command, complete_command, connected, count_events, order_plan, timer_command
from .figures import Figure, Figures, Sizes, percentile
from .servers import Server, launch, launched, seconds_to_ready

MIB = 1024 * 1024
TIMER_MILLISECONDS = 100
PARALLEL_ACTIVITIES = 50


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


async def measure_orders(
    bench: Bench, server: Server, section: str, label: str, concurrency: int, **amount: float
) -> None:
    """Execute order workflows on `server` and record throughput, latency and CPU under `label`."""
    async with connected(server.address) as driver, driver.workers(order_plan(driver.task_queue)):
        cpu_seconds, started = server.cpu_seconds(), time.perf_counter()
        latencies = await driver.execute_many(concurrency, **amount)
        elapsed_seconds = time.perf_counter() - started
        cpu_seconds = server.cpu_seconds() - cpu_seconds
    bench.record(section, server, f"{label}: workflows", "/s", len(latencies) / elapsed_seconds, higher=True)
    bench.record(section, server, f"{label}: p50", "ms", 1_000 * percentile(latencies, 50))
    bench.record(section, server, f"{label}: p99", "ms", 1_000 * percentile(latencies, 99))
    bench.record(section, server, f"{label}: CPU per workflow", "ms", 1_000 * cpu_seconds / len(latencies))


async def warm_up(server: Server) -> None:
    async with connected(server.address) as driver, driver.workers(order_plan(driver.task_queue)):
        await driver.execute_many(10, count=20)


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
                cpu_seconds = server.cpu_seconds()
                await asyncio.sleep(bench.sizes.idle_seconds)
                cpu_seconds = server.cpu_seconds() - cpu_seconds
            bench.record(
                "idle", server, "CPU with 20 waiting pollers", "%", 100 * cpu_seconds / bench.sizes.idle_seconds
            )


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


async def long_run(bench: Bench) -> None:
    """One run with very many activities: what the first ones and the last ones cost."""
    with launched(bench.kinds, ["file"], bench.folder) as servers:
        for server in servers:
            total, window = bench.sizes.run_activities[server.kind], bench.sizes.run_window
            samples = [(time.perf_counter(), server.cpu_seconds())]

            def completed(server: Server = server, samples: list[tuple[float, float]] = samples) -> None:
                samples.append((time.perf_counter(), server.cpu_seconds()))

            async with (
                connected(server.address) as driver,
                driver.workers(
                    parallel_plan(driver.task_queue, total, PARALLEL_ACTIVITIES), sticky=True, completed=completed
                ),
            ):
                await driver.execute_many(1, count=1)
            for label, first, last in (("first", 0, window), ("last", total - window, total)):
                label = f"{label} {window:,} activities"
                elapsed_seconds = samples[last][0] - samples[first][0]
                cpu_seconds = samples[last][1] - samples[first][1]
                bench.record("long run", server, f"{label}: each", "ms", 1_000 * elapsed_seconds / window)
                bench.record("long run", server, f"{label}: CPU each", "ms", 1_000 * cpu_seconds / window)


async def sequence(bench: Bench) -> None:
    """One run whose activities follow one another, each decided by a workflow task of its own."""
    with launched(bench.kinds, ["file"], bench.folder) as servers:
        for server in servers:
            total = bench.sizes.sequence_activities[server.kind]
            async with (
                connected(server.address) as driver,
                driver.workers(parallel_plan(driver.task_queue, total, 1), pollers=2, sticky=True),
            ):
                cpu_seconds = server.cpu_seconds()
                (elapsed_seconds,) = await driver.execute_many(1, count=1)
                cpu_seconds = server.cpu_seconds() - cpu_seconds
            bench.record("sequence", server, "each activity of a sequence", "ms", 1_000 * elapsed_seconds / total)
            bench.record("sequence", server, "CPU each", "ms", 1_000 * cpu_seconds / total)


def parallel_plan(
    task_queue: str, total: int, parallel: int
) -> Callable[[PollWorkflowTaskQueueResponse], Sequence[Command]]:
    """Return the plan of a run of `total` activities, `parallel` at a time; each task brings only new events."""
    scheduled: dict[str, int] = defaultdict(int)
    closed: dict[str, int] = defaultdict(int)

    def decide(task: PollWorkflowTaskQueueResponse) -> Sequence[Command]:
        run_id = task.workflow_execution.run_id
        if scheduled[run_id] and task.previous_started_event_id == 0:
            raise RuntimeError(f"run {run_id} came again from its start")
        closed[run_id] += count_events(task, EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
        if closed[run_id] == total:
            return [complete_command()]
        first = scheduled[run_id]
        scheduled[run_id] = min(total, closed[run_id] + parallel)
        return [activity_command(str(number), task_queue) for number in range(first, scheduled[run_id])]

    return decide


async def timer(bench: Bench) -> None:
    """How late a timer's workflow task reaches the worker, ten timers at a time."""
    with launched(bench.kinds, ["file"], bench.folder) as servers:
        for server in servers:
            started: dict[str, float] = {}
            lateness: list[float] = []

            def decide(
                task: PollWorkflowTaskQueueResponse,
                started: dict[str, float] = started,
                lateness: list[float] = lateness,
            ) -> Sequence[Command]:
                run_id = task.workflow_execution.run_id
                if count_events(task, EventType.EVENT_TYPE_TIMER_FIRED):
                    lateness.append(1_000 * (time.perf_counter() - started[run_id]) - TIMER_MILLISECONDS)
                    return [complete_command()]
                started[run_id] = time.perf_counter()
                return [timer_command("1", TIMER_MILLISECONDS)]

            async with connected(server.address) as driver, driver.workers(decide):
                await driver.execute_many(10, count=bench.sizes.timers)
            bench.record("timer", server, "100 ms timer, late by: p50", "ms", percentile(lateness, 50))
            bench.record("timer", server, "100 ms timer, late by: p99", "ms", percentile(lateness, 99))


SECTIONS: dict[str, Callable[[Bench], Awaitable[None]]] = {
    "throughput": throughput,
    "footprint": footprint,
    "ready": ready,
    "idle": idle,
    "growth": growth,
    "long-run": long_run,
    "sequence": sequence,
    "timer": timer,
}
