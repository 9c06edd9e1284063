"""Time skipping of a workflow: what is skipped over, what time waits for, how it is switched on and off."""

from __future__ import annotations

import asyncio

from temporalio.api.common.v1 import TimeSkippingConfig
from temporalio.api.workflowservice.v1 import (
    ExecuteMultiOperationRequest,
    SignalWithStartWorkflowExecutionRequest,
)

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    retry_policy,
    schedule_activity,
    seconds,
    start_timer,
)
from tests.differential.scenario import CRASHING_SERVER, scenario
from tests.differential.time_skipping import HOUR, fast_forward, poll_request, record_info, skipping, update_request
from tests.differential.world import World


@scenario(live_sample=True)
async def timers(world: World) -> None:
    """Time jumps from timer to timer while nothing else is to be done, each jump an event."""
    await world.start(time_skipping_config=skipping())
    await world.record_description("started")
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("long", 30 * 24 * HOUR), start_timer("short", HOUR))
    await world.wait_for_events(9)
    await record_info(world, "after the first jump")
    await worker.next_workflow_task()
    task = await worker.poll_workflow_task()
    world.record_reply("after the second jump", task)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()
    await world.record_description("closed")


@scenario()
async def timer_that_was_cancelled(world: World) -> None:
    """Time does not jump to a timer that was cancelled."""
    await world.start(time_skipping_config=skipping())
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("a", HOUR), start_timer("b", 2 * HOUR))
    await worker.next_workflow_task(command("CANCEL_TIMER", timer_id="b"), start_timer("c", 5 * HOUR))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def waits_for_an_activity(world: World) -> None:
    """While an activity runs time does not jump; its times are those of the workflow."""
    await world.start(time_skipping_config=skipping())
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("first", HOUR))
    await worker.next_workflow_task(schedule_activity("a", world.task_queue), start_timer("t", HOUR))
    await record_info(world, "activity scheduled")
    activity = await worker.poll_activity_task()
    world.record_reply("activity task", activity)
    await worker.complete_activity(activity, "done")
    await worker.next_workflow_task()
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def retries_of_an_activity(world: World) -> None:
    """Time jumps over the backoff of an activity."""
    await world.start(time_skipping_config=skipping())
    worker = world.raw_worker()
    policy = retry_policy(initial=HOUR, coefficient=2, attempts=3)
    await worker.next_workflow_task(schedule_activity("a", world.task_queue, retry_policy=policy))
    for number in range(3):
        activity = await worker.poll_activity_task()
        await worker.fail_activity(activity, application_failure(f"failure {number}"))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()
    await record_info(world, "closed")


@scenario()
async def start_delay(world: World) -> None:
    """Time jumps over the delay of a start."""
    await world.start(time_skipping_config=skipping(), workflow_start_delay=seconds(HOUR))
    await world.raw_worker().next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def run_timeout(world: World) -> None:
    """An idle workflow jumps to the end of its time, once it has had a workflow task."""
    await world.start(time_skipping_config=skipping(), workflow_run_timeout=seconds(HOUR))
    await world.raw_worker().next_workflow_task()
    await world.wait_closed()
    await world.record_history()


@scenario()
async def execution_timeout(world: World) -> None:
    """A timer behind the end of the execution is not reached."""
    await world.start(time_skipping_config=skipping(), workflow_execution_timeout=seconds(HOUR))
    await world.raw_worker().next_workflow_task(start_timer("late", 2 * HOUR))
    await world.wait_closed()
    await world.record_history()


@scenario()
async def nothing_to_jump_to(world: World) -> None:
    """Without a timer or a timeout time stands where it is."""
    await world.start(time_skipping_config=skipping())
    await world.raw_worker().next_workflow_task()
    await world.signal()
    await world.raw_worker().next_workflow_task()
    await world.record_history()
    await record_info(world, "idle")


@scenario()
async def signals_between(world: World) -> None:
    """A signal's workflow task holds time back until it is done."""
    await world.start(time_skipping_config=skipping())
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await world.signal()
    await worker.complete_workflow_task(task, start_timer("t", HOUR))
    await world.wait_for_events(7)
    await asyncio.sleep(0.5)
    await world.record_history()
    await worker.next_workflow_task()
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def count_of_jumps(world: World) -> None:
    """After `max_session_skip_count` jumps time skipping is disabled, until the config is updated."""
    await world.start(time_skipping_config=skipping(max_session_skip_count=2))
    worker = world.raw_worker()
    for number in range(3):
        await worker.next_workflow_task(start_timer(f"t{number}", HOUR))
    await world.record_history()
    await record_info(world, "disabled")
    await world.record_call("again", update_request(world, skipping(max_session_skip_count=2)))
    for number in range(2):
        await worker.next_workflow_task(start_timer(f"u{number}", HOUR))
    await record_info(world, "disabled again")
    await world.record_history()


@scenario()
async def switched_on_and_off(world: World) -> None:
    """The config is updated as a whole, while the workflow runs."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("first", HOUR))
    await world.record_call("on", update_request(world, skipping()))
    await world.wait_for_events(9)
    await world.record_call("on again", update_request(world, skipping()))
    await world.record_call("off", update_request(world, TimeSkippingConfig()))
    await worker.next_workflow_task(start_timer("second", 2 * HOUR))
    await record_info(world, "off")
    await world.record_call("removed", update_request(world, None))
    await record_info(world, "removed")
    await world.record_call("removed again", update_request(world, None))
    await world.record_call("no propagation", update_request(world, skipping(disable_propagation=True)))
    await world.wait_for_events(18)
    await record_info(world, "on")
    await world.record_history()


@scenario()
async def bad_configs(world: World) -> None:
    """What a config must say is checked wherever one is given."""
    configs = {
        "disabled": TimeSkippingConfig(fast_forward_config=fast_forward(1)),
        "no duration": skipping(fast_forward_config=fast_forward(0)),
        "negative duration": skipping(fast_forward_config=fast_forward(-1)),
        "no id": skipping(fast_forward_config=fast_forward(1, "")),
        "blank id": skipping(fast_forward_config=fast_forward(1, " ")),
        "nothing right": TimeSkippingConfig(fast_forward_config=fast_forward(0, "")),
        "negative count": skipping(max_session_skip_count=-1),
    }
    await world.start()
    for name, config in configs.items():
        workflow_id = world.workflow_id(name.replace(" ", "-"))
        request = world.start_request(workflow_id, time_skipping_config=config)
        await world.record_call(f"start: {name}", request)
        await world.record_call(f"update: {name}", update_request(world, config))
    bad = configs["no duration"]
    await world.record_call(
        "signal with start",
        SignalWithStartWorkflowExecutionRequest(
            namespace=world.namespace,
            workflow_id=world.workflow_id("signalled"),
            workflow_type={"name": "RawWorkflow"},
            task_queue={"name": world.task_queue},
            signal_name="go",
            time_skipping_config=bad,
        ),
    )
    request = world.start_request(time_skipping_config=bad, workflow_type={"name": ""})
    await world.record_call("and no type", request)
    for paths in (
        ("time_skipping_config.enabled",),
        ("timeSkippingConfig",),
        ("time_skipping_config", "time_skipping_config.enabled"),
        ("time_skipping_config.fast_forward_config.id",),
        ("time_skipping_config.nothing",),
        ("priority.priority_key", "time_skipping_config"),
    ):
        await world.record_call(f"update of {', '.join(paths)}", update_request(world, skipping(), paths=paths))
    await world.record_call("a bad config that no path names", update_request(world, bad, paths=("priority",)))
    await world.record_history()
    await world.terminate()
    await world.record_call("closed", update_request(world, skipping()))
    await world.record_call("unknown", update_request(world, skipping(), workflow_id="nobody"))


@scenario(server="small_limits")
async def not_enabled(world: World) -> None:
    """A server may refuse every config."""
    await world.record_call("start", world.start_request(time_skipping_config=TimeSkippingConfig()))
    await world.start()
    await world.record_call("update", update_request(world, skipping()))
    await world.record_call("removal", update_request(world, None))
    await world.record_call("poll", poll_request(world))


@scenario()
async def signal_with_start(world: World) -> None:
    """A signal-with-start starts a workflow that skips time; an existing one is only signalled."""

    def request(config: TimeSkippingConfig) -> SignalWithStartWorkflowExecutionRequest:
        return SignalWithStartWorkflowExecutionRequest(
            namespace=world.namespace,
            workflow_id=world.workflow_id(),
            workflow_type={"name": "RawWorkflow"},
            task_queue={"name": world.task_queue},
            signal_name="go",
            time_skipping_config=config,
        )

    await world.call(request(skipping()))
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("t", HOUR))
    await world.wait_for_events(9)
    await world.call(request(TimeSkippingConfig()))
    await worker.next_workflow_task(start_timer("u", HOUR))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def existing_workflow(world: World) -> None:
    """A start that finds a running workflow leaves its config alone."""
    await world.start()
    request = world.start_request(
        time_skipping_config=skipping(),
        request_id="second",
        workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING",
        on_conflict_options={"attach_request_id": True},
    )
    await world.call(request)
    await world.record_history()


@scenario()
async def update_with_start(world: World) -> None:
    """An update-with-start starts a workflow that skips time once its update is done."""
    update = {
        "namespace": world.namespace,
        "workflow_execution": world.execution(),
        "request": {"meta": {"update_id": "update"}, "input": {"name": "update"}},
        "wait_policy": {"lifecycle_stage": "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED"},
    }
    start = world.start_request(
        time_skipping_config=skipping(), workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_FAIL"
    )
    request = ExecuteMultiOperationRequest(
        namespace=world.namespace, operations=[{"start_workflow": start}, {"update_workflow": update}]
    )
    call = asyncio.ensure_future(world.call(request))
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await worker.complete_workflow_task(task, start_timer("t", HOUR))
    await world.record_outcome("update", call)
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario(server=CRASHING_SERVER)
async def crash(world: World) -> None:
    """A workflow's time, its config and its count of skips survive a crash."""
    await world.start(time_skipping_config=skipping(100 * HOUR, max_session_skip_count=3))
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("t", HOUR))
    await worker.next_workflow_task(schedule_activity("a", world.task_queue), start_timer("u", 2 * HOUR))
    await world.crash_and_restart()
    await record_info(world, "after the crash")
    await worker.complete_activity(await worker.poll_activity_task())
    await worker.next_workflow_task()
    await worker.next_workflow_task(start_timer("v", HOUR))
    await worker.next_workflow_task(start_timer("not skipped", HOUR))
    await record_info(world, "disabled")
    await world.record_call("poll", poll_request(world))
    await world.record_history()
