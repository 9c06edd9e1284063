"""After a reset: what clients and workers of the old run hear, and what the workflow id means now."""

from __future__ import annotations

import asyncio

from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    GetWorkflowExecutionHistoryRequest,
    ListWorkflowExecutionsRequest,
    QueryWorkflowRequest,
    RequestCancelWorkflowExecutionRequest,
    RespondQueryTaskCompletedRequest,
    SignalWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)

from tests.differential.raw_worker import RawWorker, complete_workflow, payloads, seconds
from tests.differential.scenario import scenario
from tests.differential.world import World

FIRST_COMPLETED = 4


async def _reset_run(world: World) -> tuple[str, str, RawWorker]:
    """Start a run, complete its first workflow task, reset it there; return the old and the new run's id."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    return run_id, await world.reset(FIRST_COMPLETED), worker


@scenario()
async def writes_to_the_old_run(world: World) -> None:
    """Signal, cancel and terminate by the old run's id are refused; without a run id they reach the new run."""
    run_id, new_run_id, _ = await _reset_run(world)
    for name, execution in {"old run": world.execution(run_id=run_id), "no run id": world.execution()}.items():
        fields = {"namespace": world.namespace, "workflow_execution": execution}
        await world.record_call(f"signal, {name}", SignalWorkflowExecutionRequest(signal_name="go", **fields))
        await world.record_call(f"cancel, {name}", RequestCancelWorkflowExecutionRequest(**fields))
        await world.record_call(f"terminate, {name}", TerminateWorkflowExecutionRequest(**fields))
    await world.record_history(run_id=run_id)
    await world.record_history(run_id=new_run_id)


@scenario()
async def first_execution_run_id(world: World) -> None:
    """The first run's id still names the chain in cancel and terminate requests; the new run's own does not."""
    run_id, new_run_id, _ = await _reset_run(world)
    fields = {"namespace": world.namespace, "workflow_execution": world.execution()}
    for name, first in {"new run": new_run_id, "first run": run_id}.items():
        await world.record_call(
            f"cancel, {name}", RequestCancelWorkflowExecutionRequest(first_execution_run_id=first, **fields)
        )
    for name, first in {"new run": new_run_id, "first run": run_id}.items():
        await world.record_call(
            f"terminate, {name}", TerminateWorkflowExecutionRequest(first_execution_run_id=first, **fields)
        )
    await world.record_history()


@scenario()
async def queries(world: World) -> None:
    """A query of the old run gets its whole history, one without a run id goes to the new run."""
    run_id, _, worker = await _reset_run(world)
    await worker.next_workflow_task()
    for name, execution in {"old": world.execution(run_id=run_id), "new": world.execution()}.items():
        answer = asyncio.ensure_future(
            world.call(
                QueryWorkflowRequest(
                    namespace=world.namespace, execution=execution, query=WorkflowQuery(query_type="status")
                )
            )
        )
        task = await worker.poll_workflow_task()
        world.record_reply(f"{name} run's query task", task)
        await world.call(
            RespondQueryTaskCompletedRequest(
                namespace=world.namespace,
                task_token=task.task_token,
                completed_type="QUERY_RESULT_TYPE_ANSWERED",
                query_result=payloads(name),
            )
        )
        world.record_reply(f"{name} run's answer", await answer)


@scenario()
async def waiting_for_the_old_run(world: World) -> None:
    """A client that waits for the close of the run gets the termination, which names no next run."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    request = GetWorkflowExecutionHistoryRequest(
        namespace=world.namespace,
        execution=world.execution(run_id=run_id),
        wait_new_event=True,
        history_event_filter_type="HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT",
    )
    waits = asyncio.ensure_future(world.call(request))
    await asyncio.sleep(0.3)
    await world.reset(FIRST_COMPLETED)
    world.record_reply("close event", await waits)


@scenario()
async def listed_and_counted(world: World) -> None:
    """Lists show both runs with their status, and counts by status count both."""
    await _reset_run(world)
    query = f"WorkflowId = '{world.workflow_id()}'"

    async def both() -> list[str]:
        reply = await world.call(ListWorkflowExecutionsRequest(namespace=world.namespace, query=query))
        statuses = [(each.status, each.history_length) for each in reply.executions]
        return statuses if sorted(statuses) == [(1, 0), (5, 5)] else []

    world.record_value("listed", await world.eventually(both))
    await world.record_call("count", CountWorkflowExecutionsRequest(namespace=world.namespace, query=query))


@scenario()
async def sticky_queue(world: World) -> None:
    """The new run is not sticky: its first workflow task comes on the normal queue, with the whole history."""
    await world.start()
    worker = world.raw_worker()
    sticky = f"{world.name}-sticky"
    await worker.complete_workflow_task(await worker.poll_workflow_task(), sticky=sticky)
    await world.reset(FIRST_COMPLETED)
    task = await worker.poll_workflow_task()
    world.record_reply("task", task)
    await worker.complete_workflow_task(task, sticky=sticky)
    await world.record_description("sticky again")


@scenario()
async def id_is_taken(world: World) -> None:
    """While the new run is open the workflow id is taken; after that its status decides on the reuse of the id."""
    await _reset_run(world)
    await world.record_call("start", world.start_request(request_id="second"))
    await world.record_call(
        "use existing",
        world.start_request(request_id="third", workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING"),
    )
    await world.raw_worker().next_workflow_task(complete_workflow())
    await world.record_call(
        "failed only",
        world.start_request(
            request_id="fourth", workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY"
        ),
    )
    await world.record_call("start again", world.start_request(request_id="fifth"))


@scenario()
async def timeouts(world: World) -> None:
    """The new run has its whole run timeout and its whole execution timeout again."""
    run_id = await world.start(workflow_execution_timeout=seconds(8), workflow_run_timeout=seconds(6))
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await asyncio.sleep(3)
    started = asyncio.get_running_loop().time()
    new_run_id = await world.reset(FIRST_COMPLETED)
    await worker.next_workflow_task()
    await world.wait_closed(run_id=new_run_id)
    lasted = asyncio.get_running_loop().time() - started
    world.record_value("longer than what was left of the execution timeout", lasted > 5.5)
    await world.record_history(run_id=new_run_id)
    await world.record_history(run_id=run_id)
