"""Eager workflow start: the starter's own worker gets the first workflow task in the reply."""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import SignalWithStartWorkflowExecutionRequest, StartWorkflowExecutionResponse
from temporalio.common import WorkflowIDConflictPolicy

from tests.differential.raw_worker import (
    application_failure,
    complete_workflow,
    fail_workflow,
    payload,
    payloads,
    retry_policy,
    seconds,
)
from tests.differential.scenario import scenario
from tests.differential.update_worker import accept, answer, record_task, respond, send_update
from tests.differential.world import World

USE_EXISTING = "WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING"


async def _start(world: World, **fields: Any) -> StartWorkflowExecutionResponse:
    reply: StartWorkflowExecutionResponse = await world.call(
        world.start_request(request_eager_execution=True, **fields)
    )
    return reply


@scenario(live_sample=True)
async def first_task_in_the_reply(world: World) -> None:
    """The reply carries the first workflow task with the whole history, which nobody can poll any more."""
    fields: dict[str, Any] = {
        "input": payloads("an argument"),
        "memo": {"fields": {"note": payload("kept")}},
        "search_attributes": {
            "indexed_fields": {"DiffKeyword": Payload(metadata={"encoding": b"json/plain"}, data=b'"value"')}
        },
    }
    reply = await _start(world, **fields)
    world.record_reply("reply", reply)
    await world.record_history()
    await world.record_description("started")
    await world.raw_worker().complete_workflow_task(reply.eager_workflow_task, complete_workflow("done"))
    await world.record_history()


@scenario()
async def without_the_wish(world: World) -> None:
    """Without request_eager_execution the reply carries no task."""
    await world.record_call("start", world.start_request())


@scenario()
async def with_a_backoff(world: World) -> None:
    """A start delay or a cron schedule puts the first task off, so it can't be in the reply."""
    cases = {
        "start delay": {"workflow_start_delay": seconds(60)},
        "cron": {"cron_schedule": "@every 60s"},
    }
    for name, fields in cases.items():
        workflow_id = world.workflow_id(name.replace(" ", "-"))
        world.record_reply(name, await _start(world, workflow_id=workflow_id, **fields))
        await world.record_history(workflow_id)


@scenario()
async def same_start_again(world: World) -> None:
    """The same start again while its first task runs gets the same task; one after the task has ended gets none."""
    first = await _start(world)
    again = await _start(world)
    world.record_reply("again", again)
    await world.raw_worker().complete_workflow_task(again.eager_workflow_task)
    await world.record_outcome(
        "answer to the first", world.raw_worker().complete_workflow_task(first.eager_workflow_task)
    )
    world.record_reply("after the task", await _start(world))
    await world.record_history()


@scenario()
async def already_running(world: World) -> None:
    """An eager start of an id that runs: refused, or with USE_EXISTING answered without a task."""
    await world.start()
    request = world.start_request(request_id="another", request_eager_execution=True)
    await world.record_call("default policy", request)
    request.workflow_id_conflict_policy = WorkflowIDConflictPolicy.USE_EXISTING.value  # type: ignore[assignment]
    await world.record_call("use existing", request)
    await world.record_history()


@scenario()
async def existing_one_was_eager(world: World) -> None:
    """With USE_EXISTING another starter does not get the task that the first one has."""
    await _start(world)
    reply = await _start(world, request_id="another", workflow_id_conflict_policy=USE_EXISTING)
    world.record_reply("another start", reply)


@scenario()
async def terminates_the_running_one(world: World) -> None:
    """With TERMINATE_EXISTING the new run's first task is in the reply."""
    await _start(world)
    reply = await _start(
        world, request_id="another", workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING"
    )
    record_task(world, "task", reply.eager_workflow_task)
    await world.raw_worker().complete_workflow_task(reply.eager_workflow_task, complete_workflow())
    await world.record_history()


@scenario()
async def not_answered(world: World) -> None:
    """The task in the reply times out like any other and is then polled."""
    reply = await _start(world, workflow_task_timeout=seconds(1))
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    record_task(world, "polled", task)
    await world.record_outcome("late answer", worker.complete_workflow_task(reply.eager_workflow_task))
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def failed_and_signalled(world: World) -> None:
    """A signal during the task is buffered, and the task that failed comes again by a poll."""
    reply = await _start(world)
    await world.signal()
    worker = world.raw_worker()
    await worker.fail_workflow_task(reply.eager_workflow_task)
    task = await worker.poll_workflow_task()
    record_task(world, "polled", task)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def updated(world: World) -> None:
    """An update during the task comes with the next one."""
    reply = await _start(world)
    update = await send_update(world)
    worker = world.raw_worker()
    answered = await worker.complete_workflow_task(reply.eager_workflow_task, return_new_workflow_task=True)
    task = answered.workflow_task
    record_task(world, "next task", task)
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    world.record_reply("update", await update)
    await world.record_history()


@scenario()
async def retried(world: World) -> None:
    """The run that retries an eager one is polled like any other."""
    reply = await _start(world, retry_policy=retry_policy(initial=1, attempts=2))
    worker = world.raw_worker()
    await worker.complete_workflow_task(reply.eager_workflow_task, fail_workflow(application_failure("again")))
    await worker.next_workflow_task(complete_workflow())
    await world.record_chain(reply.run_id, 2)


@scenario()
async def sticky(world: World) -> None:
    """The worker that got the first task in the reply may become sticky with its answer."""
    reply = await _start(world)
    worker = world.raw_worker()
    queue = f"{world.name}-sticky"
    await worker.complete_workflow_task(reply.eager_workflow_task, sticky=queue)
    task = await worker.poll_sticky_task(queue, world.signal)
    record_task(world, "sticky task", task)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()


@scenario()
async def signal_with_start(world: World) -> None:
    """SignalWithStart knows no eager start."""
    request = SignalWithStartWorkflowExecutionRequest(
        namespace=world.namespace,
        workflow_id=world.workflow_id(),
        workflow_type=world.start_request().workflow_type,
        task_queue=world.start_request().task_queue,
        signal_name="go",
        request_id="start",
    )
    await world.record_call("reply", request)


@workflow.defn
class Greets:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"hello {name}"


@scenario()
async def sdk(world: World) -> None:
    """An SDK client whose own worker runs the workflow asks for an eager start and gets it."""
    async with world.worker([Greets]):
        handle = await world.client.start_workflow(
            Greets.run, "world", id=world.workflow_id(), task_queue=world.task_queue, request_eager_start=True
        )
        world.record_value("result", await handle.result())
    await world.record_history()
