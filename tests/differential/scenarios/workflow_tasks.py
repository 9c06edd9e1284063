"""Workflow tasks that fail, time out, or carry commands that make no sense."""

from __future__ import annotations

from temporalio import workflow
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import ActivityType, WorkflowType
from temporalio.api.enums.v1.workflow_pb2 import WORKFLOW_EXECUTION_STATUS_RUNNING
from temporalio.api.taskqueue.v1 import TaskQueue

from tests.differential.raw_worker import (
    RawWorker,
    application_failure,
    command,
    complete_workflow,
    payloads,
    retry_policy,
    schedule_activity,
    seconds,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.world import World


@scenario()
async def failed_several_times(world: World) -> None:
    """Only the first failure is in the history: the attempts after it are transient, and numbered."""
    await world.start()
    worker = world.raw_worker()
    for attempt in range(1, 4):
        task = await worker.poll_workflow_task()
        world.record_reply(f"attempt {attempt}", task)
        await worker.fail_workflow_task(task, failure=application_failure(f"failure {attempt}"))
        await world.record_history()
    await world.record_description("after three failures")
    task = await worker.poll_workflow_task()
    world.record_reply("attempt 4", task)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def signal_after_a_failure(world: World) -> None:
    """A signal between two attempts goes into the history before them, and the attempt is written down."""
    await world.start()
    worker = world.raw_worker()
    await worker.fail_workflow_task(await worker.poll_workflow_task())
    await world.signal()
    await world.record_history()
    task = await worker.poll_workflow_task()
    world.record_reply("attempt after the signal", task)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def signal_during_a_transient_attempt(world: World) -> None:
    """A signal while a transient attempt runs is buffered and written after the attempt."""
    await world.start()
    worker = world.raw_worker()
    await worker.fail_workflow_task(await worker.poll_workflow_task())
    task = await worker.poll_workflow_task()
    await world.signal()
    await world.record_history()
    await worker.complete_workflow_task(task, start_timer("t", 60))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def failed_transient_attempt_with_a_signal(world: World) -> None:
    """A transient attempt that fails with a signal buffered."""
    await world.start()
    worker = world.raw_worker()
    await worker.fail_workflow_task(await worker.poll_workflow_task())
    task = await worker.poll_workflow_task()
    await world.signal()
    await worker.fail_workflow_task(task)
    await world.record_history()
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def failed_with_buffered_events(world: World) -> None:
    """A workflow task fails while an activity and a signal are buffered."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue))
    activity_task = await worker.poll_activity_task()
    await world.signal(name="wake")
    task = await worker.poll_workflow_task()
    await worker.complete_activity(activity_task, "done")
    await world.signal(name="buffered")
    await worker.fail_workflow_task(task)
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def timed_out(world: World) -> None:
    """A workflow task that is never answered times out, and so do its transient attempts."""
    await world.start(workflow_task_timeout=seconds(1))
    worker = world.raw_worker()
    first = await worker.poll_workflow_task()
    second = await worker.poll_workflow_task()
    world.record_reply("second attempt", second)
    third = await worker.poll_workflow_task()
    world.record_value("third attempt", third.attempt)
    await world.record_outcome("late answer to the first", worker.complete_workflow_task(first))
    await worker.complete_workflow_task(third, complete_workflow())
    await world.record_history()


@scenario()
async def timed_out_with_a_signal(world: World) -> None:
    """A signal that was buffered in a workflow task that times out."""
    await world.start(workflow_task_timeout=seconds(1))
    worker = world.raw_worker()
    await worker.poll_workflow_task()
    await world.signal()
    task = await worker.poll_workflow_task()
    world.record_reply("second attempt", task)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def forced_new_task(world: World) -> None:
    """A worker can ask for another workflow task, and get it in the reply."""
    await world.start()
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    reply = await worker.complete_workflow_task(task, force_create_new_workflow_task=True)
    world.record_reply("only forced", reply)
    task = await worker.poll_workflow_task()
    reply = await worker.complete_workflow_task(
        task, force_create_new_workflow_task=True, return_new_workflow_task=True
    )
    world.record_reply("forced and returned", reply)
    await world.signal()
    reply = await worker.complete_workflow_task(reply.workflow_task, return_new_workflow_task=True)
    world.record_reply("returned because of the signal", reply)
    await worker.complete_workflow_task(reply.workflow_task, complete_workflow())
    await world.record_history()


@workflow.defn
class FailsItsTask:
    runs = 0

    @workflow.run
    async def run(self) -> str:
        FailsItsTask.runs += 1
        if FailsItsTask.runs < 2:
            raise RuntimeError("a bug")
        return "fixed"


@scenario()
async def sdk_task_failure(world: World) -> None:
    """An exception in SDK workflow code fails the workflow task; the next attempt succeeds."""
    FailsItsTask.runs = 0
    async with world.worker([FailsItsTask]):
        result = await world.client.execute_workflow(
            FailsItsTask.run, id=world.workflow_id(), task_queue=world.task_queue
        )
    world.record_value("result", result)
    await world.record_history()


async def _answer(world: World, name: str, *commands: Command) -> None:
    workflow_id = world.workflow_id(name.replace(" ", "-"))
    queue = f"{world.task_queue}-{name.replace(' ', '-')}"
    await world.start(workflow_id, task_queue=TaskQueue(name=queue))
    worker = RawWorker(world.service, world.namespace, queue, "raw-worker")
    task = await worker.poll_workflow_task()
    accepted = await world.record_outcome(name, worker.complete_workflow_task(task, *commands))
    events = await world.history(workflow_id)
    if accepted is not None:
        world.record_reply(f"{name}: event of the command", events[4])
    else:
        world.record_value(f"{name}: events", len(events))
        for event in events:
            if event.HasField("workflow_task_failed_event_attributes"):
                world.record_reply(f"{name}: event", event)
    if (await world.describe(workflow_id)).workflow_execution_info.status == WORKFLOW_EXECUTION_STATUS_RUNNING:
        await world.terminate(workflow_id)


@scenario()
async def bad_activity_commands(world: World) -> None:
    """ScheduleActivityTask and RequestCancelActivityTask with missing or contradictory fields."""
    queue = world.task_queue
    cases = {
        "no attributes": [Command(command_type="COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK")],
        "no activity id": [schedule_activity("", queue)],
        "no activity type": [schedule_activity("a", queue, activity_type=None)],
        "empty activity type": [schedule_activity("a", queue, activity_type=ActivityType())],
        "no task queue": [schedule_activity("a", queue, task_queue=None)],
        "empty task queue": [schedule_activity("a", "")],
        "no timeouts": [schedule_activity("a", queue, start_to_close_timeout=None)],
        "negative timeout": [schedule_activity("a", queue, heartbeat_timeout=seconds(-1))],
        "bad retry policy": [schedule_activity("a", queue, retry_policy=retry_policy(coefficient=0.1))],
        "long activity id": [schedule_activity("a" * 1001, queue)],
        "long activity type": [schedule_activity("a", queue, activity_type=ActivityType(name="t" * 1001))],
        "duplicate activity id": [schedule_activity("a", queue), schedule_activity("a", queue)],
        "too big an input": [schedule_activity("a", queue, input=payloads("x" * (2 * 1024 * 1024)))],
        "cancel unknown activity": [command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=99)],
        "cancel without an event": [command("REQUEST_CANCEL_ACTIVITY_TASK")],
    }
    for name, commands in cases.items():
        await _answer(world, name, *commands)


@scenario()
async def bad_timer_commands(world: World) -> None:
    """StartTimer and CancelTimer with missing or contradictory fields."""
    cases = {
        "no attributes": [Command(command_type="COMMAND_TYPE_START_TIMER")],
        "no timer id": [start_timer("", 1)],
        "no timeout": [command("START_TIMER", timer_id="t")],
        "zero timeout": [start_timer("t", 0)],
        "negative timeout": [start_timer("t", -1)],
        "long timer id": [start_timer("t" * 1001, 1)],
        "duplicate timer id": [start_timer("t", 60), start_timer("t", 60)],
        "cancel unknown timer": [command("CANCEL_TIMER", timer_id="nobody")],
        "cancel no timer": [command("CANCEL_TIMER", timer_id="")],
        "timer id again": [start_timer("t", 60), command("CANCEL_TIMER", timer_id="t"), start_timer("t", 60)],
    }
    for name, commands in cases.items():
        await _answer(world, name, *commands)


@scenario()
async def bad_other_commands(world: World) -> None:
    """Closes, markers and upserts with missing or contradictory fields."""
    cases = {
        "unspecified": [Command()],
        "fail without a failure": [command("FAIL_WORKFLOW_EXECUTION")],
        "marker without a name": [command("RECORD_MARKER")],
        "marker with a long name": [command("RECORD_MARKER", marker_name="m" * 1001)],
        "upsert without attributes": [command("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES")],
        "upsert unknown": [
            command(
                "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
                search_attributes={"indexed_fields": {"Nobody": payloads("x").payloads[0]}},
            )
        ],
        "upsert of the wrong type": [
            command(
                "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
                search_attributes={"indexed_fields": {"DiffInt": payloads("x").payloads[0]}},
            )
        ],
        "no memo": [command("MODIFY_WORKFLOW_PROPERTIES")],
        "continue as new with negative timeout": [
            command(
                "CONTINUE_AS_NEW_WORKFLOW_EXECUTION",
                workflow_type=WorkflowType(name="T"),
                workflow_run_timeout=seconds(-1),
            )
        ],
        "continue as new with a bad retry policy": [
            command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", retry_policy=retry_policy(coefficient=0.1))
        ],
        "command after the close": [complete_workflow(), start_timer("t", 1)],
        "two closes": [complete_workflow("one"), complete_workflow("two")],
    }
    for name, commands in cases.items():
        await _answer(world, name, *commands)
