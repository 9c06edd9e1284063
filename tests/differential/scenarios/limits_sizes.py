"""Payloads and memos over their limits, everywhere where there are some, on a server where the limits are small."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.message import Message
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Header, Memo, SearchAttributes, WorkflowExecution, WorkflowType
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    QueryWorkflowRequest,
    RecordActivityTaskHeartbeatByIdRequest,
    RespondActivityTaskCompletedByIdRequest,
    RespondQueryTaskCompletedRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    payload,
    payloads,
    retry_policy,
    schedule_activity,
    start_child,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.update_worker import accept, answer, respond, send_update, update_request
from tests.differential.world import World

# Over 8 KiB, the limit of a payload.
OVERSIZE = "x" * 9000
# Over 4 KiB, the size from which the server warns and to which it cuts failures.
LONG = "y" * 5000
# Over 2 KiB, the limit of a memo.
OVERSIZE_MEMO = Memo(fields={"m": payload("x" * 3000)})
HEADER = Header(fields={"h": payload(OVERSIZE)})
SEARCH_ATTRIBUTES = SearchAttributes(indexed_fields={"DiffKeyword": payload("x" * 3000)})


@scenario(server="small_limits")
async def requests(world: World) -> None:
    """Starts, signals, queries, updates and terminations with too much in them."""
    await world.start()
    fields: dict[str, Any] = {"namespace": world.namespace, "workflow_execution": world.execution()}
    with_start: dict[str, Any] = {
        "namespace": world.namespace,
        "workflow_id": world.workflow_id("sws"),
        "workflow_type": WorkflowType(name="T"),
        "task_queue": TaskQueue(name=world.task_queue),
        "signal_name": "go",
    }
    query: dict[str, Any] = {"namespace": world.namespace, "execution": world.execution()}
    big = payloads(OVERSIZE)
    cases: dict[str, Message] = {
        "start, input": world.start_request(world.workflow_id("a"), input=big),
        "start, memo": world.start_request(world.workflow_id("b"), memo=OVERSIZE_MEMO),
        "start, header": world.start_request(world.workflow_id("c"), header=HEADER),
        "start, search attributes": world.start_request(world.workflow_id("d"), search_attributes=SEARCH_ATTRIBUTES),
        "start, summary": world.start_request(
            world.workflow_id("e"), user_metadata=UserMetadata(summary=payload("s" * 500))
        ),
        "start, details": world.start_request(
            world.workflow_id("f"), user_metadata=UserMetadata(details=payload("d" * 20_100))
        ),
        "start, last completion result": world.start_request(world.workflow_id("g"), last_completion_result=big),
        "start, continued failure": world.start_request(
            world.workflow_id("h"), continued_failure=application_failure(OVERSIZE)
        ),
        "signal, input": SignalWorkflowExecutionRequest(signal_name="go", input=big, **fields),
        "signal, header": SignalWorkflowExecutionRequest(signal_name="go", header=HEADER, **fields),
        "signal with start, signal input": SignalWithStartWorkflowExecutionRequest(signal_input=big, **with_start),
        "signal with start, input": SignalWithStartWorkflowExecutionRequest(input=big, **with_start),
        "signal with start, memo": SignalWithStartWorkflowExecutionRequest(memo=OVERSIZE_MEMO, **with_start),
        "query": QueryWorkflowRequest(query=WorkflowQuery(query_type="q", query_args=big), **query),
        "update": update_request(world, "update", OVERSIZE),
        "terminate, details": TerminateWorkflowExecutionRequest(details=big, **fields),
    }
    for name, request in cases.items():
        reply = await world.record_call(name, request, timeout_seconds=3)
        if name.startswith("start") and reply is not None:
            await world.terminate(request.workflow_id)  # type: ignore[attr-defined]
    await world.record_history()


@scenario(server="small_limits")
async def commands(world: World) -> None:
    """Commands with too much in them: some fail the workflow task, some the workflow."""
    big = payloads(OVERSIZE)
    target = {"namespace": world.namespace, "execution": WorkflowExecution(workflow_id="nobody"), "signal_name": "go"}
    can = "CONTINUE_AS_NEW_WORKFLOW_EXECUTION"
    cases: dict[str, Command] = {
        "activity input": schedule_activity("a", world.task_queue, input=big),
        "activity header": schedule_activity("a", world.task_queue, header=HEADER),
        "marker details": command("RECORD_MARKER", marker_name="m", details={"d": big}),
        "marker of many details": command(
            "RECORD_MARKER", marker_name="m", details={f"{number}": payloads(LONG) for number in range(2)}
        ),
        "marker failure": command("RECORD_MARKER", marker_name="m", failure=application_failure(OVERSIZE)),
        "child input": start_child(world.child_id, world.child_queue, input=big),
        "child memo": start_child(world.child_id, world.child_queue, memo=OVERSIZE_MEMO),
        "child search attributes": start_child(world.child_id, world.child_queue, search_attributes=SEARCH_ATTRIBUTES),
        "signal input": command("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION", input=big, **target),
        "upserted memo": command("MODIFY_WORKFLOW_PROPERTIES", upserted_memo=OVERSIZE_MEMO),
        "upserted search attributes": command("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", search_attributes=SEARCH_ATTRIBUTES),
        "continue as new, input": command(can, input=big),
        "continue as new, memo": command(can, memo=OVERSIZE_MEMO),
        "continue as new, header": command(can, header=HEADER),
        "result": complete_workflow(OVERSIZE),
        "cancel details": command("CANCEL_WORKFLOW_EXECUTION", details=big),
        "failure message": fail_workflow(application_failure(OVERSIZE)),
        "failure details": fail_workflow(application_failure("short", details=big)),
        "long failure": fail_workflow(application_failure(LONG)),
        "summary": start_timer_with_metadata(UserMetadata(summary=payload("s" * 500))),
        "details": start_timer_with_metadata(UserMetadata(details=payload("d" * 20_100))),
    }
    for name, each in cases.items():
        await world.record_task_with(name, each)


def start_timer_with_metadata(user_metadata: UserMetadata) -> Command:
    """Return a StartTimer command with user metadata."""
    timer = start_timer("t", 60)
    timer.user_metadata.CopyFrom(user_metadata)
    return timer


@scenario(server="small_limits")
async def memo_adds_up(world: World) -> None:
    """Upserts that fit by themselves, but not with the memo that is there."""
    await world.start(memo=Memo(fields={"a": payload("x" * 1500)}))
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await world.record_outcome(
        "upsert",
        worker.complete_workflow_task(
            task, command("MODIFY_WORKFLOW_PROPERTIES", upserted_memo=Memo(fields={"b": payload("x" * 1500)}))
        ),
    )
    await world.record_history()


@scenario(server="small_limits")
async def activity_answers(world: World) -> None:
    """Answers to activities with too much in them fail the activity, or are cut."""
    await world.start()
    worker = world.raw_worker()
    once = retry_policy(attempts=1)

    async def next_activity() -> Any:
        await worker.next_workflow_task(schedule_activity("a", world.task_queue, retry_policy=once))
        return await worker.poll_activity_task()

    await world.record_outcome("result", worker.complete_activity(await next_activity(), OVERSIZE))
    await world.record_outcome("heartbeat", worker.heartbeat(await next_activity(), OVERSIZE))
    await world.record_outcome(
        "failure message", worker.fail_activity(await next_activity(), application_failure(OVERSIZE))
    )
    await world.record_outcome(
        "failure details",
        worker.fail_activity(await next_activity(), application_failure("short", details=payloads(OVERSIZE))),
    )
    await world.record_history()


@scenario(server="small_limits")
async def activity_answers_of_other_kinds(world: World) -> None:
    """The same for answers by id, cancellations, and the last heartbeat that comes with a failure."""
    await world.start()
    worker = world.raw_worker()
    by_id = {"namespace": world.namespace, "workflow_id": world.workflow_id(), "activity_id": "a"}
    once = retry_policy(attempts=1)

    async def next_activity() -> Any:
        await worker.next_workflow_task(schedule_activity("a", world.task_queue, retry_policy=once))
        return await worker.poll_activity_task()

    await next_activity()
    await world.record_call("result by id", RespondActivityTaskCompletedByIdRequest(result=payloads(OVERSIZE), **by_id))
    await next_activity()
    await world.record_call(
        "heartbeat by id", RecordActivityTaskHeartbeatByIdRequest(details=payloads(OVERSIZE), **by_id)
    )
    await world.record_outcome(
        "last heartbeat",
        worker.fail_activity(
            await next_activity(), application_failure("short"), last_heartbeat_details=payloads(OVERSIZE)
        ),
    )
    await world.record_outcome("cancellation", worker.cancel_activity(await next_activity(), OVERSIZE))
    await world.record_history()


@scenario(server="small_limits")
async def long_failures_of_attempts(world: World) -> None:
    """A long failure is cut where it is kept as the last attempt's, in the description and in the history."""
    await world.start()
    worker = world.raw_worker()
    policy = retry_policy(initial=1, attempts=2)
    await worker.next_workflow_task(schedule_activity("a", world.task_queue, retry_policy=policy))
    failure = application_failure("z" * 4000)
    failure.stack_trace = "s" * 3000
    await worker.fail_activity(await worker.poll_activity_task(), failure)
    await world.record_description("first attempt failed")
    await worker.fail_activity(await worker.poll_activity_task(), application_failure("z" * 4000))
    await world.record_history()


@scenario(server="small_limits")
async def query_answers(world: World) -> None:
    """Answers to queries with too much in them, in a task of their own and on a workflow task."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    query = QueryWorkflowRequest(
        namespace=world.namespace, execution=world.execution(), query=WorkflowQuery(query_type="q")
    )
    asked = asyncio.ensure_future(world.call(query))
    task = await worker.poll_workflow_task()
    await world.record_call(
        "answering",
        RespondQueryTaskCompletedRequest(
            namespace=world.namespace,
            task_token=task.task_token,
            completed_type="QUERY_RESULT_TYPE_ANSWERED",
            query_result=payloads(OVERSIZE),
        ),
    )
    await world.record_outcome("answer", asked)
    await world.signal()
    asked = asyncio.ensure_future(world.call(query))
    await asyncio.sleep(0.3)
    task = await worker.poll_workflow_task()
    results = {
        query_id: WorkflowQueryResult(result_type="QUERY_RESULT_TYPE_ANSWERED", answer=payloads(OVERSIZE))
        for query_id in task.queries
    }
    await world.record_outcome("workflow task", worker.complete_workflow_task(task, query_results=results))
    await world.record_outcome("answer on a workflow task", asked)
    await world.record_history()


@scenario(server="small_limits")
async def update_answers(world: World) -> None:
    """An update whose result is too big."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await world.record_outcome("answer", answer(worker, task, accept(task.messages[0]), respond("update", OVERSIZE)))
    await world.record_history()
    update.cancel()


@scenario(server="small_limits")
async def task_failures(world: World) -> None:
    """A failed workflow task with a long failure."""
    await world.start()
    worker = world.raw_worker()
    await world.record_outcome(
        "failed", worker.fail_workflow_task(await worker.poll_workflow_task(), failure=application_failure(OVERSIZE))
    )
    await world.record_history()
