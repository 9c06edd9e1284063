"""What clients send to open runs: signals and updates."""

from __future__ import annotations

from functools import partial
from itertools import cycle

from temporalio.api.enums.v1 import EventType

from tests.bench.commands import answer_updates, counting_plan
from tests.bench.driver import connected
from tests.bench.http2 import Connection
from tests.bench.measure import Bench, measured
from tests.bench.servers import Server, launched

SIGNALLERS = 20
UPDATES_IN_FLIGHT = 10
UPDATED_RUNS = 20


async def signals(bench: Bench) -> None:
    """Signals to one open run whose worker answers the workflow tasks that they cause."""
    with launched(bench.kinds, ["file"], bench.folder) as servers:
        for server in servers:
            count = bench.sizes.signals[server.kind]
            plan = counting_plan(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, count)
            async with connected(server.address) as driver, driver.workers(plan, sticky=True):
                execution = await driver.start_workflow(driver.connections[0])
                with measured(server) as cost:
                    latencies = await driver.repeat(
                        partial(driver.signal, execution=execution), SIGNALLERS, count=count
                    )
                await driver.wait_for_close(driver.connections[0], execution)
            bench.record_calls("signals", server, f"{SIGNALLERS} signals at a time", "signal", latencies, cost)


async def updates(bench: Bench) -> None:
    """Updates, each accepted and completed by one workflow task: one at a time, many to one run, to several runs."""
    with launched(bench.kinds, ["file"], bench.folder) as servers:
        for server in servers:
            for label, runs, concurrency in (
                ("1 update at a time", 1, 1),
                (f"{UPDATES_IN_FLIGHT} updates at a time to one run", 1, UPDATES_IN_FLIGHT),
                (f"{UPDATED_RUNS} updates at a time to {UPDATED_RUNS} runs", UPDATED_RUNS, UPDATED_RUNS),
            ):
                await _measure_updates(bench, server, label, runs, concurrency)


async def _measure_updates(bench: Bench, server: Server, label: str, runs: int, concurrency: int) -> None:
    async with connected(server.address) as driver, driver.workers(answer_updates, sticky=True):
        connection = driver.connections[0]
        executions = [await driver.start_workflow(connection) for _ in range(runs)]
        for execution in executions:
            await driver.update(connection, execution)  # from here on the worker knows the run
        turns = cycle(executions)

        async def update(connection: Connection) -> None:
            await driver.update(connection, next(turns))

        with measured(server) as cost:
            latencies = await driver.repeat(update, concurrency, count=bench.sizes.updates[server.kind])
    bench.record_calls("updates", server, label, "update", latencies, cost)
