"""What of time skipping goes over to the next run of a chain, to children, and to the run that a reset makes."""

from __future__ import annotations

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import TimeSkippingConfig
from temporalio.api.workflow.v1 import PostResetOperation, WorkflowExecutionOptions

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    retry_policy,
    schedule_activity,
    seconds,
    start_child,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.time_skipping import HOUR, record_info, record_outline, skipping, update_request
from tests.differential.world import World


def _continue_as_new(**attributes: Any) -> Command:
    return command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", workflow_type={"name": "RawWorkflow"}, **attributes)


@scenario(live_sample=True)
async def continue_as_new(world: World) -> None:
    """The next run goes on with the time, the config and the count of skips."""
    run_id = await world.start(
        time_skipping_config=skipping(max_session_skip_count=9, disable_propagation=True),
        workflow_execution_timeout=seconds(100 * HOUR),
    )
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("t", HOUR))
    await worker.next_workflow_task(_continue_as_new())
    await worker.next_workflow_task(start_timer("u", 2 * HOUR))
    await worker.next_workflow_task(complete_workflow())
    await record_info(world, "second run")
    await world.record_chain(run_id, 2)


@scenario()
async def backoff_of_continue_as_new(world: World) -> None:
    """Time jumps over the backoff between two runs."""
    run_id = await world.start(time_skipping_config=skipping())
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("t", HOUR))
    await worker.next_workflow_task(_continue_as_new(backoff_start_interval=seconds(HOUR)))
    await worker.next_workflow_task(complete_workflow())
    await record_outline(world, run_id, 2)


@scenario()
async def count_over_runs(world: World) -> None:
    """The skips of all runs of a chain count together."""
    await world.start(time_skipping_config=skipping(max_session_skip_count=2))
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("t", HOUR))
    await worker.next_workflow_task(_continue_as_new())
    await worker.next_workflow_task(start_timer("u", HOUR))
    await worker.next_workflow_task(start_timer("not skipped", HOUR))
    await record_info(world, "second run")
    await world.record_history()


@scenario()
async def retry(world: World) -> None:
    """Time jumps over the backoff of a retry."""
    run_id = await world.start(
        time_skipping_config=skipping(), retry_policy=retry_policy(initial=HOUR, coefficient=1, attempts=3)
    )
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("t", HOUR))
    await worker.next_workflow_task(fail_workflow(application_failure("first")))
    await worker.next_workflow_task(fail_workflow(application_failure("second")))
    await worker.next_workflow_task(complete_workflow())
    await record_outline(world, run_id, 3)


@scenario()
async def cron(world: World) -> None:
    """Time jumps over the intervals of a cron schedule."""
    run_id = await world.start(time_skipping_config=skipping(), cron_schedule="@every 6h")
    worker = world.raw_worker()
    for number in range(3):
        await worker.next_workflow_task(complete_workflow(number))
    await world.terminate()
    await record_outline(world, run_id, 3)


@scenario()
async def child(world: World) -> None:
    """A child goes on from its parent's time and skips on its own; its parent waits for it."""
    await world.start(time_skipping_config=skipping(100 * HOUR, max_session_skip_count=50))
    worker, child_worker = world.raw_worker(), world.child_worker()
    await worker.next_workflow_task(start_timer("t", HOUR))
    timeouts = {"workflow_execution_timeout": seconds(90 * HOUR), "workflow_run_timeout": seconds(80 * HOUR)}
    await worker.next_workflow_task(start_child(world.child_id, child_worker.task_queue, **timeouts))
    await child_worker.next_workflow_task(start_timer("c", 3 * HOUR))
    task = await child_worker.poll_workflow_task()
    await record_info(world, "child", world.child_id)
    await world.wait_for_events(13)
    await worker.next_workflow_task(start_timer("u", HOUR))
    await record_info(world, "parent")
    await child_worker.complete_workflow_task(task, complete_workflow())
    await worker.next_workflow_task()
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()
    await world.record_history(world.child_id)


@scenario()
async def child_without_propagation(world: World) -> None:
    """With `disable_propagation` a child has its parent's time, but does not skip."""
    await world.start(time_skipping_config=skipping(disable_propagation=True))
    worker, child_worker = world.raw_worker(), world.child_worker()
    first = world.workflow_id("first")
    await worker.next_workflow_task(
        start_child(first, child_worker.task_queue, parent_close_policy="PARENT_CLOSE_POLICY_ABANDON")
    )
    await child_worker.next_workflow_task(complete_workflow())
    await world.wait_for_events(8)
    await worker.next_workflow_task(start_timer("t", HOUR))
    await worker.next_workflow_task(start_child(world.child_id, child_worker.task_queue))
    await child_worker.next_workflow_task(start_timer("c", 3 * HOUR))
    await record_info(world, "first", first)
    await record_info(world, "child", world.child_id)
    await world.record_history(first)
    await world.record_history(world.child_id)
    await world.record_history()


@scenario()
async def cron_child(world: World) -> None:
    """A child's cron schedule counts from its parent's time."""
    await world.start(time_skipping_config=skipping())
    worker, child_worker = world.raw_worker(), world.child_worker()
    await worker.next_workflow_task(start_timer("t", HOUR))
    await worker.next_workflow_task(
        start_child(world.child_id, child_worker.task_queue, cron_schedule="@every 2h"),
    )
    await world.wait_for_events(2, world.child_id)
    run_id = (await world.describe(world.child_id)).workflow_execution_info.execution.run_id
    await child_worker.next_workflow_task(complete_workflow())
    await child_worker.next_workflow_task(complete_workflow())
    await world.terminate(world.child_id)
    await record_outline(world, run_id, 2, world.child_id)


@scenario()
async def reset(world: World) -> None:
    """A reset run has the time that its base run had at the reset point; what it waits for it skips again."""
    run_id = await world.start(time_skipping_config=skipping())
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("t", HOUR))
    await worker.next_workflow_task(start_timer("u", 2 * HOUR))
    await worker.next_workflow_task(complete_workflow())
    new_run_id = await world.reset(10, run_id=run_id)
    await record_info(world, "reset run", run_id=new_run_id)
    await worker.next_workflow_task(start_timer("v", 3 * HOUR))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()
    first_run_id = await world.reset(4, run_id=new_run_id)
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=first_run_id)


@scenario()
async def reset_behind_an_update(world: World) -> None:
    """An update of the config is applied again."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("t", HOUR))
    await world.call(update_request(world, skipping(max_session_skip_count=7)))
    await world.wait_for_events(9)
    await world.call(update_request(world, TimeSkippingConfig()))
    await world.call(update_request(world, skipping()))
    await world.terminate()
    await world.reset(4, run_id=run_id)
    await record_info(world, "reset run")
    await worker.next_workflow_task(start_timer("u", HOUR))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def reset_with_an_update(world: World) -> None:
    """A reset may give the new run another config."""

    def operation(config: TimeSkippingConfig, path: str = "time_skipping_config") -> PostResetOperation:
        return PostResetOperation(
            update_workflow_options=PostResetOperation.UpdateWorkflowOptions(
                workflow_execution_options=WorkflowExecutionOptions(time_skipping_config=config),
                update_mask=FieldMask(paths=[path]),
            )
        )

    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("t", HOUR), schedule_activity("a", world.task_queue))
    bad = {
        "bad config": operation(skipping(-1)),
        "partial": operation(skipping(), "time_skipping_config.enabled"),
        "bad config that no path names": operation(skipping(-1), "priority"),
    }
    for name, each in bad.items():
        request = world.reset_request(4, run_id=run_id, post_reset_operations=[each])
        await world.record_call(name, request)
    await world.reset(4, run_id=run_id, post_reset_operations=[operation(skipping(100 * HOUR))])
    await record_info(world, "reset run")
    await worker.next_workflow_task(start_timer("u", HOUR))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()
