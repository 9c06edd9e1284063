"""Children that cannot start: ids in use, namespaces, attributes that the server refuses."""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Memo, Priority, RetryPolicy, SearchAttributes, WorkflowType
from temporalio.api.enums.v1 import EventType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.exceptions import WorkflowAlreadyStartedError

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    payload,
    retry_policy,
    seconds,
    start_child,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.world import World

CLOSED_BY = {
    "completed": complete_workflow(),
    "failed": fail_workflow(application_failure("failed")),
    "cancelled": command("CANCEL_WORKFLOW_EXECUTION"),
}
REUSE_POLICIES = ("ALLOW_DUPLICATE", "ALLOW_DUPLICATE_FAILED_ONLY", "REJECT_DUPLICATE", "TERMINATE_IF_RUNNING")


def _reuse_policy(name: str) -> str:
    return f"WORKFLOW_ID_REUSE_POLICY_{name}"


@scenario()
async def id_is_running(world: World) -> None:
    """A child whose id is in use does not start, and its parent hears of it; two parents cannot share a child."""
    await world.start(world.child_id)
    await world.start()
    parent = world.raw_worker(task_queue=f"{world.task_queue}-parent")
    parent_id = world.workflow_id("parent")
    await world.start(parent_id, task_queue=TaskQueue(name=parent.task_queue))
    await parent.next_workflow_task(start_child(world.child_id, world.child_queue, control="kept"))
    task = await parent.poll_workflow_task()
    world.record_reply("next task", task)
    await world.record_description("parent", parent_id)
    await parent.complete_workflow_task(task, complete_workflow())
    await world.record_history(parent_id)


@scenario()
async def id_is_running_with_each_policy(world: World) -> None:
    """Only terminate-if-running starts a child whose id is in use."""
    parent = world.raw_worker()
    for policy in REUSE_POLICIES:
        parent_id, child_id = world.workflow_id(policy), world.workflow_id(f"{policy}-child")
        first_run_id = await world.start(child_id, task_queue=TaskQueue(name=world.child_queue))
        await world.start(parent_id)
        await parent.next_workflow_task(
            start_child(child_id, world.child_queue, workflow_id_reuse_policy=_reuse_policy(policy))
        )
        await world.wait_for_events(7, parent_id)
        await parent.next_workflow_task(complete_workflow())
        await world.record_history(parent_id)
        await world.record_history(child_id, first_run_id)


@scenario()
async def id_was_used_with_each_policy(world: World) -> None:
    """Whether a child may take the id of a closed run is up to its reuse policy and how that run ended."""
    first, policies = world.raw_worker(task_queue=f"{world.task_queue}-first"), {}
    for closed, close in CLOSED_BY.items():
        for policy in REUSE_POLICIES:
            child_id = world.workflow_id(f"{policy}-{closed}")
            policies[child_id] = policy
            await world.start(child_id, task_queue=TaskQueue(name=first.task_queue))
            await first.next_workflow_task(close)
    await world.start()
    await world.raw_worker().next_workflow_task(
        *(
            start_child(child_id, world.child_queue, workflow_id_reuse_policy=_reuse_policy(policy))
            for child_id, policy in policies.items()
        )
    )
    await world.wait_for_events(4 + 2 * len(policies) + 1)
    await world.record_events_by_child()


@scenario()
async def id_of_a_closed_child(world: World) -> None:
    """A parent starts a child again after it has closed; the second one is another run."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    await child.next_workflow_task(complete_workflow("first"))
    await world.wait_for_events(8)
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    await world.wait_for_events(13)
    await child.next_workflow_task(complete_workflow("second"))
    await world.wait_for_events(14)
    await parent.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def same_child_again_while_it_runs(world: World) -> None:
    """A parent starts its running child again: the second start fails, the first child is not touched."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    await world.wait_for_events(7)
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    await world.wait_for_events(12)
    await world.record_description("after the second start")
    await child.next_workflow_task(complete_workflow("first"))
    await world.wait_for_events(13)
    await parent.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def running_child_is_replaced(world: World) -> None:
    """A parent starts its running child again with terminate-if-running: it hears of the old one's end, too."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, f"{child.task_queue}-first"))
    await world.wait_for_events(7)
    await world.age()
    await parent.next_workflow_task(
        start_child(
            world.child_id, child.task_queue, workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING"
        )
    )
    await child.next_workflow_task(complete_workflow("second"))
    events = await world.wait_for_events(14)
    world.record_value("what the parent hears", sorted(EventType.Name(event.event_type) for event in events[10:14]))
    await parent.next_workflow_task(complete_workflow())
    await world.record_history(world.child_id)


@scenario()
async def same_child_twice_in_one_task(world: World) -> None:
    """Of two starts of the same id in one workflow task one fails."""
    await world.start()
    parent = world.raw_worker()
    await parent.next_workflow_task(
        start_child(world.child_id, world.child_queue), start_child(world.child_id, world.child_queue)
    )
    await world.wait_for_events(4 + 2 + 2 + 1)
    await world.record_events_by_child()
    world.record_value("pending children", len((await world.describe()).pending_children))


@scenario()
async def its_own_id(world: World) -> None:
    """A workflow cannot be its own child."""
    await world.start()
    await world.raw_worker().next_workflow_task(start_child(world.workflow_id(), world.child_queue))
    await world.wait_for_events(7)
    await world.record_history()


@workflow.defn
class Stays:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


@workflow.defn
class StartsTheSameTwice:
    @workflow.run
    async def run(self) -> str:
        child_id = f"{workflow.info().workflow_id}-child"
        await workflow.start_child_workflow(Stays.run, id=child_id)
        try:
            await workflow.start_child_workflow(Stays.run, id=child_id)
        except WorkflowAlreadyStartedError as error:
            return f"{error.workflow_id} {error.workflow_type}: {error}"
        return "started"


@scenario()
async def sdk_already_started(world: World) -> None:
    """An SDK workflow catches the error of a child that is there already."""
    async with world.worker([StartsTheSameTwice, Stays]):
        handle = await world.client.start_workflow(
            StartsTheSameTwice.run, id=world.workflow_id(), task_queue=world.task_queue
        )
        world.record_value("result", await handle.result())
    await world.record_history()


@scenario()
async def missing_attributes(world: World) -> None:
    """Commands without an id or a type, or without any attributes, fail the workflow task."""
    await world.record_task_with("no attributes", command("START_CHILD_WORKFLOW_EXECUTION"))
    await world.record_task_with("no id", start_child("", world.child_queue))
    await world.record_task_with("no type", start_child("c-no-type", world.child_queue, workflow_type=None))
    await world.record_task_with("empty type", start_child("c-type", world.child_queue, workflow_type=WorkflowType()))
    await world.record_task_with(
        "after a timer", start_timer("t", 60), start_child("", world.child_queue), complete_workflow()
    )


async def _record_refusals(world: World, cases: dict[str, dict[str, Any]]) -> None:
    for name, attributes in cases.items():
        child_id = world.workflow_id(f"{name.replace(' ', '-')}-child")
        await world.record_task_with(name, start_child(child_id, world.child_queue, **attributes))


@scenario()
async def too_long_names(world: World) -> None:
    """Names of more than 1,000 bytes fail the workflow task."""
    cases: dict[str, dict[str, Any]] = {
        "type of 1001": {"workflow_type": WorkflowType(name="t" * 1001)},
        "task queue of 1001": {"task_queue": TaskQueue(name="q" * 1001)},
        "cron of 1001": {"cron_schedule": "c" * 1001},
    }
    await _record_refusals(world, cases)
    await world.record_task_with("id of 1001", start_child("w" * 1001, world.child_queue))


@scenario()
async def bad_timeouts(world: World) -> None:
    """Negative timeouts fail the workflow task; what is too long is cut down silently."""
    refused = {
        "negative execution timeout": {"workflow_execution_timeout": seconds(-1)},
        "negative run timeout": {"workflow_run_timeout": seconds(-1)},
        "negative task timeout": {"workflow_task_timeout": seconds(-1)},
    }
    await _record_refusals(world, refused)
    await world.start()
    corrected = {
        "task-over-maximum": {"workflow_task_timeout": seconds(3600)},
        "run-over-execution": {"workflow_run_timeout": seconds(100), "workflow_execution_timeout": seconds(50)},
        "task-over-run": {"workflow_run_timeout": seconds(5), "workflow_task_timeout": seconds(50)},
        "execution-alone": {"workflow_execution_timeout": seconds(60)},
    }
    await world.raw_worker().next_workflow_task(
        *(start_child(world.workflow_id(name), world.child_queue, **timeouts) for name, timeouts in corrected.items())
    )
    events = await world.wait_for_events(4 + 4 + 4 + 1)
    for event in events[4:8]:
        world.record_reply("initiated", event)
    for name in corrected:
        world.record_reply(name, (await world.history(world.workflow_id(name)))[0])


@scenario()
async def bad_policies(world: World) -> None:
    """Retry policies and cron schedules that make no sense fail the workflow task."""
    cases: dict[str, dict[str, Any]] = {
        "negative initial": {"retry_policy": RetryPolicy(initial_interval=seconds(-1))},
        "coefficient below 1": {"retry_policy": retry_policy(coefficient=0.5)},
        "maximum below initial": {"retry_policy": retry_policy(initial=10, maximum=5)},
        "negative attempts": {"retry_policy": retry_policy(attempts=-1)},
        "cron word": {"cron_schedule": "nonsense"},
        "cron minute 60": {"cron_schedule": "60 * * * *"},
        "cron every nothing": {"cron_schedule": "@every"},
        "negative priority": {"priority": Priority(priority_key=-1)},
        "long fairness key": {"priority": Priority(fairness_key="k" * 65)},
    }
    await _record_refusals(world, cases)


@scenario()
async def bad_search_attributes(world: World) -> None:
    """Search attributes that are unknown, reserved, or of the wrong type fail the workflow task."""

    def one(name: str, value: Any) -> dict[str, Any]:
        return {"search_attributes": SearchAttributes(indexed_fields={name: payload(value)})}

    cases = {
        "unknown": one("NobodyKnows", "v"),
        "system": one("WorkflowId", "v"),
        "predefined": one("BuildIds", ["v"]),
        "wrong type": one("DiffInt", "seven"),
    }
    await _record_refusals(world, cases)


@scenario()
async def reserved_task_queues(world: World) -> None:
    """Children may not use the server's own task queue names; a queue without a name is the parent's."""
    cases: dict[str, dict[str, Any]] = {
        "reserved": {"task_queue": TaskQueue(name="/_sys/queue/1")},
        "system worker": {"task_queue": TaskQueue(name="temporal-sys-per-ns-tq")},
        "no name": {"task_queue": TaskQueue()},
    }
    await _record_refusals(world, cases)


@scenario()
async def too_large(world: World) -> None:
    """An input or memo of more than 2 MiB terminates the parent."""
    big = payload("x" * (2 << 20) + "y")
    await _record_refusals(world, {"input": {"input": {"payloads": [big]}}, "memo": {"memo": Memo(fields={"m": big})}})


@scenario()
async def other_namespaces(world: World) -> None:
    """A child in an unknown namespace or in another existing one is refused; the workflow's own may be named."""
    cases: dict[str, dict[str, Any]] = {
        "unknown": {"namespace": "nowhere"},
        "too long": {"namespace": "n" * 1001},
        "existing": {"namespace": world.other_namespace},
        "own": {"namespace": world.namespace},
    }
    await _record_refusals(world, cases)
