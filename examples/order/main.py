"""Walk through every scenario of the order example: `python main.py`.

It needs a server (`dx server start-dev`) at TEMPORAL_ADDRESS, default localhost:7233. Its workers are processes of
their own, as they would be anywhere: one for each task queue, and one of them does not live long.
"""

# ruff: noqa: T201 (an example talks to its user)
from __future__ import annotations

import asyncio
import sys
import uuid
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from connection import connect
from shared import ORDER_TASK_QUEUE, REPORT_TASK_QUEUE, CancelRequest, OrderInput
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from workflows import DailyReportWorkflow, DatasetWorkflow, OrderWorkflow

WORKER = Path(__file__).with_name("worker.py")
Answer = TypeVar("Answer")
# Makes the workflow ids of one walk its own, so that the example can run again on the same server.
RUN_SUFFIX = uuid.uuid4().hex[:6]


async def start_order(client: Client, name: str, **details: Any) -> WorkflowHandle[OrderWorkflow, str]:
    """Start an order workflow named after its scenario; `details` are fields of OrderInput."""
    order = OrderInput(f"{name}-{RUN_SUFFIX}", "user-123", 99_000, "user@example.com", **details)
    handle = await client.start_workflow(
        OrderWorkflow.run, order, id=f"order-{order.order_id}", task_queue=ORDER_TASK_QUEUE
    )
    print(f"  started {handle.id}")
    return handle


async def completed_order(client: Client) -> None:
    """An order goes through; a query reads its status meanwhile."""
    handle = await start_order(client, "completed")
    print(f"  status now: {await handle.query(OrderWorkflow.get_status)}")
    print(f"  result: {await handle.result()}")
    print(f"  status at the end: {await handle.query(OrderWorkflow.get_status)}")


async def retried_payment(client: Client) -> None:
    """The payment gateway fails once; the server tries again two seconds later."""
    handle = await start_order(client, "retried", card="flaky")
    print(f"  result: {await handle.result()}")


async def declined_payment(client: Client) -> None:
    """A declined card is not retried; the order fails."""
    handle = await start_order(client, "declined", card="declined")
    try:
        await handle.result()
    except WorkflowFailureError as error:
        declined = error.cause.cause  # the workflow failed because its activity failed because of this
        print(f"  failed: {declined.type}: {declined.message}")


async def cancelled_order(client: Client) -> None:
    """A cancel signal arrives while the card is being charged; the money goes back."""
    handle = await start_order(client, "cancelled", cancel_window_seconds=3600)
    status = await poll(lambda: handle.query(OrderWorkflow.get_status), lambda status: status == "charging")
    print(f"  status now: {status}; sending the cancel signal")
    await handle.signal(OrderWorkflow.cancel, CancelRequest(reason="ordered twice"))
    print(f"  result: {await handle.result()}")


async def daily_report(client: Client) -> None:
    """A cron schedule: in a shop `0 9 * * *`, every day at nine; here every second."""
    workflow_id = f"daily-report-{RUN_SUFFIX}"
    handle = await client.start_workflow(
        DailyReportWorkflow.run, id=workflow_id, task_queue=REPORT_TASK_QUEUE, cron_schedule="@every 1s"
    )
    print(f"  started {workflow_id}, a new run every second")
    run_ids = [handle.first_execution_run_id]
    for _ in range(2):
        # The next run is there as soon as this one is closed, and waits for its time.
        next_run_id = await poll(lambda: _current_run_id(client, workflow_id), lambda current: current not in run_ids)
        print(f"  run {run_ids[-1]} wrote report {await _result_of_run(client, workflow_id, run_ids[-1])}")
        run_ids.append(next_run_id)
    await client.get_workflow_handle(workflow_id).terminate("two reports are enough for an example")
    print("  terminated, or it would run forever")


async def dataset_survives_crash(client: Client, kill_worker: Callable[[], Awaitable[None]]) -> None:
    """A long activity loses its worker in the middle, and goes on where its last heartbeat was."""
    workflow_id = f"dataset-{RUN_SUFFIX}"
    handle = await client.start_workflow(
        DatasetWorkflow.run, "clicks-2026", id=workflow_id, task_queue=ORDER_TASK_QUEUE
    )
    print(f"  started {workflow_id}")
    items_done = await poll(lambda: _items_done(client, workflow_id), lambda items_done: items_done >= 10)
    print(f"  last heartbeat: {items_done} items are done")
    await kill_worker()
    summary = await handle.result()
    print(f"  result: {summary.items_total} items; attempt {summary.attempt} resumed at item {summary.resumed_at_item}")


async def _items_done(client: Client, workflow_id: str) -> int:
    """Return what the last heartbeat said: the server keeps its details for the next attempt."""
    pending = (await client.get_workflow_handle(workflow_id).describe()).raw_description.pending_activities
    details = pending[0].heartbeat_details.payloads if pending else []
    return (await client.data_converter.decode(details, [int]))[0] if details else 0


async def _current_run_id(client: Client, workflow_id: str) -> str:
    return (await client.get_workflow_handle(workflow_id).describe()).run_id


async def _result_of_run(client: Client, workflow_id: str, run_id: str) -> int:
    """Return one run's result: `handle.result()` would follow a cron schedule from run to run and never return."""
    history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
    completed = history.events[-1].workflow_execution_completed_event_attributes
    [number] = await client.data_converter.decode(completed.result.payloads, [int])
    return number


async def poll(ask: Callable[[], Awaitable[Answer]], is_wanted: Callable[[Answer], bool]) -> Answer:
    """Ask until the answer is the wanted one, and return it."""
    while True:
        answer = await ask()
        if is_wanted(answer):
            return answer
        await asyncio.sleep(0.05)


async def start_worker(task_queue: str) -> Process:
    """Start `worker.py` for one task queue as a process of its own."""
    return await asyncio.create_subprocess_exec(sys.executable, str(WORKER), "--task-queue", task_queue)


@asynccontextmanager
async def running_workers() -> AsyncIterator[dict[str, Process]]:
    """Run one worker for each task queue; stop whichever is there at the end."""
    workers = {task_queue: await start_worker(task_queue) for task_queue in (ORDER_TASK_QUEUE, REPORT_TASK_QUEUE)}
    try:
        yield workers
    finally:
        for worker in workers.values():
            worker.terminate()
            await worker.wait()


async def run_scenarios(client: Client) -> None:
    """Run one scenario after the other."""
    async with running_workers() as workers:

        async def kill_worker() -> None:
            doomed = workers[REPORT_TASK_QUEUE]
            doomed.kill()
            await doomed.wait()
            print(f"  killed worker {doomed.pid} with SIGKILL, starting another")
            workers[REPORT_TASK_QUEUE] = await start_worker(REPORT_TASK_QUEUE)

        scenarios = [completed_order, retried_payment, declined_payment, cancelled_order, daily_report]
        for number, scenario in enumerate(scenarios, start=1):
            print(f"\n{number}. {scenario.__doc__}")
            await scenario(client)
        print(f"\n{len(scenarios) + 1}. {dataset_survives_crash.__doc__}")
        await dataset_survives_crash(client, kill_worker)
        print("\nAll scenarios are done.")


async def main() -> None:
    """Connect and run."""
    await run_scenarios(await connect())


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # so that the workers' lines stand where they belong
    asyncio.run(main())
