"""One run that does very much: activities side by side and in sequence, very many events, timers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    ResetStickyTaskQueueRequest,
)

from tests.bench.commands import (
    Decision,
    Plan,
    SeenEvents,
    activity_command,
    complete_command,
    count_events,
    timer_command,
)
from tests.bench.driver import IDENTITY, NAMESPACE, Driver, connected, poll_workflow_task
from tests.bench.figures import percentile
from tests.bench.measure import MIB, Bench, Cost, measured
from tests.bench.servers import Server, launched

SCHEDULED, COMPLETED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
TIMER_MILLISECONDS = 100
PARALLEL_ACTIVITIES = 50


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
                with measured(server) as cost:
                    await driver.execute_many(1, count=1)
            bench.record("sequence", server, "each activity of a sequence", "ms", 1_000 * cost.seconds / total)
            bench.record("sequence", server, "CPU each", "ms", 1_000 * cost.cpu_seconds / total)


def parallel_plan(task_queue: str, total: int, parallel: int) -> Plan:
    """Return the plan of runs of `total` activities, `parallel` at a time."""
    seen = SeenEvents()

    def decide(task: PollWorkflowTaskQueueResponse) -> Decision:
        counts = seen.add(task)
        closed, scheduled = counts[COMPLETED], counts[SCHEDULED]
        if closed == total:
            return [complete_command()]
        return [activity_command(str(number), task_queue) for number in range(scheduled, min(total, closed + parallel))]

    return decide


async def events(bench: Bench) -> None:
    """One run of very many events: what the first and the last tenth cost, what it takes in memory, and its replay."""
    with launched(bench.kinds, ["file"], bench.folder) as servers:
        for server in servers:
            total = bench.sizes.run_events[server.kind]
            samples = [(0, Cost())]
            bench.record("events", server, "RSS before many events", "MiB", server.rss_bytes() / MIB)
            async with connected(server.address) as driver:
                execution = await grow(driver, server, total, samples)
            bench.record("events", server, "RSS after many events", "MiB", server.rss_bytes() / MIB)
            for label, first, last in (("first", 0, total // 10), ("last", total - total // 10, total)):
                label = f"{label} tenth of many events"
                count, cost = _between(samples, first, last)
                bench.record("events", server, f"{label}: each", "ms", 1_000 * cost.seconds / count)
                bench.record("events", server, f"{label}: CPU each", "ms", 1_000 * cost.cpu_seconds / count)
            with measured(server) as cost:
                seconds = await _fetch_from_start(server, driver.task_queue, execution)
            bench.record("events", server, "poll with the whole history of many events", "ms", 1_000 * seconds)
            bench.record("events", server, "CPU of that poll", "ms", 1_000 * cost.cpu_seconds)


async def grow(driver: Driver, server: Server, total: int, samples: list[tuple[int, Cost]]) -> WorkflowExecution:
    """Let a run execute activities until it has `total` events and leave it open; note the cost up to each task."""
    grown = asyncio.Event()
    cpu_seconds, started = server.cpu_seconds(), time.perf_counter()

    def note(event_id: int) -> None:
        samples.append((event_id, Cost(time.perf_counter() - started, server.cpu_seconds() - cpu_seconds)))

    async with driver.workers(growing_plan(driver.task_queue, total, note, grown.set), sticky=True):
        execution = await driver.start_workflow(driver.connections[0])
        await grown.wait()
    return execution


def growing_plan(task_queue: str, total: int, note: Callable[[int], None], grown: Callable[[], None]) -> Plan:
    """Return the plan of one run that executes activities until it has `total` events, and then rests.

    `note` gets the id of each task's last event.
    """
    seen = SeenEvents()

    def decide(task: PollWorkflowTaskQueueResponse) -> Decision:
        note(task.started_event_id)
        counts = seen.add(task)
        closed, scheduled = counts[COMPLETED], counts[SCHEDULED]
        if task.started_event_id < total:
            return [
                activity_command(str(number), task_queue) for number in range(scheduled, closed + PARALLEL_ACTIVITIES)
            ]
        if closed == scheduled:
            grown()
        return []

    return decide


def _between(samples: list[tuple[int, Cost]], first: int, last: int) -> tuple[int, Cost]:
    """Return (count, cost) of the events from the last sample up to `first` to the first one from `last` on."""
    first_id, before = next(sample for sample in reversed(samples) if sample[0] <= first)
    last_id, after = next(sample for sample in samples if sample[0] >= last)
    return last_id - first_id, Cost(after.seconds - before.seconds, after.cpu_seconds - before.cpu_seconds)


async def _fetch_from_start(server: Server, task_queue: str, execution: WorkflowExecution) -> float:
    """Return the seconds in which a worker that does not know the run gets a workflow task with all pages of events."""
    await asyncio.sleep(1)  # until the server knows that the worker before is gone
    async with connected(server.address, 1) as driver:
        driver.task_queue = task_queue
        (connection,) = driver.connections
        reset = ResetStickyTaskQueueRequest(namespace=NAMESPACE, execution=execution)
        await connection.call("ResetStickyTaskQueue", reset)
        await driver.signal(connection, execution)
        request = PollWorkflowTaskQueueRequest(
            namespace=NAMESPACE, task_queue=TaskQueue(name=task_queue), identity=IDENTITY
        )
        started = time.perf_counter()
        task = await poll_workflow_task(connection, request)
        seconds = time.perf_counter() - started
    if task.attempt != 1 or len(task.history.events) != task.started_event_id:
        raise RuntimeError(f"attempt {task.attempt} with {len(task.history.events)} of {task.started_event_id} events")
    return seconds


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
            ) -> Decision:
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
