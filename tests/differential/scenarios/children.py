"""Child workflows: how a parent starts them and hears of their end."""

from __future__ import annotations

from temporalio import workflow
from temporalio.api.common.v1 import Header, Memo, Priority, SearchAttributes, WorkflowType
from temporalio.api.sdk.v1 import UserMetadata

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    payload,
    payloads,
    retry_policy,
    seconds,
    start_child,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.world import World


@workflow.defn
class Greeter:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}"


@workflow.defn
class GreetsByChild:
    @workflow.run
    async def run(self, name: str) -> str:
        child_id = f"{workflow.info().workflow_id}-child"
        return await workflow.execute_child_workflow(Greeter.run, name, id=child_id)


@scenario()
async def sdk_child(world: World) -> None:
    """An SDK workflow runs a child and returns its result."""
    async with world.worker([GreetsByChild, Greeter], max_cached_workflows=0):
        handle = await world.client.start_workflow(
            GreetsByChild.run, "Ada", id=world.workflow_id(), task_queue=world.task_queue
        )
        world.record_value("result", await handle.result())
    await world.record_history(world.workflow_id("child"))


@scenario(live_sample=True)
async def completed(world: World) -> None:
    """A child starts, completes, and its parent sees both."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue, input=payloads("in")))
    task = await parent.poll_workflow_task()
    world.record_reply("parent's second task", task)
    await parent.complete_workflow_task(task)
    task = await child.poll_workflow_task()
    world.record_reply("child's task", task)
    await world.record_description("parent")
    await world.record_description("child", world.child_id)
    await child.complete_workflow_task(task, complete_workflow("out"))
    await parent.next_workflow_task(complete_workflow("end"))
    await world.record_description("closed parent")
    await world.record_description("closed child", world.child_id)
    await world.record_history()
    await world.record_history(world.child_id)


@scenario()
async def every_field(world: World) -> None:
    """Every field of the command reaches the parent's Initiated event and the child's start."""
    await world.start()
    start = start_child(
        world.child_id,
        world.child_queue,
        namespace=world.namespace,
        workflow_type=WorkflowType(name="Other"),
        input=payloads("in", 2),
        workflow_execution_timeout=seconds(100),
        workflow_run_timeout=seconds(50),
        workflow_task_timeout=seconds(7),
        parent_close_policy="PARENT_CLOSE_POLICY_REQUEST_CANCEL",
        control="kept as it is",
        workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE",
        retry_policy=retry_policy(initial=2, attempts=3, non_retryable=("Never",)),
        header=Header(fields={"h": payload("v")}),
        memo=Memo(fields={"m": payload("v")}),
        search_attributes=SearchAttributes(indexed_fields={"DiffKeyword": payload("k"), "DiffInt": payload(3)}),
        priority=Priority(priority_key=2, fairness_key="tenant", fairness_weight=3),
    )
    start.user_metadata.CopyFrom(UserMetadata(summary=payload("summary"), details=payload("details")))
    await world.raw_worker().next_workflow_task(start)
    task = await world.child_worker().poll_workflow_task()
    world.record_reply("child's task", task)
    await world.record_description("child", world.child_id)
    await world.record_description("parent")
    await world.record_history()


@scenario()
async def nothing_inherited(world: World) -> None:
    """A child inherits only the priority of its parent, and its task queue where the command names none."""
    await world.start(
        memo=Memo(fields={"m": payload("v")}),
        header=Header(fields={"h": payload("v")}),
        search_attributes=SearchAttributes(indexed_fields={"DiffKeyword": payload("k")}),
        workflow_execution_timeout=seconds(100),
        workflow_run_timeout=seconds(50),
        workflow_task_timeout=seconds(7),
        retry_policy=retry_policy(initial=2, attempts=3),
        priority=Priority(priority_key=2, fairness_key="tenant", fairness_weight=3),
        user_metadata=UserMetadata(summary=payload("summary")),
    )
    await world.raw_worker().next_workflow_task(
        start_child(world.child_id, world.child_queue),
        start_child(world.workflow_id("same-queue"), "", task_queue=None),
    )
    await world.child_worker().poll_workflow_task()
    await world.wait_for_events(4 + 2 + 2 + 1)
    await world.record_history(world.child_id)
    await world.record_history(world.workflow_id("same-queue"))
    await world.record_events_by_child()
    await world.record_description("child", world.child_id)


@scenario()
async def failed(world: World) -> None:
    """A child's failure reaches its parent with its whole chain of causes."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    failure = application_failure("outer", details=payloads("d", 1), type_name="Outer")
    failure.cause.CopyFrom(application_failure("inner", non_retryable=True, type_name="Inner"))
    failure.cause.cause.message = "innermost"
    failure.cause.cause.timeout_failure_info.timeout_type = 1  # type: ignore[assignment]
    await child.next_workflow_task(fail_workflow(failure))
    await world.wait_for_events(8)
    task = await parent.poll_workflow_task()
    world.record_reply("parent's task", task)
    await parent.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def cancelled_by_itself(world: World) -> None:
    """A child may end as cancelled without a request, and its parent gets the details."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    await child.next_workflow_task(command("CANCEL_WORKFLOW_EXECUTION", details=payloads("cleaned")))
    await world.wait_for_events(8)
    await parent.next_workflow_task(complete_workflow())
    await world.record_history()
    await world.record_history(world.child_id)


@scenario()
async def cancelled_by_a_client(world: World) -> None:
    """A client cancels the child; the parent hears of it when the child has accepted."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    await child.next_workflow_task()
    await world.cancel(world.child_id, reason="not wanted")
    await child.next_workflow_task(command("CANCEL_WORKFLOW_EXECUTION", details=payloads("cleaned")))
    await world.wait_for_events(8)
    await parent.next_workflow_task(complete_workflow())
    await world.record_history()
    await world.record_history(world.child_id)


@scenario()
async def terminated_by_a_client(world: World) -> None:
    """A client terminates the child; the parent hears of it without reason or details."""
    await world.start()
    parent = world.raw_worker()
    await parent.next_workflow_task(start_child(world.child_id, world.child_queue))
    await world.wait_for_events(7)
    await world.terminate(world.child_id, reason="enough", details=payloads("why"))
    await world.wait_for_events(8)
    await parent.next_workflow_task(complete_workflow())
    await world.record_history()
    await world.record_history(world.child_id)


@scenario()
async def timed_out(world: World) -> None:
    """Children that reach their run timeout and their execution timeout."""
    for name, timeouts in {
        "run": {"workflow_run_timeout": seconds(1)},
        "execution": {"workflow_execution_timeout": seconds(1)},
        "both": {"workflow_execution_timeout": seconds(1), "workflow_run_timeout": seconds(50)},
    }.items():
        parent_id, child_id = world.workflow_id(name), world.workflow_id(f"{name}-child")
        await world.start(parent_id)
        await world.raw_worker().next_workflow_task(start_child(child_id, world.child_queue, **timeouts))
        await world.wait_for_events(8, parent_id)
        await world.raw_worker().next_workflow_task(complete_workflow())
        await world.record_history(parent_id)
        await world.record_history(child_id)


@scenario()
async def two_children_in_order(world: World) -> None:
    """Two children started one after the other; the second is done first."""
    await world.start()
    parent = world.raw_worker()
    first = world.raw_worker(task_queue=f"{world.child_queue}-1")
    second = world.raw_worker(task_queue=f"{world.child_queue}-2")
    await parent.next_workflow_task(start_child(world.workflow_id("1"), first.task_queue))
    await world.wait_for_events(7)
    await parent.next_workflow_task(start_child(world.workflow_id("2"), second.task_queue))
    await world.wait_for_events(12)
    await world.record_description("both pending")
    await parent.next_workflow_task()
    await second.next_workflow_task(complete_workflow(2))
    await world.wait_for_events(16)
    await world.record_description("one pending")
    await first.next_workflow_task(complete_workflow(1))
    await world.wait_for_events(17)
    await parent.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def many_children_in_one_task(world: World) -> None:
    """Twenty children of one workflow task all start, and all that they return arrives."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    ids = [world.workflow_id(f"{number:02}") for number in range(20)]
    await parent.next_workflow_task(*(start_child(child_id, child.task_queue) for child_id in ids))
    await world.wait_for_events(4 + 20 + 20 + 1)
    await world.record_description("all pending")
    for _ in ids:
        task = await child.poll_workflow_task()
        await child.complete_workflow_task(task, complete_workflow(task.workflow_execution.workflow_id))
    await world.wait_for_events(4 + 20 + 20 + 1 + 20)
    await parent.next_workflow_task(complete_workflow())
    await world.record_events_by_child()
    await world.record_description("closed")


@scenario()
async def buffered_order(world: World) -> None:
    """What arrives during the parent's workflow task is written after it, the close of the child last."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    await world.wait_for_events(7)
    task = await parent.poll_workflow_task()
    await child.next_workflow_task(complete_workflow("out"))
    await world.wait_closed(world.child_id)
    await world.eventually(lambda: _has_no_pending_children(world))
    await world.signal()
    await parent.complete_workflow_task(task, start_timer("t", 60))
    task = await parent.poll_workflow_task()
    world.record_reply("next task", task)
    await parent.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def started_during_the_parents_task(world: World) -> None:
    """The start of a child is buffered while the parent's next workflow task runs."""
    await world.start()
    parent = world.raw_worker()
    reply = await parent.complete_workflow_task(
        await parent.poll_workflow_task(),
        start_child(world.child_id, world.child_queue),
        force_create_new_workflow_task=True,
        return_new_workflow_task=True,
    )
    await parent.complete_workflow_task(reply.workflow_task, start_timer("t", 60))
    await world.wait_for_events(11)
    await world.record_history()


@scenario()
async def close_refused_by_a_buffered_close(world: World) -> None:
    """The parent cannot close over the buffered close of its child."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    await world.wait_for_events(7)
    task = await parent.poll_workflow_task()
    await child.next_workflow_task(complete_workflow("out"))
    await world.eventually(lambda: _has_no_pending_children(world))
    await world.record_outcome("complete", parent.complete_workflow_task(task, complete_workflow()))
    await parent.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def terminated_over_a_buffered_close(world: World) -> None:
    """The parent is terminated during its workflow task: what was buffered is written before the end."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    await world.wait_for_events(7)
    await parent.poll_workflow_task()
    await child.next_workflow_task(complete_workflow("out"))
    await world.eventually(lambda: _has_no_pending_children(world))
    await world.terminate()
    await world.record_history()


async def _has_no_pending_children(world: World) -> bool:
    return not (await world.describe()).pending_children
