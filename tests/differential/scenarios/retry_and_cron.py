"""Workflow retries and cron schedules: chains of runs, and what each run inherits."""

from __future__ import annotations

from temporalio.api.common.v1 import Memo

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    payload,
    payloads,
    retry_policy,
    seconds,
)
from tests.differential.scenario import scenario
from tests.differential.world import World


@scenario()
async def retried_until_success(world: World) -> None:
    """A failed run is followed by another one after the backoff, with the failure."""
    run_id = await world.start(
        input=payloads("in"),
        memo=Memo(fields={"m": payload("v")}),
        retry_policy=retry_policy(initial=1, coefficient=1, attempts=3),
    )
    worker = world.raw_worker()
    await worker.next_workflow_task(fail_workflow(application_failure("first")))
    await world.record_description("in backoff")
    task = await worker.poll_workflow_task()
    world.record_reply("second run's task", task)
    await worker.complete_workflow_task(task, complete_workflow("ok"))
    await world.record_chain(run_id, 2)


@scenario()
async def attempts_used_up(world: World) -> None:
    """The last attempt's failure is the end."""
    run_id = await world.start(retry_policy=retry_policy(initial=1, coefficient=1, attempts=2))
    worker = world.raw_worker()
    for number in range(2):
        await worker.next_workflow_task(fail_workflow(application_failure(f"failure {number}")))
    await world.record_chain(run_id, 2)


@scenario()
async def not_retried(world: World) -> None:
    """Non-retryable failures and types that the policy names end the chain; without a policy there is none."""
    policy = retry_policy(initial=1, non_retryable=("Fatal",))
    cases = {
        "flag": (policy, application_failure("flag", non_retryable=True)),
        "type": (policy, application_failure("type", type_name="Fatal")),
        "no-policy": (None, application_failure("no policy")),
    }
    for name, (workflow_policy, failure) in cases.items():
        workflow_id = world.workflow_id(name)
        await world.start(workflow_id, retry_policy=workflow_policy)
        await world.raw_worker().next_workflow_task(fail_workflow(failure))
        await world.record_history(workflow_id)


@scenario()
async def next_retry_delay(world: World) -> None:
    """The failure's `next_retry_delay` replaces the backoff of the policy."""
    run_id = await world.start(retry_policy=retry_policy(initial=60, attempts=2))
    worker = world.raw_worker()
    await worker.next_workflow_task(fail_workflow(application_failure("soon", next_retry_delay=seconds(1))))
    await worker.next_workflow_task(complete_workflow())
    await world.record_chain(run_id, 2)


@scenario()
async def retried_after_a_run_timeout(world: World) -> None:
    """A run that times out is retried, too."""
    run_id = await world.start(
        workflow_run_timeout=seconds(1), retry_policy=retry_policy(initial=1, coefficient=1, attempts=2)
    )
    await world.wait_closed(run_id=run_id)
    await world.raw_worker().next_workflow_task(complete_workflow())
    await world.record_chain(run_id, 2)


@scenario()
async def retry_stops_at_the_execution_timeout(world: World) -> None:
    """No retry whose backoff would end after the execution timeout."""
    run_id = await world.start(workflow_execution_timeout=seconds(5), retry_policy=retry_policy(initial=30))
    await world.raw_worker().next_workflow_task(fail_workflow(application_failure("once")))
    await world.record_chain(run_id, 1)


@scenario()
async def cron(world: World) -> None:
    """Each run of a cron workflow ends by continuing as new, with the last result and the last failure."""
    run_id = await world.start(cron_schedule="@every 1s", input=payloads("in"), memo=Memo(fields={"m": payload("v")}))
    await world.record_description("before the first run")
    worker = world.raw_worker()
    await worker.next_workflow_task(complete_workflow("result 1"))
    await worker.next_workflow_task(fail_workflow(application_failure("failure 2")))
    await worker.next_workflow_task(complete_workflow("result 3"))
    await world.record_chain(run_id, 3)
    await world.terminate()
    await world.record_history()


@scenario()
async def cron_with_retry(world: World) -> None:
    """A failed run is retried first; the retry is another attempt, and cron goes on after it."""
    run_id = await world.start(
        cron_schedule="@every 1s", retry_policy=retry_policy(initial=1, coefficient=1, attempts=2)
    )
    worker = world.raw_worker()
    await worker.next_workflow_task(fail_workflow(application_failure("first")))
    await worker.next_workflow_task(fail_workflow(application_failure("second")))
    await worker.next_workflow_task(complete_workflow("third"))
    await world.record_chain(run_id, 3)
    await world.terminate()


@scenario()
async def cron_ends(world: World) -> None:
    """Cancelling ends a cron chain; continue-as-new goes on at once, with the schedule that its command says."""
    run_id = await world.start(cron_schedule="@every 1s")
    worker = world.raw_worker()
    await worker.next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", cron_schedule="@every 1s"))
    await worker.next_workflow_task(complete_workflow("one"))
    task = await worker.poll_workflow_task()
    await world.cancel()
    await worker.complete_workflow_task(task)
    await worker.next_workflow_task(command("CANCEL_WORKFLOW_EXECUTION"))
    await world.record_chain(run_id, 3)


@scenario()
async def cron_run_timeout(world: World) -> None:
    """A cron run that times out is followed by the next one."""
    run_id = await world.start(cron_schedule="@every 1s", workflow_run_timeout=seconds(1))
    await world.wait_closed(run_id=run_id)
    await world.raw_worker().next_workflow_task(complete_workflow("done"))
    await world.record_chain(run_id, 2)
    await world.terminate()


@scenario()
async def signal_before_the_first_cron_run(world: World) -> None:
    """A signal does not start a cron workflow before its time."""
    await world.start(cron_schedule="@every 2s")
    await world.signal()
    await world.record_history()
    task = await world.raw_worker().poll_workflow_task()
    world.record_value("events in the first task", len(task.history.events))
    await world.terminate()
    await world.record_history()


@scenario()
async def cron_left_by_continue_as_new(world: World) -> None:
    """Continue-as-new without a schedule leaves the cron chain."""
    run_id = await world.start(cron_schedule="@every 1s")
    worker = world.raw_worker()
    await worker.next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"))
    await worker.next_workflow_task(complete_workflow("one"))
    await world.record_chain(run_id, 2)
