"""Limits that a run or a request reaches, on a server where they are small."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Memo, WorkflowExecution, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    RespondActivityTaskCompletedByIdRequest,
    SignalWithStartWorkflowExecutionRequest,
)

from tests.differential.raw_worker import (
    command,
    complete_workflow,
    payload,
    payloads,
    schedule_activity,
    start_child,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.world import World

# Over the limits of the server: 8 KiB for a payload, 2 KiB for a memo.
OVERSIZE = "x" * 9000
# Over the size from which failures are cut.
LONG = "y" * 5000
OVERSIZE_MEMO = Memo(fields={"m": payload("x" * 3000)})


def _signal_external(world: World, name: str = "go", **attributes: Any) -> Command:
    return command(
        "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION",
        namespace=world.namespace,
        execution=WorkflowExecution(workflow_id="limits-nobody"),
        signal_name=name,
        **attributes,
    )


def _cancel_external(world: World, number: int) -> Command:
    return command(
        "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION", namespace=world.namespace, workflow_id=f"limits-nobody-{number}"
    )


@scenario(server="small_limits")
async def pending_activities(world: World) -> None:
    """An activity too many fails the workflow task; once others have ended there is room again."""
    await world.record_task_with(
        "four at once", *(schedule_activity(f"{number}", world.task_queue) for number in range(4))
    )
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(*(schedule_activity(f"{number}", f"{world.task_queue}-3") for number in range(3)))
    await world.signal()
    task = await worker.poll_workflow_task()
    await world.record_outcome(
        "fourth", worker.complete_workflow_task(task, schedule_activity("fourth", world.task_queue))
    )
    await world.record_history()
    task = await worker.poll_workflow_task()
    await worker.complete_workflow_task(task)
    for activity_id in ("0", "1"):
        await world.call(
            RespondActivityTaskCompletedByIdRequest(
                namespace=world.namespace, workflow_id=world.workflow_id(), activity_id=activity_id
            )
        )
        await worker.next_workflow_task()
    await world.signal()
    task = await worker.poll_workflow_task()
    cancel = command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=7)
    await world.record_outcome(
        "third again",
        worker.complete_workflow_task(
            task,
            cancel,
            *(schedule_activity(f"new-{number}", f"{world.task_queue}-3") for number in range(3)),
            complete_workflow(),
        ),
    )
    await world.record_history()


@scenario(server="small_limits")
async def pending_child_executions(world: World) -> None:
    """A child too many fails the workflow task."""
    children = [start_child(f"{world.child_id}-{number}", world.child_queue) for number in range(4)]
    await world.record_task_with("four at once", *children)
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(*children[:3])

    async def started() -> bool:
        pending = (await world.describe()).pending_children
        return all(child.run_id for child in pending)

    await world.eventually(started)
    await world.signal()
    task = await worker.poll_workflow_task()
    await world.record_outcome("fourth", worker.complete_workflow_task(task, children[3]))
    world.record_reply("last event", (await world.history())[-1])


@scenario(server="small_limits")
async def pending_signals(world: World) -> None:
    """A signal to another workflow too many fails the workflow task."""
    await world.record_task_with("four at once", *(_signal_external(world, f"{number}") for number in range(4)))


@scenario(server="small_limits")
async def pending_cancel_requests(world: World) -> None:
    """A cancel request to another workflow too many fails the workflow task."""
    await world.record_task_with("four at once", *(_cancel_external(world, number) for number in range(4)))


@scenario(server="small_limits")
async def signals(world: World) -> None:
    """A run takes a number of signals and refuses the next, and one with start, and one from another workflow."""
    await world.start()
    for number in range(5):
        await world.signal("", "go", number)
    await world.record_outcome("sixth", world.signal())
    await world.record_call(
        "with start",
        SignalWithStartWorkflowExecutionRequest(
            namespace=world.namespace,
            workflow_id=world.workflow_id(),
            workflow_type=WorkflowType(name="RawWorkflow"),
            task_queue=TaskQueue(name=world.task_queue),
            signal_name="go",
            request_id="sws",
        ),
    )
    await world.cancel()
    await world.record_history()
    sender = world.workflow_id("sender")
    queue = f"{world.task_queue}-sender"
    await world.start(sender, task_queue=TaskQueue(name=queue))
    worker = world.raw_worker(task_queue=queue)
    await worker.next_workflow_task(
        command(
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION",
            namespace=world.namespace,
            execution=WorkflowExecution(workflow_id=world.workflow_id()),
            signal_name="go",
        )
    )
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(sender)


@scenario(server="small_limits")
async def signals_after_continue_as_new(world: World) -> None:
    """The next run of a chain, and the new run of a reset, count anew or go on counting."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    for number in range(5):
        await world.signal("", "go", number)
    await world.reset(4, run_id=run_id)
    await world.record_outcome("after the reset", world.signal())
    await worker.next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"))
    await world.record_outcome("after the continuation", world.signal())


@scenario(server="small_limits")
async def buffered_events(world: World) -> None:
    """Too many events during a workflow task fail it, and they are written."""
    await world.start()
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    for number in range(5):
        await world.record_outcome(f"signal {number}", world.signal("", "go", number))
    await world.record_outcome("answer", worker.complete_workflow_task(task, complete_workflow()))
    await world.record_history()


@scenario(server="small_limits")
async def suggested_continue_as_new(world: World) -> None:
    """A long history and a big history make the server suggest to continue as new."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(*(start_timer(f"{number}", 60) for number in range(8)))
    for _ in range(2):
        await world.signal()
        task = await worker.next_workflow_task()
        world.record_reply("task", task.history.events[-1])
    big = world.workflow_id("big")
    queue = TaskQueue(name=f"{world.task_queue}-big")
    await world.start(big, task_queue=queue, input=payloads("x" * 7000))
    worker = world.raw_worker(task_queue=queue.name)
    task = await worker.next_workflow_task()
    world.record_reply("small enough", task.history.events[-1])
    await world.signal(big, "go", "x" * 7000)
    task = await worker.next_workflow_task(complete_workflow())
    world.record_reply("big", task.history.events[-1])


@scenario(server="small_limits", live_sample=True)
async def history_count(world: World) -> None:
    """A history with too many events ends the run: by the command that reaches the limit."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(*(start_timer(f"{number}", 60) for number in range(20)))
    await world.signal()
    task = await worker.poll_workflow_task()
    await world.record_outcome(
        "completed",
        worker.complete_workflow_task(task, *(start_timer(f"more-{number}", 60) for number in range(20))),
    )
    await world.record_outcome("signal", world.signal())
    await world.record_history()


@scenario(server="small_limits")
async def history_count_reached_by_a_signal(world: World) -> None:
    """The signal that finds the history over its limit ends the run; a signal counts once it is written."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(*(start_timer(f"{number}", 60) for number in range(33)))
    for number in range(4):
        await world.record_outcome(f"signal {number}", world.signal("", "go", number))
    await world.record_history()


@scenario(server="small_limits")
async def history_count_boundary(world: World) -> None:
    """How many events a run may have when a signal, and the workflow task that it schedules, come to them."""
    for events in (37, 38, 39, 40):
        workflow_id = world.workflow_id(f"{events}")
        queue = TaskQueue(name=f"{world.task_queue}-{events}")
        await world.start(workflow_id, task_queue=queue)
        worker = world.raw_worker(task_queue=queue.name)
        timers = (start_timer(f"{number}", 60) for number in range(events - 4))
        await world.record_outcome(
            f"{events}: workflow task", worker.complete_workflow_task(await worker.poll_workflow_task(), *timers)
        )
        await world.record_outcome(f"{events}: signal", world.signal(workflow_id))
        await _record_end(world, f"{events}: end", workflow_id)


@scenario(server="small_limits")
async def history_count_reached_by_an_activity(world: World) -> None:
    """An activity's answer that does not fit into the history is refused and ends the run."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        *(start_timer(f"{number}", 60) for number in range(34)), schedule_activity("a", world.task_queue)
    )
    task = await worker.poll_activity_task()
    await world.record_outcome("answer", worker.complete_activity(task, "done"))
    await world.record_outcome("answer again", worker.complete_activity(task, "done"))
    await _record_end(world, "end")


@scenario(server="small_limits")
async def history_count_reached_by_a_timer(world: World) -> None:
    """A timer that does not fit into the history ends the run instead of firing."""
    await world.start()
    await world.raw_worker().next_workflow_task(
        *(start_timer(f"{number}", 60) for number in range(35)), start_timer("t", 1)
    )
    await world.wait_closed()
    await _record_end(world, "end")


@scenario(server="small_limits")
async def history_size(world: World) -> None:
    """The signal that finds the history over its size ends the run."""
    await world.start(input=payloads("x" * 7000))
    worker = world.raw_worker()
    await worker.next_workflow_task()
    for number in range(4):
        await world.record_outcome(f"signal {number}", world.signal("", "go", "x" * 7000))
    await world.record_history()


@scenario(server="small_limits")
async def history_size_reached_by_a_task(world: World) -> None:
    """A workflow task may make the history too big; a poll for the next one ends the run and gets nothing."""
    await world.start(input=payloads("x" * 7000))
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    marker = command("RECORD_MARKER", marker_name="m", details={"d": payloads("x" * 7000)})
    await world.record_outcome(
        "completed",
        worker.complete_workflow_task(task, marker, marker, marker, force_create_new_workflow_task=True),
    )
    poll = asyncio.ensure_future(worker.poll_workflow_task())
    await world.wait_closed()
    await world.start("", request_id="second", input=payloads("second"))
    world.record_reply("what the poll gets", await poll)
    await world.record_history(run_id=task.workflow_execution.run_id)


@scenario(server="small_limits")
async def state_size(world: World) -> None:
    """Heartbeat details that make the state too big are refused and end the run."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(*(schedule_activity(f"{number}", world.task_queue) for number in range(3)))
    tasks = [await worker.poll_activity_task() for _ in range(3)]
    for number, task in enumerate(tasks):
        await world.record_outcome(f"heartbeat {number}", worker.heartbeat(task, "x" * 8000))
    await world.record_outcome("signal", world.signal())
    await _record_end(world, "end")


async def _record_end(world: World, name: str, workflow_id: str = "") -> None:
    """Record how many events a run has, and the last of them."""
    events = await world.history(workflow_id)
    world.record_value(f"{name}: events", len(events))
    world.record_reply(f"{name}: last event", events[-1])
