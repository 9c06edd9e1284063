"""Children that are more than one run: retried, on a cron schedule, continued as new; a parent sees the chain's end."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.api.common.v1 import Header, Memo, Priority, SearchAttributes
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, ChildWorkflowError

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
)
from tests.differential.scenario import scenario
from tests.differential.world import World


async def _first_child_run_id(world: World) -> str:
    events = await world.wait_for_events(7)
    return events[5].child_workflow_execution_started_event_attributes.workflow_execution.run_id


async def _end(world: World, runs: int, events: int = 8) -> None:
    """Complete the parent once it has `events` events; record it and the child's `runs` runs."""
    run_id = await _first_child_run_id(world)
    await world.wait_for_events(events)
    await world.raw_worker().next_workflow_task(complete_workflow())
    await world.record_history()
    await world.record_chain(run_id, runs, world.child_id)


@scenario()
async def continued_as_new(world: World) -> None:
    """A child continues as new twice: the parent sees one start, of the first run, and the last run's result."""
    await world.start()
    child = world.child_worker()
    await world.raw_worker().next_workflow_task(
        start_child(
            world.child_id,
            child.task_queue,
            input=payloads("first"),
            memo=Memo(fields={"m": payload("v")}),
            search_attributes=SearchAttributes(indexed_fields={"DiffKeyword": payload("k")}),
            header=Header(fields={"h": payload("v")}),
            priority=Priority(priority_key=2),
            workflow_run_timeout=seconds(50),
        )
    )
    for number in range(2):
        await child.next_workflow_task(
            command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", input=payloads(number), backoff_start_interval=seconds(1))
        )
    task = await child.poll_workflow_task()
    await world.record_description("parent")
    await world.record_description("child", world.child_id)
    await child.complete_workflow_task(task, complete_workflow("last"))
    await _end(world, 3)


@scenario()
async def retried_until_success(world: World) -> None:
    """A child fails and is retried: the parent only sees the second run's result."""
    await world.start()
    child = world.child_worker()
    await world.raw_worker().next_workflow_task(
        start_child(world.child_id, child.task_queue, retry_policy=retry_policy(initial=1, coefficient=1, attempts=3))
    )
    await child.next_workflow_task(fail_workflow(application_failure("first")))
    await child.next_workflow_task(complete_workflow("second"))
    await _end(world, 2)


@scenario()
async def attempts_used_up(world: World) -> None:
    """A child fails as often as its policy allows: the parent sees the last failure and the retry state."""
    await world.start()
    child = world.child_worker()
    await world.raw_worker().next_workflow_task(
        start_child(world.child_id, child.task_queue, retry_policy=retry_policy(initial=1, coefficient=1, attempts=2))
    )
    for number in range(2):
        await child.next_workflow_task(fail_workflow(application_failure(f"failure {number}")))
    await _end(world, 2)


@scenario()
async def not_retried(world: World) -> None:
    """A child's non-retryable failure reaches the parent at once, with the retry state."""
    await world.start()
    child = world.child_worker()
    await world.raw_worker().next_workflow_task(
        start_child(world.child_id, child.task_queue, retry_policy=retry_policy(initial=1, attempts=3))
    )
    await child.next_workflow_task(fail_workflow(application_failure("final", non_retryable=True)))
    await _end(world, 1)


@scenario()
async def terminated_in_backoff(world: World) -> None:
    """A child that waits for its retry is terminated: the parent hears of the second run's end."""
    await world.start()
    child = world.child_worker()
    await world.raw_worker().next_workflow_task(
        start_child(world.child_id, child.task_queue, retry_policy=retry_policy(initial=60))
    )
    await child.next_workflow_task(fail_workflow(application_failure("first")))
    run_id = await _first_child_run_id(world)
    await world.wait_closed(world.child_id, run_id)
    await world.terminate(world.child_id)
    await _end(world, 2)


@scenario()
async def cancelled_in_backoff(world: World) -> None:
    """A parent cancels its child that waits for its retry: the next run gets its task at once."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(
        start_child(world.child_id, child.task_queue, retry_policy=retry_policy(initial=60))
    )
    await child.next_workflow_task(fail_workflow(application_failure("first")))
    run_id = await _first_child_run_id(world)
    await world.wait_closed(world.child_id, run_id)
    await parent.next_workflow_task(
        command("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION", workflow_id=world.child_id, child_workflow_only=True)
    )
    await world.wait_for_events(12)
    await child.next_workflow_task(command("CANCEL_WORKFLOW_EXECUTION"))
    await _end(world, 2, events=13)


@scenario()
async def retried_after_a_run_timeout(world: World) -> None:
    """A child run that times out is retried until its execution timeout; the parent sees one timeout."""
    await world.start()
    await world.raw_worker().next_workflow_task(
        start_child(
            world.child_id,
            world.child_queue,
            workflow_run_timeout=seconds(1),
            retry_policy=retry_policy(initial=1, coefficient=1, attempts=2),
        )
    )
    await _end(world, 2)


@scenario()
async def cron(world: World) -> None:
    """A cron child never completes for its parent; cancelling it ends the chain."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue, cron_schedule="@every 1s"))
    run_id = await _first_child_run_id(world)
    await child.next_workflow_task(complete_workflow("one"))
    await child.next_workflow_task(complete_workflow("two"))
    task = await child.poll_workflow_task()
    await world.record_description("parent")
    await world.cancel(world.child_id)
    await child.complete_workflow_task(task)
    await child.next_workflow_task(command("CANCEL_WORKFLOW_EXECUTION"))
    await world.wait_for_events(8)
    await parent.next_workflow_task(complete_workflow())
    await world.record_history()
    await world.record_chain(run_id, 3, world.child_id)


@scenario()
async def cron_child_that_waits(world: World) -> None:
    """A cron child has started for its parent before its first run is due; its parent's close reaches it there."""
    await world.start()
    parent = world.raw_worker()
    await parent.next_workflow_task(start_child(world.child_id, world.child_queue, cron_schedule="@every 1h"))
    await world.wait_for_events(7)
    await world.record_description("child", world.child_id)
    await parent.next_workflow_task(complete_workflow())
    await world.wait_closed(world.child_id)
    await world.record_history(world.child_id)


@scenario()
async def cron_child_of_a_closed_parent(world: World) -> None:
    """The parent close policy reaches the run that a cron child has come to."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue, cron_schedule="@every 1s"))
    run_id = await _first_child_run_id(world)
    await child.next_workflow_task(complete_workflow("one"))
    await world.wait_closed(world.child_id, run_id)
    await child.next_workflow_task()
    await parent.next_workflow_task(complete_workflow())
    await world.wait_closed(world.child_id)
    await world.record_chain(run_id, 2, world.child_id)


@scenario()
async def child_that_fails_after_continuing(world: World) -> None:
    """A failure of a child's later run reaches the parent under the later run's id."""
    await world.start()
    child = world.child_worker()
    await world.raw_worker().next_workflow_task(start_child(world.child_id, child.task_queue))
    await world.wait_for_events(7)
    await world.age()
    await child.next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"))
    await child.next_workflow_task(fail_workflow(application_failure("late")))
    await _end(world, 2)


@scenario()
async def parent_that_continued_as_new(world: World) -> None:
    """An abandoned child of a parent that has continued as new ends: the next run hears nothing of it."""
    run_id = await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(
        start_child(world.child_id, child.task_queue, parent_close_policy="PARENT_CLOSE_POLICY_ABANDON")
    )
    await world.wait_for_events(7)
    await world.age()
    await parent.next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"))
    await child.next_workflow_task(complete_workflow("nobody hears this"))
    await world.wait_closed(world.child_id)
    await parent.next_workflow_task(complete_workflow())
    await world.record_chain(run_id, 2)
    await world.record_history(world.child_id)


@scenario()
async def execution_timeout_over_a_chain(world: World) -> None:
    """A child's execution timeout counts from its first run, however often it continues as new."""
    await world.start()
    child = world.child_worker()
    await world.raw_worker().next_workflow_task(
        start_child(world.child_id, child.task_queue, workflow_execution_timeout=seconds(3))
    )
    await world.wait_for_events(7)
    await world.age()
    await child.next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"))
    await _end(world, 2)


@workflow.defn
class FailsOnce:
    @workflow.run
    async def run(self, message: str) -> int:
        if workflow.info().attempt < 3:
            raise ApplicationError(message, type="Flaky")
        return workflow.info().attempt


@workflow.defn
class RetriesItsChild:
    @workflow.run
    async def run(self) -> list[str]:
        results = []
        for attempts in (3, 2):
            try:
                attempt = await workflow.execute_child_workflow(
                    FailsOnce.run,
                    "flaky",
                    id=f"{workflow.info().workflow_id}-{attempts}",
                    retry_policy=RetryPolicy(
                        initial_interval=timedelta(milliseconds=100), backoff_coefficient=1, maximum_attempts=attempts
                    ),
                )
                results.append(f"attempt {attempt}")
            except ChildWorkflowError as error:
                results.append(f"{error.retry_state and error.retry_state.name} {error.cause}")
        return results


@scenario()
async def sdk_retries(world: World) -> None:
    """An SDK parent gets the result of its child's third attempt, and the error of one that has only two."""
    async with world.worker([RetriesItsChild, FailsOnce]):
        handle = await world.client.start_workflow(
            RetriesItsChild.run, id=world.workflow_id(), task_queue=world.task_queue
        )
        world.record_value("result", await handle.result())
