"""The history browser: its first paint, what a key takes, its memory, and what it costs while events arrive."""

from __future__ import annotations

import asyncio
import time

from temporalio.api.common.v1 import WorkflowExecution

from tests.bench.browser_process import BrowserProcess, browser_process
from tests.bench.driver import Driver, connected
from tests.bench.figures import Figure, percentile
from tests.bench.measure import MIB, Bench
from tests.bench.sections.one_run import grow
from tests.bench.servers import Server, launched

PAGE_RUNS = 100
DOWN, PAGE_DOWN, END, HOME = "\x1b[B", "\x1b[6~", "\x1b[F", "\x1b[H"


async def browser(bench: Bench) -> None:
    """Browse a server with very many runs, one of which has very many events."""
    if "dx" not in bench.kinds:
        return
    with launched(["dx"], ["file"], bench.folder) as (server,):
        async with connected(server.address) as driver:
            execution = await grow(driver, server, bench.sizes.run_events["dx"], [])
            await driver.repeat(driver.start_workflow, 20, count=bench.sizes.browser_runs)
            newest = await driver.start_workflow(driver.connections[0])
            for _ in range(bench.sizes.browser_starts):
                await asyncio.to_thread(_first_paint, bench, server, newest.workflow_id)
            await asyncio.to_thread(_browse_list, bench, server, newest.workflow_id)
            await asyncio.to_thread(_browse_run, bench, server, execution)
            await _arriving(bench, server, driver)


def _record(bench: Bench, name: str, unit: str, value: float) -> None:
    bench.figures.record(Figure("browser", "file", name, unit, "lower"), "dx", value)


def _first_paint(bench: Bench, server: Server, text: str) -> None:
    with browser_process(server.address) as process:
        _record(bench, "first paint", "ms", 1_000 * (process.wait_for("workflows") - process.started))
        _record(bench, "first paint with runs", "ms", 1_000 * (process.wait_for(text[:8]) - process.started))


def _press_many(bench: Bench, process: BrowserProcess, where: str, keys: dict[str, tuple[str, ...]]) -> None:
    for name, turns in keys.items():
        seconds = []
        for number in range(bench.sizes.browser_keys):
            seconds.append(process.press(turns[number % len(turns)]))
            process.settle(0.05)
        for percent in (50, 95):
            _record(bench, f"{where}: {name}: p{percent}", "ms", 1_000 * percentile(seconds, percent))


def _browse_list(bench: Bench, server: Server, text: str) -> None:
    with browser_process(server.address) as process:
        process.wait_for(text[:8])
        process.settle(1)
        for _ in range(bench.sizes.browser_runs // PAGE_RUNS):  # each end is the end of a page, until all are read
            process.press(END)
            process.settle(0.02)
        keys = {"to an end": (END, HOME), "down": (DOWN,), "page down": (PAGE_DOWN,)}
        _press_many(bench, process, "list of many runs", keys)
        _record(bench, "list of many runs: RSS", "MiB", process.rss_bytes() / MIB)


def _browse_run(bench: Bench, server: Server, execution: WorkflowExecution) -> None:
    arguments = ("--workflow-id", execution.workflow_id, "--run-id", execution.run_id)
    with browser_process(server.address, *arguments) as process:
        process.wait_for(execution.workflow_id[:8])
        used = -1.0
        while process.cpu_seconds() - used > 0.2:  # until all is read
            used = process.cpu_seconds()
            process.settle(1)
        _record(bench, "run of many events: all read after", "s", time.perf_counter() - process.started)
        keys = {"down": (DOWN,), "page down": (PAGE_DOWN,), "to an end": (END, HOME)}
        for key, view in (("1", "timeline"), ("2", "history")):
            process.press(key)
            process.settle(0.5)
            _press_many(bench, process, f"{view} of many events", keys)
        _press_many(bench, process, "run of many events", {"another view": ("1", "2")})
        _record(bench, "run of many events: RSS", "MiB", process.rss_bytes() / MIB)


async def _arriving(bench: Bench, server: Server, driver: Driver) -> None:
    """Look at the list, and at a run, while that run gets signals."""
    execution = await driver.start_workflow(driver.connections[0])

    async def keep_signaling() -> None:
        while True:
            await asyncio.gather(driver.signal(driver.connections[0], execution), asyncio.sleep(0.01))

    signaling = asyncio.create_task(keep_signaling())
    try:
        run = ("--workflow-id", execution.workflow_id, "--run-id", execution.run_id)
        for name, arguments in (("list", ()), ("run", run)):
            await asyncio.to_thread(_watch, bench, server, execution, name, arguments)
    finally:
        signaling.cancel()


def _watch(bench: Bench, server: Server, execution: WorkflowExecution, name: str, arguments: tuple[str, ...]) -> None:
    with browser_process(server.address, *arguments) as process:
        process.wait_for(execution.workflow_id[:8])
        # A young run's time axis changes its scale every few seconds.
        process.settle(bench.sizes.browser_settle_seconds)
        used, started = process.cpu_seconds(), time.perf_counter()
        process.settle(bench.sizes.idle_seconds)
        share = (process.cpu_seconds() - used) / (time.perf_counter() - started)
        _record(bench, f"{name} while 100 events a second arrive: CPU", "%", 100 * share)
