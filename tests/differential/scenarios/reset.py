"""Reset of a workflow: to which events, of which runs, and what the old and the new run show."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

from tests.differential.raw_worker import (
    RawWorker,
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    retry_policy,
    seconds,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.world import World

FIRST_COMPLETED = 4
# A second is what the server would wait at most by itself, less the time that the run took.
CONTINUE_AS_NEW = command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", backoff_start_interval=seconds(1))
SECOND_COMPLETED = 8


async def _two_tasks(world: World) -> tuple[str, RawWorker]:
    """Start a run that completes two workflow tasks, events 4 and 8, and stays open."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.signal(name="between")
    await worker.next_workflow_task()
    return run_id, worker


async def _record_reset(world: World, worker: RawWorker, event_id: int, run_id: str = "") -> str:
    """Reset, record both runs, complete the new one and return its id."""
    old_run_id = run_id or (await world.describe()).workflow_execution_info.execution.run_id
    reply = await world.record_call("reset", world.reset_request(event_id, run_id=run_id))
    await world.record_history(run_id=old_run_id)
    await world.record_description("old run", run_id=old_run_id)
    await world.record_description("new run", run_id=reply.run_id)
    await worker.next_workflow_task(complete_workflow("after the reset"))
    await world.record_history(run_id=reply.run_id)
    return str(reply.run_id)


@scenario(live_sample=True)
async def first_workflow_task(world: World) -> None:
    """Reset of a running workflow to its first workflow task ends the old run and goes on in a new one."""
    _, worker = await _two_tasks(world)
    await _record_reset(world, worker, FIRST_COMPLETED)


@scenario()
async def last_workflow_task(world: World) -> None:
    """Reset of a running workflow to its last workflow task."""
    _, worker = await _two_tasks(world)
    await _record_reset(world, worker, SECOND_COMPLETED)


@scenario()
async def to_a_started_event(world: World) -> None:
    """The event id of a WorkflowTaskStarted: the reset writes a start of its own and fails that."""
    _, worker = await _two_tasks(world)
    await _record_reset(world, worker, SECOND_COMPLETED - 1)


@scenario()
async def to_a_failed_event(world: World) -> None:
    """The event id of a WorkflowTaskFailed."""
    await world.start()
    worker = world.raw_worker()
    await worker.fail_workflow_task(await worker.poll_workflow_task())
    await worker.next_workflow_task()
    await _record_reset(world, worker, 4)


@scenario()
async def to_a_timed_out_event(world: World) -> None:
    """The event id of a WorkflowTaskTimedOut."""
    await world.start(workflow_task_timeout=seconds(1))
    worker = world.raw_worker()
    await worker.poll_workflow_task()
    await worker.next_workflow_task()
    await _record_reset(world, worker, 4)


@scenario()
async def completed_run(world: World) -> None:
    """Reset of a completed run, which stays as it is."""
    run_id, worker = await _two_tasks(world)
    await world.signal()
    await worker.next_workflow_task(complete_workflow("done"))
    await _record_reset(world, worker, SECOND_COMPLETED, run_id)


@scenario()
async def failed_run(world: World) -> None:
    """Reset of a failed run to the workflow task that failed it."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(fail_workflow(application_failure("broken")))
    await _record_reset(world, worker, FIRST_COMPLETED, run_id)


@scenario()
async def cancelled_run(world: World) -> None:
    """Reset of a cancelled run to a workflow task before the cancel request, which is not asked again."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.cancel(reason="enough")
    await worker.next_workflow_task(command("CANCEL_WORKFLOW_EXECUTION"))
    await _record_reset(world, worker, FIRST_COMPLETED, run_id)


@scenario()
async def cancel_requested_before(world: World) -> None:
    """A cancel request before the reset point is kept in the new run."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.cancel(reason="enough")
    await worker.next_workflow_task()
    await _record_reset(world, worker, SECOND_COMPLETED)


@scenario()
async def terminated_run(world: World) -> None:
    """Reset of a terminated run."""
    run_id, worker = await _two_tasks(world)
    await world.terminate(reason="enough")
    await _record_reset(world, worker, FIRST_COMPLETED, run_id)


@scenario()
async def timed_out_run(world: World) -> None:
    """Reset of a run that timed out: the new run has its whole run timeout again, and times out too."""
    run_id = await world.start(workflow_run_timeout=seconds(2))
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.wait_closed()
    new_run_id = await world.reset(FIRST_COMPLETED)
    await world.record_history(run_id=run_id)
    await world.record_description("new run", run_id=new_run_id)
    await worker.next_workflow_task()
    await world.wait_closed(run_id=new_run_id)
    await world.record_history(run_id=new_run_id)


@scenario()
async def continued_run(world: World) -> None:
    """Reset of the first run of a chain while its second run is open: that one is terminated."""
    first = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(CONTINUE_AS_NEW)
    second = await worker.poll_workflow_task()
    await worker.complete_workflow_task(second)
    await _record_reset(world, worker, FIRST_COMPLETED, first)
    await world.record_history(run_id=second.workflow_execution.run_id)
    await world.record_description("second run", run_id=second.workflow_execution.run_id)


@scenario()
async def second_run_of_a_chain(world: World) -> None:
    """Reset of the current run of a chain keeps the id of the first run of the chain."""
    first = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(CONTINUE_AS_NEW)
    await worker.next_workflow_task()
    await _record_reset(world, worker, FIRST_COMPLETED)
    await world.record_description("first run", run_id=first)


@scenario()
async def retried_run(world: World) -> None:
    """Reset of the first attempt of a workflow with a retry policy while its second attempt is open."""
    first = await world.start(retry_policy=retry_policy(initial=1))
    worker = world.raw_worker()
    await worker.next_workflow_task(fail_workflow(application_failure("first attempt")))
    await worker.next_workflow_task()
    new_run_id = await world.reset(FIRST_COMPLETED, run_id=first)
    await worker.next_workflow_task(fail_workflow(application_failure("after the reset")))
    await world.record_history(run_id=new_run_id)
    task = await worker.poll_workflow_task()
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history(run_id=task.workflow_execution.run_id)


@scenario()
async def cron_run(world: World) -> None:
    """Reset of a cron run: the new run goes on at once, and the schedule goes on after it."""
    run_id = await world.start(cron_schedule="@every 1s")
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await worker.complete_workflow_task(task)
    new_run_id = await world.reset(FIRST_COMPLETED, run_id=run_id)
    await worker.next_workflow_task(complete_workflow("one"))
    await world.record_history(run_id=new_run_id)
    await world.record_description("new run", run_id=new_run_id)
    await world.terminate()


@scenario()
async def reset_run(world: World) -> None:
    """Reset of the new run, then of the old one once more: each time the current run is terminated."""
    first, worker = await _two_tasks(world)
    second = await world.reset(SECOND_COMPLETED, run_id=first)
    await worker.next_workflow_task()
    third = await world.reset(FIRST_COMPLETED, request_id="second-reset")
    await worker.next_workflow_task()
    fourth = await world.reset(SECOND_COMPLETED, run_id=first, request_id="third-reset")
    await worker.next_workflow_task(complete_workflow())
    for name, run_id in {"first": first, "second": second, "third": third, "fourth": fourth}.items():
        await world.record_description(name, run_id=run_id)
        await world.record_history(run_id=run_id)


@scenario()
async def closed_run_behind_an_open_one(world: World) -> None:
    """Reset of a run that closed before another was started under its id: the open one is terminated."""
    first = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(complete_workflow("first"))
    second = await world.start(request_id="second")
    await worker.next_workflow_task(start_timer("t", 60))
    await world.signal(name="second-run-signal")
    third = await world.reset(FIRST_COMPLETED, run_id=first)
    for name, run_id in {"first": first, "second": second, "third": third}.items():
        await world.record_history(run_id=run_id)
        if name != "second":
            await world.record_description(name, run_id=run_id)


@scenario()
async def request_repeated(world: World) -> None:
    """A repeated reset request resets again, the start request is still recognised: its id is the one that is kept."""
    run_id, worker = await _two_tasks(world)
    request = world.reset_request(SECOND_COMPLETED)
    await world.record_call("first", request)
    await world.record_call("again", request)
    await world.record_call("start again", world.start_request())
    await worker.next_workflow_task(complete_workflow())
    await world.record_call("again, by the old run", world.reset_request(SECOND_COMPLETED, run_id=run_id))
    await world.record_call("other id", world.reset_request(SECOND_COMPLETED, run_id=run_id, request_id="other"))
    await world.record_history()


@scenario()
async def during_a_workflow_task(world: World) -> None:
    """Reset while a worker has a workflow task: what the worker answers comes too late."""
    run_id, worker = await _two_tasks(world)
    await world.signal(name="third")
    held = await worker.poll_workflow_task()
    new_run_id = await world.reset(SECOND_COMPLETED)
    await world.record_outcome("late answer", worker.complete_workflow_task(held, complete_workflow()))
    await world.record_outcome("late failure", worker.fail_workflow_task(held))
    await world.record_history(run_id=run_id)
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=new_run_id)


@scenario()
async def to_the_running_workflow_task(world: World) -> None:
    """Reset to the workflow task that a worker has just now."""
    run_id = await world.start()
    worker = world.raw_worker()
    held = await worker.poll_workflow_task()
    new_run_id = await world.reset(3)
    await world.record_outcome("late answer", worker.complete_workflow_task(held, complete_workflow()))
    await world.record_history(run_id=run_id)
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=new_run_id)


@scenario()
async def with_buffered_events(world: World) -> None:
    """Reset while signals wait in the buffer of a running workflow task: they are in both runs."""
    run_id, worker = await _two_tasks(world)
    await world.signal(name="third")
    await worker.poll_workflow_task()
    await world.signal("", "buffered", 1)
    await world.signal("", "buffered", 2)
    new_run_id = await world.reset(FIRST_COMPLETED)
    await world.record_history(run_id=run_id)
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=new_run_id)


@scenario()
async def during_transient_attempts(world: World) -> None:
    """Reset while workflow tasks keep failing, to the one that completed before."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.signal()
    await worker.fail_workflow_task(await worker.poll_workflow_task())
    await worker.fail_workflow_task(await worker.poll_workflow_task())
    await worker.poll_workflow_task()
    new_run_id = await world.reset(FIRST_COMPLETED)
    await world.record_history(run_id=run_id)
    task = await worker.poll_workflow_task()
    world.record_reply("next workflow task", task)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history(run_id=new_run_id)


@activity.defn
async def say(word: str) -> str:
    return word


@workflow.defn
class SaysTwice:
    def __init__(self) -> None:
        self.seen: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        first = await workflow.execute_activity(say, "first", start_to_close_timeout=timedelta(seconds=10))
        await workflow.wait_condition(lambda: len(self.seen) == 2)
        return [first, *self.seen]

    @workflow.signal
    def add(self, word: str) -> None:
        self.seen.append(word)


@scenario()
async def sdk_after_the_close(world: World) -> None:
    """An SDK workflow that completed is reset to its first task, sees its signals again and completes again."""
    async with world.worker([SaysTwice], [say]):
        handle = await world.client.start_workflow(SaysTwice.run, id=world.workflow_id(), task_queue=world.task_queue)
        await world.wait_for_events(10)
        await handle.signal(SaysTwice.add, "one")
        await world.wait_for_events(14)
        await handle.signal(SaysTwice.add, "two")
        world.record_value("result", await handle.result())
        new_run_id = await world.reset(FIRST_COMPLETED, run_id=handle.first_execution_run_id or "")
        world.record_value(
            "result after the reset", await world.client.get_workflow_handle(world.workflow_id()).result()
        )
    await world.record_history(run_id=new_run_id)
    await world.record_description("new run", run_id=new_run_id)
    await world.record_description("old run", run_id=handle.first_execution_run_id or "")
