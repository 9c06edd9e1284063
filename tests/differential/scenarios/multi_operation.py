"""ExecuteMultiOperation: a start and an update in one request."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Request
from temporalio.api.workflowservice.v1 import (
    ExecuteMultiOperationRequest,
    StartWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)

from tests.differential.raw_worker import application_failure, complete_workflow, fail_workflow, retry_policy, seconds
from tests.differential.scenario import scenario
from tests.differential.update_worker import (
    UpdateCall,
    accept,
    admitted,
    answer,
    finish_first_task,
    poll_update_request,
    record_task,
    reject,
    respond,
    send_update,
    update_request,
)
from tests.differential.world import World

USE_EXISTING = "WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING"
FAIL = "WORKFLOW_ID_CONFLICT_POLICY_FAIL"
TERMINATE_EXISTING = "WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING"


def _operations(world: World, *requests: Message, **fields: Any) -> ExecuteMultiOperationRequest:
    """Return the request that carries out `requests`."""
    operations = []
    for request in requests:
        operation = ExecuteMultiOperationRequest.Operation()
        if isinstance(request, StartWorkflowExecutionRequest):
            operation.start_workflow.CopyFrom(request)
        elif isinstance(request, UpdateWorkflowExecutionRequest):
            operation.update_workflow.CopyFrom(request)
        operations.append(operation)
    return ExecuteMultiOperationRequest(**{"namespace": world.namespace, "operations": operations, **fields})


def _start(world: World, policy: str = FAIL, **fields: Any) -> StartWorkflowExecutionRequest:
    return world.start_request(**{"workflow_id_conflict_policy": policy, "request_id": "with-update", **fields})


async def _send(
    world: World, start: StartWorkflowExecutionRequest, update: UpdateWorkflowExecutionRequest
) -> UpdateCall:
    """Send both, and return the call once the update is admitted."""
    call = asyncio.ensure_future(world.call(_operations(world, start, update)))
    await admitted(world, update.request.meta.update_id)
    return call


@scenario(live_sample=True)
async def starts_and_updates(world: World) -> None:
    """A new workflow is started, and its first workflow task brings the update."""
    call = await _send(world, _start(world), update_request(world))
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    world.record_reply("reply", await call)
    await world.record_history()


@scenario()
async def waits_for_acceptance(world: World) -> None:
    """The reply comes when the update is accepted."""
    call = await _send(world, _start(world), update_request(world, stage="ACCEPTED"))
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]))
    world.record_reply("reply", await call)
    await world.signal()
    await answer(worker, await worker.poll_workflow_task(), respond("update", "done"))
    await world.record_call("poll", poll_update_request(world))


@scenario()
async def rejected(world: World) -> None:
    """The update of a new workflow is rejected: the workflow runs all the same."""
    call = await _send(world, _start(world), update_request(world))
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await answer(worker, task, reject(task.messages[0]))
    world.record_reply("reply", await call)
    await world.record_history()


@scenario()
async def deadline(world: World) -> None:
    """Nobody runs the new workflow: the client's deadline ends its wait."""
    request = _operations(world, _start(world), update_request(world))
    call = asyncio.ensure_future(world.call(request, timeout_seconds=4))
    await admitted(world)
    await world.record_outcome("reply", call)
    await world.record_history()


@scenario()
async def uses_a_running_workflow(world: World) -> None:
    """With the policy USE_EXISTING the update goes to the workflow that runs."""
    await finish_first_task(world, worker := world.raw_worker())
    call = await _send(world, _start(world, USE_EXISTING), update_request(world))
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    world.record_reply("reply", await call)
    call = await _send(world, _start(world, USE_EXISTING), update_request(world, "second"))
    task = await worker.poll_workflow_task()
    world.record_reply("answer to the worker", await answer(worker, task, reject(task.messages[0])))
    world.record_reply("rejected", await call)
    await world.record_history()


@scenario()
async def fails_on_a_running_workflow(world: World) -> None:
    """With the policy FAIL, or with none, a running workflow is an error, and the update is not sent."""
    await finish_first_task(world, world.raw_worker())
    for policy in (FAIL, "WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED"):
        await world.record_call(policy, _operations(world, _start(world, policy), update_request(world)))
    await world.record_call("poll", poll_update_request(world, stage=""))


@scenario()
async def terminates_a_running_workflow(world: World) -> None:
    """With the policy TERMINATE_EXISTING the running workflow ends and a new one gets the update."""
    first_run_id = await finish_first_task(world, worker := world.raw_worker())
    call = asyncio.ensure_future(
        world.call(_operations(world, _start(world, TERMINATE_EXISTING), update_request(world)))
    )
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    world.record_reply("reply", await call)
    await world.record_history(run_id=first_run_id)
    await world.record_history()


@scenario()
async def same_request_again(world: World) -> None:
    """The same request again finds its own workflow and its own update, at every stage."""
    first = await _send(world, _start(world), update_request(world))
    second = asyncio.ensure_future(world.call(_operations(world, _start(world), update_request(world))))
    await asyncio.sleep(0.5)
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    await answer(worker, task, accept(task.messages[0]))
    request = _operations(world, _start(world), update_request(world, stage="ACCEPTED"))
    await world.record_call("after acceptance", request)
    await world.signal()
    await answer(worker, await worker.poll_workflow_task(), respond("update", "done"))
    world.record_reply("first", await first)
    world.record_reply("second", await second)
    await world.record_call("after completion", _operations(world, _start(world), update_request(world)))
    other_start = _start(world, request_id="another")
    await world.record_call("another start, same update", _operations(world, other_start, update_request(world)))
    await world.signal()
    await worker.next_workflow_task(complete_workflow())
    await world.record_call("after the close", _operations(world, _start(world), update_request(world)))
    await world.record_history()


@scenario()
async def same_start_other_update(world: World) -> None:
    """A start that is repeated may bring another update, whatever the policy."""
    first = await _send(world, _start(world), update_request(world, "first"))
    second = await _send(world, _start(world), update_request(world, "second"))
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    messages = [accept(task.messages[0]), accept(task.messages[1]), respond("first", 1), respond("second", 2)]
    await answer(worker, task, *messages)
    world.record_reply("first", await first)
    world.record_reply("second", await second)


@scenario()
async def other_start_same_update(world: World) -> None:
    """Another start joins the update that is known, even with the policy FAIL."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world)
    second = asyncio.ensure_future(world.call(_operations(world, _start(world), update_request(world))))
    await asyncio.sleep(0.5)
    task = await worker.poll_workflow_task()
    record_task(world, "task", task)
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    world.record_reply("first", await first)
    world.record_reply("second", await second)


@scenario()
async def after_a_closed_workflow(world: World) -> None:
    """The id of a closed workflow: which reuse policies start another, and what the others answer."""
    cases = {
        "completed": complete_workflow(),
        "failed": fail_workflow(application_failure("no")),
    }
    for outcome, close in cases.items():
        for policy in ("UNSPECIFIED", "ALLOW_DUPLICATE", "ALLOW_DUPLICATE_FAILED_ONLY", "REJECT_DUPLICATE"):
            name = f"{outcome}, {policy}"
            workflow_id = world.workflow_id(f"{outcome}-{policy}")
            queue = TaskQueue(name=f"{world.task_queue}-{outcome}-{policy}")
            await world.start(workflow_id, task_queue=queue)
            worker = world.raw_worker(task_queue=queue.name)
            await worker.next_workflow_task(close)
            start = _start(
                world,
                USE_EXISTING,
                workflow_id=workflow_id,
                task_queue=queue,
                workflow_id_reuse_policy=f"WORKFLOW_ID_REUSE_POLICY_{policy}",
            )
            call = asyncio.ensure_future(
                world.call(_operations(world, start, update_request(world, workflow_id=workflow_id)))
            )
            if policy == "REJECT_DUPLICATE" or (outcome, policy) == ("completed", "ALLOW_DUPLICATE_FAILED_ONLY"):
                await world.record_outcome(name, call)
                continue
            task = await worker.poll_workflow_task()
            await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
            world.record_reply(name, await call)


@scenario()
async def closed_with_the_update(world: World) -> None:
    """The update completed in the workflow that is closed: its result is the answer, and nothing starts."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"), commands=(complete_workflow(),))
    await update
    for policy in (FAIL, USE_EXISTING, TERMINATE_EXISTING):
        await world.record_call(policy, _operations(world, _start(world, policy), update_request(world)))


@scenario()
async def same_request_after_a_rejection(world: World) -> None:
    """The same request again after the update was rejected: it reaches the same run, unless that is closed."""
    call = await _send(world, _start(world), update_request(world))
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await answer(worker, task, reject(task.messages[0]))
    await call
    call = await _send(world, _start(world), update_request(world))
    task = await worker.poll_workflow_task()
    record_task(world, "task of the second", task)
    await answer(worker, task, reject(task.messages[0]))
    world.record_reply("second", await call)
    await world.terminate()
    await world.record_call("after the close", _operations(world, _start(world), update_request(world)))
    await world.record_history()


@scenario()
async def workflow_closes_without_an_answer(world: World) -> None:
    """The new workflow completes without a word about the update: the start succeeded, the update did not."""
    call = await _send(world, _start(world), update_request(world))
    await world.raw_worker().next_workflow_task(complete_workflow())
    await world.record_outcome("reply", call)


@scenario()
async def running_workflow_closes(world: World) -> None:
    """A running workflow closes with the update unanswered: the server starts another one for it."""
    await finish_first_task(world, worker := world.raw_worker())
    call = await _send(world, _start(world, USE_EXISTING), update_request(world))
    first = await worker.next_workflow_task(complete_workflow())
    task = await worker.poll_workflow_task()
    record_task(world, "task of another run", task)
    world.record_value("another run", task.workflow_execution.run_id != first.workflow_execution.run_id)
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    world.record_reply("reply", await call)


@scenario()
async def worker_answers_wrong(world: World) -> None:
    """A bad message fails the first workflow task: the start succeeded, the update did not."""
    call = await _send(world, _start(world), update_request(world))
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await world.record_outcome("to the worker", answer(worker, task, respond("update", 1)))
    await world.record_outcome("reply", call)


@scenario()
async def too_many_updates(world: World) -> None:
    """The limit of incomplete updates is the update's error."""
    await finish_first_task(world, worker := world.raw_worker())
    updates = [await send_update(world, f"update-{number}", stage="ACCEPTED") for number in range(10)]
    task = await worker.poll_workflow_task()
    await answer(worker, task, *(accept(message) for message in task.messages))
    for update in updates:
        await update
    await world.record_call("reply", _operations(world, _start(world, USE_EXISTING), update_request(world, "late")))


@scenario()
async def malformed(world: World) -> None:
    """Wrong operations, and operations that are wrong."""
    start, update = _start(world), update_request(world)
    operation = ExecuteMultiOperationRequest.Operation()
    elsewhere = WorkflowExecution(workflow_id="elsewhere")
    own_run = WorkflowExecution(workflow_id=world.workflow_id(), run_id="00000000-0000-0000-0000-000000000000")
    cases = {
        "no namespace": _operations(world, start, update, namespace=""),
        "unknown namespace": _operations(world, start, update, namespace="nowhere"),
        "nothing": _operations(world),
        "empty operation": ExecuteMultiOperationRequest(namespace=world.namespace, operations=[operation]),
        "start alone": _operations(world, start),
        "update alone": _operations(world, update),
        "update first": _operations(world, update, start),
        "two starts": _operations(world, start, start),
        "two updates": _operations(world, update, update),
        "three": _operations(world, start, update, update),
        "another workflow": _operations(world, start, update_request(world, workflow_execution=elsewhere)),
        "another namespace in the start": _operations(world, _start(world, namespace="other"), update),
        "another namespace in the update": _operations(world, start, update_request(world, namespace="other")),
        "update of a run": _operations(world, start, update_request(world, workflow_execution=own_run)),
        "update of a chain": _operations(world, start, update_request(world, first_execution_run_id=own_run.run_id)),
        "cron": _operations(world, _start(world, cron_schedule="* * * * *"), update),
        "start delay": _operations(world, _start(world, workflow_start_delay=seconds(1)), update),
        "eager": _operations(world, _start(world, request_eager_execution=True), update),
        "start without a type": _operations(world, _start(world, workflow_type=None), update),
        "start without a workflow id": _operations(world, StartWorkflowExecutionRequest(), update),
        "start with a bad retry policy": _operations(
            world, _start(world, retry_policy=retry_policy(coefficient=0.1)), update
        ),
        "update without a name": _operations(world, start, update_request(world, name="")),
        "update without meta": _operations(world, start, update_request(world, request=Request())),
        "update that waits for ADMITTED": _operations(world, start, update_request(world, stage="ADMITTED")),
        "both wrong": _operations(world, _start(world, workflow_type=None), update_request(world, name="")),
        "both wrong and another workflow": _operations(
            world, _start(world, cron_schedule="* * * * *"), update_request(world, workflow_execution=elsewhere)
        ),
    }
    for name, request in cases.items():
        await world.record_call(name, request)


@scenario()
async def without_a_namespace(world: World) -> None:
    """The start needs its own namespace, the update does not; the update needs no id."""
    request = _operations(world, _start(world, namespace=None), update_request(world))
    await world.record_call("start without a namespace", request)
    update = update_request(world, "", namespace=None)
    call = asyncio.ensure_future(world.call(_operations(world, _start(world), update)))
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await answer(worker, task, reject(task.messages[0]))
    world.record_reply("update without a namespace", await call)
    await world.record_history()
