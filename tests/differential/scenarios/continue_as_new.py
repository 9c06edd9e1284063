"""Continue-as-new: what the next run inherits."""

from __future__ import annotations

from temporalio import workflow
from temporalio.api.common.v1 import Header, Memo, SearchAttributes, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue

from tests.differential.raw_worker import (
    command,
    complete_workflow,
    payload,
    payloads,
    retry_policy,
    seconds,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.world import World


@workflow.defn
class CountDown:
    @workflow.run
    async def run(self, left: int) -> str:
        if left:
            await workflow.sleep(1.1)  # the next run of a younger one is held back
            workflow.continue_as_new(left - 1)
        return (workflow.info().continued_run_id is not None and "continued") or "first"


@scenario(live_sample=True)
async def sdk_count_down(world: World) -> None:
    """An SDK workflow continues as new."""
    async with world.worker([CountDown]):
        handle = await world.client.start_workflow(
            CountDown.run,
            1,
            id=world.workflow_id(),
            task_queue=world.task_queue,
            memo={"kept": "yes"},
        )
        world.record_value("result", await handle.result())
    await world.record_chain(handle.first_execution_run_id or "", 2)


@scenario()
async def with_nothing_said(world: World) -> None:
    """The next run keeps type, queue and timeouts, not what a worker must repeat: input, header, memo, attributes."""
    run_id = await world.start(
        input=payloads("first"),
        header=Header(fields={"h": payload("v")}),
        memo=Memo(fields={"m": payload("v")}),
        search_attributes=SearchAttributes(indexed_fields={"DiffKeyword": payload("k")}),
        workflow_execution_timeout=seconds(100),
        workflow_run_timeout=seconds(50),
        workflow_task_timeout=seconds(7),
        retry_policy=retry_policy(initial=2, attempts=3),
    )
    worker = world.raw_worker()
    await world.age()
    await worker.next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"))
    await world.record_description("second run")
    await worker.next_workflow_task(complete_workflow("end"))
    await world.record_chain(run_id, 2)


@scenario()
async def with_everything_said(world: World) -> None:
    """Every field of the command reaches the next run."""
    run_id = await world.start(memo=Memo(fields={"old": payload("v")}))
    worker = world.raw_worker()
    other_queue = f"{world.task_queue}-other"
    await worker.next_workflow_task(
        start_timer("left-behind", 60),
        command(
            "CONTINUE_AS_NEW_WORKFLOW_EXECUTION",
            workflow_type=WorkflowType(name="Other"),
            task_queue=TaskQueue(name=other_queue),
            input=payloads("next"),
            workflow_run_timeout=seconds(40),
            workflow_task_timeout=seconds(6),
            backoff_start_interval=seconds(1),
            retry_policy=retry_policy(initial=3),
            header=Header(fields={"h": payload("new")}),
            memo=Memo(fields={"new": payload("v")}),
            search_attributes=SearchAttributes(indexed_fields={"DiffInt": payload(3)}),
            last_completion_result=payloads("last"),
            initiator="CONTINUE_AS_NEW_INITIATOR_WORKFLOW",
        ),
    )
    await world.raw_worker(task_queue=other_queue).next_workflow_task(complete_workflow("end"))
    await world.record_chain(run_id, 2)


@scenario()
async def signal_follows_the_chain(world: World) -> None:
    """A signal without a run id reaches the run that is open now."""
    run_id = await world.start()
    worker = world.raw_worker()
    await world.age()
    await worker.next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"))
    await world.signal()
    await worker.next_workflow_task(complete_workflow())
    await world.record_chain(run_id, 2)


@scenario()
async def refused_by_a_buffered_signal(world: World) -> None:
    """Continue-as-new is a close command: a signal in the meantime fails the task."""
    run_id = await world.start()
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await world.signal()
    await world.record_outcome(
        "continue", worker.complete_workflow_task(task, command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"))
    )
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=run_id)
