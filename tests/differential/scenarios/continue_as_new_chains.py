"""Chains of runs: what clients and workers see of the runs before and after a continue-as-new."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Priority, SearchAttributes, WorkflowType
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    SignalWorkflowExecutionRequest,
)
from temporalio.client import WorkflowContinuedAsNewError
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    payload,
    payloads,
    retry_policy,
    schedule_activity,
    seconds,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.world import World


def _continue_as_new(**attributes: Any) -> Command:
    return command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", **attributes)


async def _continue_once(world: World, *commands: Command, **fields: Any) -> str:
    """Start a workflow that continues as new after `commands`; return its first run id."""
    run_id = await world.start(**fields)
    await world.age()
    await world.raw_worker().next_workflow_task(*(commands or (_continue_as_new(),)))
    return run_id


@scenario(live_sample=True)
async def what_clients_see(world: World) -> None:
    """Describe, history, signal, cancel and terminate with the run id of the first run, the second, and none."""
    first = await _continue_once(world)
    second = (await world.describe()).workflow_execution_info.execution.run_id
    runs = {"first": first, "second": second, "none": ""}
    for name, run_id in runs.items():
        await world.record_description(f"describe {name}", run_id=run_id)
    for name, run_id in runs.items():
        await world.record_outcome(f"signal {name}", world.signal(name=name, run_id=run_id))
    await world.record_outcome("cancel in the chain", world.cancel(first_execution_run_id=first))
    await world.record_outcome("cancel in another chain", world.cancel(first_execution_run_id=second))
    await world.record_outcome("terminate in another chain", world.terminate(first_execution_run_id=second))
    await world.record_outcome("terminate in the chain", world.terminate(first_execution_run_id=first))
    await world.record_chain(first, 2)


@scenario()
async def close_event_of_each_run(world: World) -> None:
    """The close event of the first run names the second; a long poll without a run id waits for the second."""
    first = await _continue_once(world)
    fields: dict[str, Any] = {
        "namespace": world.namespace,
        "history_event_filter_type": "HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT",
        "wait_new_event": True,
    }
    await world.record_call(
        "first", GetWorkflowExecutionHistoryRequest(execution=world.execution(run_id=first), **fields)
    )
    await world.raw_worker().next_workflow_task(complete_workflow("end"))
    await world.record_call("current", GetWorkflowExecutionHistoryRequest(execution=world.execution(), **fields))


@workflow.defn
class CountsDown:
    @workflow.run
    async def run(self, left: int) -> str:
        if left:
            workflow.continue_as_new(left - 1)
        return f"{workflow.info().attempt} {workflow.info().first_execution_run_id == workflow.info().run_id}"


@scenario()
async def sdk_follow_runs(world: World) -> None:
    """An SDK client gets the chain's result, or the error that names the next run when it does not follow."""
    async with world.worker([CountsDown]):
        handle = await world.client.start_workflow(
            CountsDown.run, 2, id=world.workflow_id(), task_queue=world.task_queue
        )
        world.record_value("result", await handle.result())
        run_id = handle.first_execution_run_id
        for number in range(2):
            try:
                await world.client.get_workflow_handle(world.workflow_id(), run_id=run_id).result(follow_runs=False)
            except WorkflowContinuedAsNewError as error:
                world.record_value(f"run {number} is followed by", error.new_execution_run_id)
                run_id = error.new_execution_run_id
        last = world.client.get_workflow_handle(world.workflow_id(), run_id=run_id)
        world.record_value("last", await last.result(follow_runs=False))


KEYWORD = SearchAttributeKey.for_keyword("DiffKeyword")


@workflow.defn
class ContinuesWithProperties:
    @workflow.run
    async def run(self, times: int) -> str:
        if times == 0:
            workflow.continue_as_new(1)
        if times == 1:
            workflow.continue_as_new(
                2,
                memo={"kept": "changed"},
                search_attributes=TypedSearchAttributes([SearchAttributePair(KEYWORD, "changed")]),
                run_timeout=timedelta(seconds=30),
            )
        return f"{workflow.memo()} {workflow.info().typed_search_attributes.get(KEYWORD)}"


@scenario()
async def sdk_properties(world: World) -> None:
    """An SDK workflow's memo and search attributes go with it, unless it says others."""
    async with world.worker([ContinuesWithProperties]):
        handle = await world.client.start_workflow(
            ContinuesWithProperties.run,
            0,
            id=world.workflow_id(),
            task_queue=world.task_queue,
            memo={"kept": "as it was"},
            search_attributes=TypedSearchAttributes([SearchAttributePair(KEYWORD, "as it was")]),
        )
        world.record_value("result", await handle.result())
    run_id = handle.first_execution_run_id or ""
    for number in range(3):
        started, *_, last = await world.history(run_id=run_id)
        attributes = started.workflow_execution_started_event_attributes
        world.record_reply(f"memo {number}", attributes.memo)
        world.record_reply(f"search attributes {number}", attributes.search_attributes)
        run_id = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id


@scenario()
async def pending_things_are_left_behind(world: World) -> None:
    """Activities, timers and requests of a run do not follow it; an activity's late answer is refused."""
    worker = world.raw_worker()
    run_id = await world.start()
    await worker.next_workflow_task(
        schedule_activity("taken", world.task_queue, retry_policy=retry_policy(attempts=1)), start_timer("t", 60)
    )
    activity = await worker.poll_activity_task()
    await world.cancel()
    await world.age()
    await worker.next_workflow_task(_continue_as_new())
    await world.record_outcome("late answer", worker.complete_activity(activity, "late"))
    await world.record_description("next run")
    await worker.next_workflow_task(complete_workflow())
    await world.record_chain(run_id, 2)


@scenario()
async def signal_in_backoff(world: World) -> None:
    """A signal does not wake a run before its backoff_start_interval is over."""
    run_id = await _continue_once(world, _continue_as_new(backoff_start_interval=seconds(60)))
    await world.record_description("in backoff")
    await world.signal()
    await world.record_chain(run_id, 1)
    await world.record_history()


@scenario()
async def cancel_in_backoff(world: World) -> None:
    """A cancel request to a run in its backoff."""
    await _continue_once(world, _continue_as_new(backoff_start_interval=seconds(60)))
    await world.cancel()
    await world.record_history()
    await world.record_description("in backoff")
    await world.terminate()


@scenario()
async def terminated_in_backoff(world: World) -> None:
    """A run in its backoff is terminated."""
    run_id = await _continue_once(world, _continue_as_new(backoff_start_interval=seconds(60)))
    await world.terminate(reason="enough")
    await world.record_chain(run_id, 2)


@scenario()
async def initiators(world: World) -> None:
    """Initiator, failure and last result are as the command says; its cron schedule is the next run's."""
    cases: dict[str, dict[str, Any]] = {
        "retry": {"initiator": "CONTINUE_AS_NEW_INITIATOR_RETRY", "failure": application_failure("why")},
        "cron": {
            "initiator": "CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE",
            "cron_schedule": "0 0 1 1 *",
            "last_completion_result": payloads("last"),
        },
        "none": {"initiator": "CONTINUE_AS_NEW_INITIATOR_UNSPECIFIED"},
    }
    workers = {name: world.raw_worker(task_queue=f"{world.task_queue}-{name}") for name in cases}
    first = {
        name: await world.start(world.workflow_id(name), task_queue=TaskQueue(name=worker.task_queue))
        for name, worker in workers.items()
    }
    await world.age()
    for name, worker in workers.items():
        await worker.next_workflow_task(_continue_as_new(**cases[name]))
        await world.record_history(world.workflow_id(name), first[name])
        started, *_ = await world.history(world.workflow_id(name))
        started.workflow_execution_started_event_attributes.ClearField("first_workflow_task_backoff")
        world.record_reply(f"next run of {name}", started)


@scenario()
async def young_run(world: World) -> None:
    """The next run of one that is less than a second old is held back until a second has passed."""
    clock = asyncio.get_running_loop()
    begin = clock.time()
    await world.start()
    await world.raw_worker().next_workflow_task(_continue_as_new())
    is_old = clock.time() - begin > 1
    started, *_ = await world.history()
    backoff = started.workflow_execution_started_event_attributes.first_workflow_task_backoff
    world.record_value("held back", is_old or 0 < backoff.ToNanoseconds() <= 10**9)
    await world.raw_worker().next_workflow_task(complete_workflow())


@scenario()
async def deprecated_versioning(world: World) -> None:
    """inherit_build_id and initial_versioning_behavior are kept in the event, and change nothing without versioning."""
    run_id = await _continue_once(
        world,
        _continue_as_new(
            inherit_build_id=True,
            initial_versioning_behavior="CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_AUTO_UPGRADE",
        ),
    )
    await world.raw_worker().next_workflow_task(complete_workflow())
    await world.record_chain(run_id, 2)


@scenario()
async def what_a_start_said(world: World) -> None:
    """Priority and metadata of the start go through the chain; the execution timeout counts from its first run."""
    run_id = await _continue_once(
        world,
        priority=Priority(priority_key=2, fairness_key="tenant"),
        user_metadata=UserMetadata(summary=payload("summary"), details=payload("details")),
        workflow_execution_timeout=seconds(100.4),
    )
    await world.record_description("second run")
    await world.raw_worker().next_workflow_task(complete_workflow())
    await world.record_chain(run_id, 2)


@scenario()
async def after_a_retry(world: World) -> None:
    """A retried run that continues as new: the next run counts its attempts anew, and takes over the retry policy."""
    run_id = await world.start(retry_policy=retry_policy(initial=1, coefficient=1, attempts=2))
    worker = world.raw_worker()
    await worker.next_workflow_task(fail_workflow(application_failure("first")))
    task = await worker.poll_workflow_task()
    await world.age()
    await worker.complete_workflow_task(task, _continue_as_new(retry_policy=retry_policy(initial=1, attempts=2)))
    await worker.next_workflow_task(complete_workflow())
    await world.record_chain(run_id, 3)


@scenario()
async def without_its_retry_policy(world: World) -> None:
    """A run with a retry policy continues as new by a command without one: the next run is not retried."""
    run_id = await _continue_once(world, retry_policy=retry_policy(initial=1))
    await world.raw_worker().next_workflow_task(fail_workflow(application_failure("only once")))
    await world.record_chain(run_id, 2)


@scenario()
async def bad_attributes(world: World) -> None:
    """Attributes that the server refuses fail the workflow task; what is too long is cut down silently."""
    cases: dict[str, dict[str, Any]] = {
        "type of 1001": {"workflow_type": WorkflowType(name="t" * 1001)},
        "task queue of 1001": {"task_queue": TaskQueue(name="q" * 1001)},
        "reserved task queue": {"task_queue": TaskQueue(name="/_sys/queue/1")},
        "negative run timeout": {"workflow_run_timeout": seconds(-1)},
        "negative task timeout": {"workflow_task_timeout": seconds(-1)},
        "negative backoff": {"backoff_start_interval": seconds(-1)},
        "coefficient below 1": {"retry_policy": retry_policy(coefficient=0.5)},
        "unknown attribute": {"search_attributes": SearchAttributes(indexed_fields={"NobodyKnows": payload("v")})},
        "wrong type": {"search_attributes": SearchAttributes(indexed_fields={"DiffInt": payload("seven")})},
        "too large input": {"input": {"payloads": [payload("x" * (2 << 20))]}},
        "too large memo": {"memo": {"fields": {"m": payload("x" * (2 << 20))}}},
        "task timeout over the maximum": {"workflow_task_timeout": seconds(3600)},
        "bad cron": {"cron_schedule": "nonsense"},
    }
    for name, attributes in cases.items():
        await world.record_task_with(name, _continue_as_new(**attributes))


@scenario()
async def not_the_last_command(world: World) -> None:
    """Continue-as-new must be the last command."""
    await world.record_task_with("timer after it", _continue_as_new(), start_timer("t", 60))
    await world.record_task_with("twice", _continue_as_new(), _continue_as_new())


@scenario()
async def signal_request_ids_in_a_chain(world: World) -> None:
    """A signal's request id is remembered by its run alone: the next run takes the same id again."""
    run_id = await world.start()
    request = SignalWorkflowExecutionRequest(
        namespace=world.namespace, workflow_execution=world.execution(), signal_name="go", request_id="s-1"
    )
    await world.call(request)
    await world.call(request)
    await world.age()
    worker = world.raw_worker()
    await worker.next_workflow_task(_continue_as_new())
    await world.call(request)
    await worker.next_workflow_task(complete_workflow())
    await world.record_chain(run_id, 2)


@scenario()
async def start_again_in_a_chain(world: World) -> None:
    """Starting with the id of a chain is refused, and the same start again is recognised, as long as a run is open."""
    run_id = await _continue_once(world)
    await world.record_call("another start", world.start_request(request_id="another"))
    await world.record_call("the same start", world.start_request())
    await world.raw_worker().next_workflow_task(complete_workflow())
    await world.record_call("the same start after the end", world.start_request())
    await world.record_history(run_id=run_id)
