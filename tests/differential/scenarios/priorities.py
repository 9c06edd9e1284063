"""Priorities of workflows and activities: where they are kept and passed on, and the order that they give a backlog."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import Priority, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    SignalWithStartWorkflowExecutionRequest,
    UpdateWorkflowExecutionOptionsRequest,
)

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    retry_policy,
    schedule_activity,
    seconds,
    start_child,
)
from tests.differential.scenario import scenario
from tests.differential.world import World

# How long the reference server takes to put a task that nobody waits for where it belongs: until then they overtake
# each other.
BACKLOG_SECONDS = 0.3
WHOLE = Priority(priority_key=2, fairness_key="tenant", fairness_weight=3)


@scenario()
async def inherited(world: World) -> None:
    """Activities and children have the priority of their workflow, field by field, unless they say more."""
    await world.start(priority=WHOLE)
    await world.record_description("started")
    worker, child_worker = world.raw_worker(), world.child_worker()
    priorities: dict[str, Priority | None] = {
        "none": None,
        "empty": Priority(),
        "key": Priority(priority_key=4),
        "fairness key": Priority(fairness_key="other"),
        "weight": Priority(fairness_weight=0.5),
        "all": Priority(priority_key=1, fairness_key="own", fairness_weight=9),
    }
    task = await worker.poll_workflow_task()
    world.record_reply("workflow task", task)
    await worker.complete_workflow_task(
        task,
        *(
            schedule_activity(name, f"{world.task_queue}-{name.replace(' ', '-')}", priority=priority)
            for name, priority in priorities.items()
        ),
        start_child(world.child_id, world.child_queue),
    )
    for name in priorities:
        activity = await world.raw_worker(
            task_queue=f"{world.task_queue}-{name.replace(' ', '-')}"
        ).poll_activity_task()
        world.record_reply(f"activity task, {name}", activity.priority)
    child = await child_worker.poll_workflow_task()
    world.record_reply("child's start", child.history.events[0])
    await worker.next_workflow_task()
    await child_worker.complete_workflow_task(child, complete_workflow())
    await world.wait_for_events(17)
    await world.record_description("with activities")
    await world.record_history()


@scenario()
async def along_a_chain(world: World) -> None:
    """A continuation and a retry have the priority of the run before."""
    await world.start(priority=WHOLE, retry_policy=retry_policy(initial=1))
    worker = world.raw_worker()
    continue_as_new = command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", backoff_start_interval=seconds(1))
    await worker.next_workflow_task(continue_as_new)
    task = await worker.poll_workflow_task()
    world.record_reply("continuation", task.history.events[0].workflow_execution_started_event_attributes.priority)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.start(request_id="second", priority=WHOLE, retry_policy=retry_policy(initial=1))
    await worker.next_workflow_task(fail_workflow(application_failure("again")))
    task = await worker.poll_workflow_task()
    world.record_reply("retry", task.history.events[0].workflow_execution_started_event_attributes.priority)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_description("retry")


@scenario()
async def activity_retries(world: World) -> None:
    """Every attempt of an activity has its priority."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue, priority=WHOLE, retry_policy=retry_policy(initial=0.1))
    )
    for attempt in (1, 2):
        task = await worker.poll_activity_task()
        world.record_reply(f"attempt {attempt}", task.priority)
        await worker.fail_activity(task, application_failure("again"))


@scenario()
async def refused(world: World) -> None:
    """Priorities that are out of range, in a start and in an activity."""
    priorities = {
        "negative key": Priority(priority_key=-1),
        "great key": Priority(priority_key=100),
        "long fairness key": Priority(fairness_key="k" * 65),
        "longest fairness key": Priority(fairness_key="k" * 64),
        "negative weight": Priority(fairness_weight=-1),
        "tiny weight": Priority(fairness_weight=0.00001),
        "great weight": Priority(fairness_weight=1_000_000),
    }
    for name, priority in priorities.items():
        workflow_id = world.workflow_id(name.replace(" ", "-"))
        await world.record_call(f"start, {name}", world.start_request(workflow_id, priority=priority))
    with_start = SignalWithStartWorkflowExecutionRequest(
        namespace=world.namespace,
        workflow_id=world.workflow_id("sws"),
        workflow_type=WorkflowType(name="RawWorkflow"),
        task_queue=TaskQueue(name=world.task_queue),
        signal_name="go",
        priority=Priority(priority_key=-1),
    )
    await world.record_call("signal with start", with_start)
    for name, priority in priorities.items():
        await world.record_task_with(
            f"activity {name}", schedule_activity("a", f"{world.task_queue}-activities", priority=priority)
        )


@scenario()
async def order_of_workflow_tasks(world: World) -> None:
    """Workflow tasks that wait for a worker come by their priority key, and in their order where that is equal."""
    started = {"a": 5, "b": 0, "c": 1, "d": 4, "e": 1, "f": 3, "g": 2, "h": 0}
    for suffix, key in started.items():
        await world.start(world.workflow_id(suffix), priority=Priority(priority_key=key))
        await asyncio.sleep(BACKLOG_SECONDS)
    worker = world.raw_worker()
    taken = [(await worker.poll_workflow_task()).workflow_execution.workflow_id for _ in started]
    world.record_value("taken", [workflow_id.removeprefix(f"{world.workflow_id()}-") for workflow_id in taken])


@scenario()
async def order_of_activity_tasks(world: World) -> None:
    """Activity tasks that wait for a worker come by their priority key, their own or their workflow's."""
    scheduled = {"a": 5, "b": 0, "c": 1, "d": 4, "e": 1, "f": 3, "g": 2, "h": 0}
    await world.start(priority=Priority(priority_key=2))
    worker = world.raw_worker()
    for activity_id, key in scheduled.items():
        await world.signal()
        await worker.next_workflow_task(
            schedule_activity(activity_id, f"{world.task_queue}-a", priority=Priority(priority_key=key))
        )
        await asyncio.sleep(BACKLOG_SECONDS)
    activity_worker = world.raw_worker(task_queue=f"{world.task_queue}-a")
    world.record_value("taken", [(await activity_worker.poll_activity_task()).activity_id for _ in scheduled])


@scenario()
async def order_without_fairness(world: World) -> None:
    """With fairness off, tasks of equal priority come in their order: their fairness keys do not take turns."""
    await _record_order_of_fairness_keys(world)


@scenario(server="switched_on")
async def order_by_fairness(world: World) -> None:
    """With fairness on, the fairness keys of tasks of equal priority take turns."""
    await _record_order_of_fairness_keys(world)


async def _record_order_of_fairness_keys(world: World) -> None:
    started = {f"{key}{number}": key for key in ("x", "y", "z") for number in range(3)}
    for suffix, key in started.items():
        await world.start(world.workflow_id(suffix), priority=Priority(fairness_key=key))
        await asyncio.sleep(BACKLOG_SECONDS)
    worker = world.raw_worker()
    taken = [(await worker.poll_workflow_task()).workflow_execution.workflow_id for _ in started]
    world.record_value("taken", [workflow_id.removeprefix(f"{world.workflow_id()}-") for workflow_id in taken])


def _update_options(world: World, *paths: str, **options: Any) -> UpdateWorkflowExecutionOptionsRequest:
    return UpdateWorkflowExecutionOptionsRequest(
        namespace=world.namespace,
        workflow_execution=world.execution(),
        workflow_execution_options=WorkflowExecutionOptions(**options),
        update_mask=FieldMask(paths=paths),
        identity="updater",
    )


@scenario()
async def updated(world: World) -> None:
    """The priority of a running workflow changes for the activities that it schedules from then on."""
    await world.start(priority=WHOLE)
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("before", f"{world.task_queue}-before"))
    await world.record_call("update", _update_options(world, "priority", priority=Priority(priority_key=4)))
    await world.record_description("updated")
    await world.signal()
    await worker.next_workflow_task(schedule_activity("after", f"{world.task_queue}-after"))
    for name in ("before", "after"):
        task = await world.raw_worker(task_queue=f"{world.task_queue}-{name}").poll_activity_task()
        world.record_reply(name, task.priority)
    await world.record_call("one field", _update_options(world, "priority.fairness_key", priority=WHOLE))
    await world.record_call("unset", _update_options(world, "priority"))
    await world.record_call("no mask", _update_options(world, priority=WHOLE))
    await world.record_call("unknown field", _update_options(world, "nonsense", priority=WHOLE))
    await world.record_history()
