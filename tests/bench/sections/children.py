"""One parent with very many children."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid

from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueResponse

from tests.bench.commands import Decision, Plan, child_command, complete_command, counting_plan
from tests.bench.driver import connected
from tests.bench.measure import Bench, Cost, measured
from tests.bench.servers import Server, launched

PROBE_INTERVAL_SECONDS = 0.02


async def children(bench: Bench) -> None:
    """All children started by one workflow task, each completed by its first: what one costs, and who has to wait.

    A second parent shows the wait, so that the client that looks for it is not in the cost.
    """
    with launched(bench.kinds, ["file"], bench.folder) as servers:
        for server in servers:
            count = bench.sizes.children[server.kind]
            cost = await _execute_parent(server, count)
            bench.record("children", server, "each of many children", "ms", 1_000 * cost.seconds / count)
            bench.record("children", server, "CPU per child", "ms", 1_000 * cost.cpu_seconds / count)
            stop = threading.Event()
            waiting = asyncio.create_task(asyncio.to_thread(_watch, server, stop))
            await _execute_parent(server, count)
            stop.set()
            bench.record(
                "children", server, "many children: longest start of another workflow", "ms", 1_000 * await waiting
            )


async def _execute_parent(server: Server, count: int) -> Cost:
    async with connected(server.address) as driver, driver.workers(family_plan(count), sticky=True):
        with measured(server) as cost:
            await driver.execute_workflow(driver.connections[0], "parent")
    return cost


def family_plan(count: int) -> Plan:
    """Return the plan of a parent that starts all its children at once, and of its children."""
    prefix = uuid.uuid4().hex[:8]
    parent = counting_plan(
        EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
        count,
        [child_command(f"{prefix}-{number}", "child") for number in range(count)],
    )

    def decide(task: PollWorkflowTaskQueueResponse) -> Decision:
        return parent(task) if task.workflow_type.name == "parent" else [complete_command()]

    return decide


def _watch(server: Server, stop: threading.Event) -> float:
    """Start a workflow that nobody works on every now and then; return the longest that a start took, in seconds.

    In a thread of its own, so that it does not wait for the workers here.
    """

    async def start_now_and_then() -> float:
        longest = 0.0
        async with connected(server.address, 1) as driver:
            while not stop.is_set():
                started = time.perf_counter()
                await driver.start_workflow(driver.connections[0])
                longest = max(longest, time.perf_counter() - started)
                await asyncio.sleep(PROBE_INTERVAL_SECONDS)
        return longest

    return asyncio.run(start_now_and_then())
