"""What was pending at the reset point, and what ended after it: timers, activities, children, properties."""

from __future__ import annotations

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Memo, SearchAttributes, WorkflowExecution
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueResponse

from tests.differential.raw_worker import (
    RawWorker,
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    payload,
    payloads,
    retry_policy,
    schedule_activity,
    start_child,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.world import World


async def _second_task(world: World, worker: RawWorker) -> int:
    """Complete another workflow task and return the id of its completed event."""
    await world.signal(name="second task")
    task = await worker.next_workflow_task()
    return int(task.started_event_id) + 1


@scenario()
async def timers(world: World) -> None:
    """Timers keep their due time: what fired or was cancelled after the point is pending again and fires at once."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        start_timer("fires", 1), start_timer("cancelled", 60), start_timer("gone", 60), start_timer("waits", 61)
    )
    await world.signal()
    point = await worker.poll_workflow_task()
    await worker.complete_workflow_task(point, command("CANCEL_TIMER", timer_id="cancelled"), start_timer("later", 60))
    await worker.next_workflow_task(command("CANCEL_TIMER", timer_id="gone"))
    new_run_id = await world.reset(point.started_event_id + 1)
    await world.record_history(run_id=run_id)
    await world.wait_for_events(14, run_id=new_run_id)
    await worker.next_workflow_task(
        start_timer("later", 60),
        command("CANCEL_TIMER", timer_id="cancelled"),
        command("CANCEL_TIMER", timer_id="waits"),
        complete_workflow(),
    )
    await world.record_history(run_id=new_run_id)


@scenario()
async def activity_not_started(world: World) -> None:
    """An activity that nobody has started goes on in the new run."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue, input=payloads(1)))
    new_run_id = await world.reset(await _second_task(world, worker))
    await world.record_description("new run")
    task = await worker.poll_activity_task()
    world.record_reply("activity task", task)
    await worker.complete_activity(task, "done")
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=new_run_id)


@scenario()
async def activity_started(world: World) -> None:
    """An activity that a worker has just now starts again in the new run; the old attempt's answers come too late."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue))
    held = await worker.poll_activity_task()
    await worker.heartbeat(held, "progress")
    new_run_id = await world.reset(await _second_task(world, worker))
    await world.record_description("new run")
    await world.record_outcome("heartbeat", worker.heartbeat(held, "more"))
    await world.record_outcome("complete", worker.complete_activity(held, "old"))
    await world.record_outcome("fail", worker.fail_activity(held, application_failure("old")))
    task = await worker.poll_activity_task()
    world.record_reply("activity task", task)
    await worker.complete_activity(task, "new")
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=new_run_id)


@scenario()
async def activity_in_backoff(world: World) -> None:
    """An activity that waits for its third attempt starts with its first attempt in the new run, without a delay."""
    await world.start()
    worker = world.raw_worker()
    policy = retry_policy(initial=0.1, coefficient=500)
    await worker.next_workflow_task(schedule_activity("a", world.task_queue, retry_policy=policy))
    for number in (1, 2):
        task = await worker.poll_activity_task()
        await worker.fail_activity(task, application_failure(f"attempt {number}"))
    new_run_id = await world.reset(await _second_task(world, worker))
    await world.record_description("new run")
    task = await worker.poll_activity_task()
    world.record_reply("activity task", task)
    await worker.complete_activity(task)
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=new_run_id)


@scenario()
async def activities_that_ended(world: World) -> None:
    """What ended before the point is kept; what completed or failed after it is to be done again."""
    await world.start()
    worker = world.raw_worker()
    once = retry_policy(attempts=1)
    await worker.next_workflow_task(
        *(schedule_activity(activity_id, world.task_queue, retry_policy=once) for activity_id in ("a", "b", "c"))
    )
    tasks = {task.activity_id: task for task in [await worker.poll_activity_task() for _ in range(3)]}
    await worker.complete_activity(tasks["a"], "before")
    point = await worker.poll_workflow_task()
    await worker.complete_activity(tasks["b"], "within")
    await worker.complete_workflow_task(point)
    await worker.fail_activity(tasks["c"], application_failure("after"))
    await worker.next_workflow_task()
    new_run_id = await world.reset(point.started_event_id + 1)
    again = {task.activity_id: task for task in [await worker.poll_activity_task() for _ in range(2)]}
    world.record_value("again", sorted(again))
    await worker.complete_activity(again["b"], "again")
    await worker.complete_activity(again["c"], "again")
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=new_run_id)


@scenario()
async def activity_cancel_requested(world: World) -> None:
    """A cancel request of an activity before the point: the new run's attempt hears it by its heartbeat."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue))
    await worker.poll_activity_task()
    await world.signal()
    await worker.next_workflow_task(command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=5))
    new_run_id = await world.reset(await _second_task(world, worker))
    await world.record_description("new run")
    task = await worker.poll_activity_task()
    world.record_reply("heartbeat", await worker.heartbeat(task))
    await worker.cancel_activity(task, "stopped")
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=new_run_id)


@scenario()
async def running_child(world: World) -> None:
    """A child that was started before the point goes on, and reports to the new run."""
    first = await world.start()
    worker, child_worker = world.raw_worker(), world.child_worker()
    await worker.next_workflow_task(start_child(world.child_id, world.child_queue))
    point = await worker.poll_workflow_task()
    await worker.complete_workflow_task(point)
    child = await child_worker.poll_workflow_task()
    new_run_id = await world.reset(point.started_event_id + 1)
    await world.record_description("new run")
    await world.record_description("child", world.child_id)
    await worker.next_workflow_task()
    await child_worker.complete_workflow_task(child, complete_workflow("child done"))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=first)
    await world.record_history(run_id=new_run_id)


@scenario()
async def child_started_after(world: World) -> None:
    """A child that was initiated before the point and started after it: its start comes again, and later its end."""
    await world.start()
    worker, child_worker = world.raw_worker(), world.child_worker()
    point = await _initiate_child_before_the_point(world, worker)
    await worker.complete_workflow_task(point)
    await worker.next_workflow_task()
    new_run_id = await world.reset(point.started_event_id + 1)
    await world.record_description("new run")
    await world.record_history(run_id=new_run_id)
    await worker.next_workflow_task()
    await child_worker.next_workflow_task(complete_workflow("child done"))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=new_run_id)


async def _initiate_child_before_the_point(world: World, worker: RawWorker) -> PollWorkflowTaskQueueResponse:
    """Return a workflow task that started with the child's initiation, whose start waits in the buffer."""
    task = await worker.poll_workflow_task()
    reply = await worker.complete_workflow_task(
        task,
        start_child(world.child_id, world.child_queue),
        force_create_new_workflow_task=True,
        return_new_workflow_task=True,
    )

    async def child_started() -> bool:
        return bool((await world.describe()).pending_children[0].run_id)

    await world.eventually(child_started)
    return reply.workflow_task


@scenario()
async def child_ended_after(world: World) -> None:
    """Children that ended after the point: their ends come again in the new run."""
    await world.start()
    worker, child_worker = world.raw_worker(), world.child_worker()
    point = await _initiate_child_before_the_point(world, worker)
    await worker.complete_workflow_task(point)
    await worker.next_workflow_task()
    await child_worker.next_workflow_task(fail_workflow(application_failure("child failed")))
    await worker.next_workflow_task(complete_workflow())
    new_run_id = await world.reset(point.started_event_id + 1)
    await world.record_history(run_id=new_run_id)
    await world.record_description("new run")


@scenario()
async def child_started_by_a_later_command(world: World) -> None:
    """A child that was initiated after the point goes on, and the new run can't start another with its id."""
    first = await world.start()
    worker, child_worker = world.raw_worker(), world.child_worker()
    point = await worker.poll_workflow_task()
    await worker.complete_workflow_task(point, start_child(world.child_id, world.child_queue))
    await worker.next_workflow_task()
    await child_worker.next_workflow_task()
    new_run_id = await world.reset(point.started_event_id + 1)
    await world.record_history(run_id=first)
    await world.record_description("child", world.child_id)
    await worker.next_workflow_task(start_child(world.child_id, world.child_queue))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=new_run_id)
    await world.record_history(world.child_id)


@scenario()
async def child_started_by_a_later_command_of_the_same_id(world: World) -> None:
    """The same where the command of both runs has the same event id."""
    await world.start()
    worker = world.raw_worker()
    point = await worker.next_workflow_task()
    await world.signal()
    await worker.next_workflow_task(start_child(world.child_id, world.child_queue))
    await worker.next_workflow_task()
    new_run_id = await world.reset(point.started_event_id + 1)
    await worker.next_workflow_task(start_child(world.child_id, world.child_queue))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=new_run_id)


@scenario()
async def child_abandoned(world: World) -> None:
    """The same with a child that is to be abandoned."""
    await world.start()
    worker, child_worker = world.raw_worker(), world.child_worker()
    abandoned = start_child(world.child_id, world.child_queue, parent_close_policy="PARENT_CLOSE_POLICY_ABANDON")
    point = await worker.poll_workflow_task()
    await worker.complete_workflow_task(point, abandoned)
    await worker.next_workflow_task()
    await child_worker.next_workflow_task()
    new_run_id = await world.reset(point.started_event_id + 1)
    await worker.next_workflow_task(abandoned)
    await worker.next_workflow_task()
    await world.record_history(run_id=new_run_id)
    await world.record_description("child", world.child_id)


@scenario()
async def child_reset(world: World) -> None:
    """A child that is reset: its parent hears nothing of it until the new run ends, and then that."""
    parent_run_id = await world.start()
    worker, child_worker = world.raw_worker(), world.child_worker()
    await worker.next_workflow_task(start_child(world.child_id, world.child_queue))
    await worker.next_workflow_task()
    await child_worker.next_workflow_task()
    new_run_id = await world.reset(4, world.child_id)
    await world.record_description("parent")
    await child_worker.next_workflow_task(complete_workflow("after the reset"))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=parent_run_id)
    await world.record_history(world.child_id, new_run_id)


@scenario()
async def closed_child_reset(world: World) -> None:
    """A child that is reset after it closed: its parent has its end already and hears of no other."""
    parent_run_id = await world.start()
    worker, child_worker = world.raw_worker(), world.child_worker()
    await worker.next_workflow_task(start_child(world.child_id, world.child_queue))
    await worker.next_workflow_task()
    await child_worker.next_workflow_task(complete_workflow("first"))
    await worker.next_workflow_task()
    new_run_id = await world.reset(4, world.child_id)
    await child_worker.next_workflow_task(complete_workflow("after the reset"))
    await world.record_description("child", world.child_id, new_run_id)
    world.record_value("parent has a workflow task", (await world.describe()).HasField("pending_workflow_task"))
    await world.record_history(run_id=parent_run_id)


@scenario()
async def external_signal_sent_after(world: World) -> None:
    """A signal to another workflow before the point is kept with its end; after the point it is sent again."""
    target = world.workflow_id("target")
    await world.start(target, task_queue=TaskQueue(name=f"{world.task_queue}-target"))
    await world.start()
    worker = world.raw_worker()

    def send(name: str) -> Command:
        return command(
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION",
            execution=WorkflowExecution(workflow_id=target),
            signal_name=name,
            namespace=world.namespace,
        )

    await worker.next_workflow_task(send("before"))
    point = await worker.poll_workflow_task()
    await worker.complete_workflow_task(point, send("after"))
    await worker.next_workflow_task()
    new_run_id = await world.reset(point.started_event_id + 1)
    await worker.next_workflow_task(send("after"))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=new_run_id)
    await world.record_history(target)


@scenario()
async def properties(world: World) -> None:
    """Memo and search attributes of the new run are those of the reset point."""
    await world.start(
        memo=Memo(fields={"started": payload(1)}),
        search_attributes=SearchAttributes(indexed_fields={"DiffKeyword": payload("started")}),
    )
    worker = world.raw_worker()

    def upsert(word: str) -> tuple[Command, Command]:
        return (
            command(
                "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
                search_attributes=SearchAttributes(indexed_fields={"DiffKeyword": payload(word)}),
            ),
            command("MODIFY_WORKFLOW_PROPERTIES", upserted_memo=Memo(fields={word: payload(2)})),
        )

    await worker.next_workflow_task(*upsert("before"))
    await world.signal()
    point = await worker.poll_workflow_task()
    await worker.complete_workflow_task(point, *upsert("after"))
    for event_id in (4, point.started_event_id + 1):
        new_run_id = await world.reset(event_id, run_id=point.workflow_execution.run_id)
        await world.record_description(f"reset to {event_id}", run_id=new_run_id)
