"""What workers tell the server about themselves."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    RecordWorkerHeartbeatRequest,
    ShutdownWorkerRequest,
)

from tests.differential.raw_worker import complete_workflow
from tests.differential.scenario import scenario
from tests.differential.world import World


@workflow.defn
class WaitsForSignals:
    def __init__(self) -> None:
        self.signals: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: len(self.signals) == 2)
        return self.signals

    @workflow.signal
    def add(self, word: str) -> None:
        self.signals.append(word)


@scenario()
async def sdk_replaced(world: World) -> None:
    """An SDK worker stops and another one replays the workflow and carries on, without waiting for a timeout."""
    handle = await world.client.start_workflow(WaitsForSignals.run, id=world.workflow_id(), task_queue=world.task_queue)
    async with world.worker([WaitsForSignals], identity="first-worker"):
        await world.wait_for_events(4)
        await handle.signal(WaitsForSignals.add, "one")
        await world.wait_for_events(8)
    await handle.signal(WaitsForSignals.add, "two")
    async with world.worker([WaitsForSignals], identity="second-worker"):
        world.record_value("result", await handle.result())
    await world.record_history()


@scenario()
async def heartbeat_and_shutdown(world: World) -> None:
    """Workers report that they live and that they stop."""
    await world.record_call(
        "heartbeat",
        RecordWorkerHeartbeatRequest(
            namespace=world.namespace,
            identity="raw-worker",
            worker_heartbeat=[
                WorkerHeartbeat(worker_instance_key="key", worker_identity="raw-worker", task_queue=world.task_queue)
            ],
        ),
    )
    await world.record_call("heartbeat without a namespace", RecordWorkerHeartbeatRequest(identity="raw-worker"))
    await world.record_call(
        "shutdown",
        ShutdownWorkerRequest(
            namespace=world.namespace, identity="raw-worker", sticky_task_queue="gone", reason="enough"
        ),
    )
    await world.record_call("shutdown without a namespace", ShutdownWorkerRequest(sticky_task_queue="gone"))


@scenario()
async def shutdown_ends_stickiness(world: World) -> None:
    """After ShutdownWorker a task for its sticky queue goes to the normal queue at once."""
    await world.start()
    worker = world.raw_worker()
    sticky = f"{world.name}-sticky"
    await worker.complete_workflow_task(await worker.poll_workflow_task(), sticky=sticky)
    task = await worker.poll_sticky_task(sticky, world.signal)
    await worker.complete_workflow_task(task, sticky=sticky)
    await world.call(ShutdownWorkerRequest(namespace=world.namespace, identity="raw-worker", sticky_task_queue=sticky))
    await world.signal()
    task = await worker.poll_workflow_task()
    world.record_value("events in the normal task", len(task.history.events))
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def abandoned_poll(world: World) -> None:
    """A task is not lost to a poller whose client went away before there was one."""
    worker = world.raw_worker()
    abandoned = asyncio.ensure_future(worker.poll_workflow_task())
    await asyncio.sleep(0.5)
    abandoned.cancel()
    await asyncio.sleep(0.5)
    await world.start()
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def describe_empty_task_queue(world: World) -> None:
    """A task queue that nobody ever polled."""
    reply = await world.call(
        DescribeTaskQueueRequest(
            namespace=world.namespace, task_queue=TaskQueue(name=world.task_queue), task_queue_type=1
        )
    )
    world.record_value("pollers", len(reply.pollers))
