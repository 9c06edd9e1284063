"""What the server refuses about a run: status codes, messages and error details."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    ListWorkflowExecutionsRequest,
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    QueryWorkflowRequest,
    RecordActivityTaskHeartbeatByIdRequest,
    RequestCancelWorkflowExecutionRequest,
    ResetStickyTaskQueueRequest,
    RespondActivityTaskCanceledByIdRequest,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskFailedByIdRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)

from tests.differential.raw_worker import application_failure, complete_workflow, payloads
from tests.differential.scenario import scenario
from tests.differential.world import World

UNKNOWN_RUN_ID = "11111111-2222-3333-4444-555555555555"


def _reads(execution: WorkflowExecution, namespace: str) -> dict[str, Message]:
    fields: dict[str, Any] = {"namespace": namespace, "execution": execution}
    return {
        "describe": DescribeWorkflowExecutionRequest(**fields),
        "history": GetWorkflowExecutionHistoryRequest(**fields),
        "history reverse": GetWorkflowExecutionHistoryReverseRequest(**fields),
        "query": QueryWorkflowRequest(query=WorkflowQuery(query_type="status"), **fields),
    }


def _writes(execution: WorkflowExecution, namespace: str) -> dict[str, Message]:
    fields: dict[str, Any] = {"namespace": namespace, "workflow_execution": execution}
    by_activity_id: dict[str, Any] = {
        "namespace": namespace,
        "workflow_id": execution.workflow_id,
        "run_id": execution.run_id,
        "activity_id": "a",
    }
    return {
        "signal": SignalWorkflowExecutionRequest(signal_name="go", **fields),
        "cancel": RequestCancelWorkflowExecutionRequest(**fields),
        "complete activity by id": RespondActivityTaskCompletedByIdRequest(**by_activity_id),
        "fail activity by id": RespondActivityTaskFailedByIdRequest(
            failure=application_failure("no"), **by_activity_id
        ),
        "cancel activity by id": RespondActivityTaskCanceledByIdRequest(**by_activity_id),
        "heartbeat by id": RecordActivityTaskHeartbeatByIdRequest(**by_activity_id),
        "reset sticky": ResetStickyTaskQueueRequest(namespace=namespace, execution=execution),
        "terminate": TerminateWorkflowExecutionRequest(**fields),
    }


async def _record_all(world: World, requests: dict[str, Message], **options: Any) -> None:
    for name, request in requests.items():
        await world.record_call(name, request, **options)


async def _record_reads_and_writes(world: World, execution: WorkflowExecution, namespace: str = "default") -> None:
    await _record_all(world, _reads(execution, namespace) | _writes(execution, namespace))


@scenario(live_sample=True)
async def unknown_workflow_id(world: World) -> None:
    """Every RPC about a workflow id that was never started."""
    await _record_reads_and_writes(world, world.execution("never-started"))


@scenario()
async def unknown_run_id(world: World) -> None:
    """Every RPC about an unknown run of a known workflow id."""
    await world.start()
    await _record_reads_and_writes(world, world.execution(run_id=UNKNOWN_RUN_ID))


@scenario()
async def run_id_of_another_workflow(world: World) -> None:
    """Every RPC about a run that exists, but under another workflow id."""
    await world.start()
    other_run_id = await world.start(world.workflow_id("other"))
    await _record_reads_and_writes(world, world.execution(run_id=other_run_id))


@scenario()
async def malformed_run_id(world: World) -> None:
    """Every RPC with a run id that is no UUID."""
    await world.start()
    await _record_reads_and_writes(world, world.execution(run_id="not-a-uuid"))


@scenario()
async def missing_workflow_id(world: World) -> None:
    """Every RPC with an empty workflow id."""
    await _record_reads_and_writes(world, WorkflowExecution())


def _about_a_namespace(namespace: str) -> dict[str, Message]:
    fields: dict[str, Any] = {"namespace": namespace, "task_queue": TaskQueue(name="q")}
    return {
        "describe namespace": DescribeNamespaceRequest(namespace=namespace),
        "list": ListWorkflowExecutionsRequest(namespace=namespace),
        "count": CountWorkflowExecutionsRequest(namespace=namespace),
        "poll workflow task": PollWorkflowTaskQueueRequest(**fields),
        "poll activity task": PollActivityTaskQueueRequest(**fields),
        "describe task queue": DescribeTaskQueueRequest(**fields),
    }


@scenario()
async def unknown_namespace(world: World) -> None:
    """Every RPC in a namespace that does not exist."""
    await world.record_call("start", world.start_request(namespace="nowhere"))
    await _record_reads_and_writes(world, world.execution(), "nowhere")
    await _record_all(world, _about_a_namespace("nowhere"))


@scenario()
async def missing_namespace(world: World) -> None:
    """Every RPC with an empty namespace."""
    await world.record_call("start", world.start_request(namespace=""))
    await _record_reads_and_writes(world, world.execution(), "")
    await _record_all(world, _about_a_namespace(""))


@scenario()
async def closed_run(world: World) -> None:
    """Every write to a completed run."""
    run_id = await world.start()
    await world.raw_worker().next_workflow_task(complete_workflow("done"))
    await _record_all(world, _writes(world.execution(), "default"))
    await _record_all(world, _writes(world.execution(run_id=run_id), "default"))


@scenario()
async def bad_polls(world: World) -> None:
    """Polls without a queue, with names that are too long, with a deadline that is too short or missing."""
    cases: dict[str, dict[str, Any]] = {
        "no task queue": {"namespace": "default"},
        "empty task queue": {"namespace": "default", "task_queue": TaskQueue()},
        "long task queue": {"namespace": "default", "task_queue": TaskQueue(name="q" * 1001)},
        "long identity": {"namespace": "default", "task_queue": TaskQueue(name="q"), "identity": "i" * 1001},
        "reserved task queue": {"namespace": "default", "task_queue": TaskQueue(name="/_sys/x/1")},
    }
    for name, fields in cases.items():
        await world.record_call(f"workflow, {name}", PollWorkflowTaskQueueRequest(**fields), timeout_seconds=4)
        await world.record_call(f"activity, {name}", PollActivityTaskQueueRequest(**fields), timeout_seconds=4)
    for timeout_seconds in (1, 3, None):
        name = f"deadline of {timeout_seconds} s" if timeout_seconds else "no deadline"
        queue: dict[str, Any] = {"namespace": "default", "task_queue": TaskQueue(name=world.task_queue)}
        await world.record_call(
            f"workflow, {name}", PollWorkflowTaskQueueRequest(**queue), timeout_seconds=timeout_seconds
        )
        await world.record_call(
            f"activity, {name}", PollActivityTaskQueueRequest(**queue), timeout_seconds=timeout_seconds
        )


@scenario()
async def bad_signals(world: World) -> None:
    """Signals without a name, and signal-with-start without its fields."""
    await world.start()
    await _record_all(
        world,
        {
            "no signal name": SignalWorkflowExecutionRequest(namespace="default", workflow_execution=world.execution()),
            "no execution": SignalWorkflowExecutionRequest(namespace="default", signal_name="go"),
        },
    )
    complete: dict[str, Any] = {
        "namespace": "default",
        "workflow_id": world.workflow_id("sws"),
        "workflow_type": WorkflowType(name="T"),
        "task_queue": TaskQueue(name=world.task_queue),
        "signal_name": "go",
    }
    for missing in complete:
        fields = {name: value for name, value in complete.items() if name != missing}
        await world.record_call(
            f"signal with start without {missing}", SignalWithStartWorkflowExecutionRequest(**fields)
        )


@scenario()
async def bad_reads(world: World) -> None:
    """History with a bad page token, and reads without an execution, a task queue, a query."""
    await world.start()
    execution = world.execution()
    await _record_all(
        world,
        {
            "bad page token": GetWorkflowExecutionHistoryRequest(
                namespace="default", execution=execution, next_page_token=b"nonsense"
            ),
            "bad reverse page token": GetWorkflowExecutionHistoryReverseRequest(
                namespace="default", execution=execution, next_page_token=b"nonsense"
            ),
            "history of no execution": GetWorkflowExecutionHistoryRequest(namespace="default"),
            "describe no execution": DescribeWorkflowExecutionRequest(namespace="default"),
            "describe no task queue": DescribeTaskQueueRequest(namespace="default"),
            "query without a query": QueryWorkflowRequest(namespace="default", execution=execution),
            "query without a type": QueryWorkflowRequest(
                namespace="default", execution=execution, query=WorkflowQuery()
            ),
        },
    )


@scenario()
async def oversize_requests(world: World) -> None:
    """Signals, queries and termination details over the size limit."""
    big = payloads("x" * (2 * 1024 * 1024))
    await world.start()
    execution = world.execution()
    await _record_all(
        world,
        {
            "signal": SignalWorkflowExecutionRequest(
                namespace="default", workflow_execution=execution, signal_name="go", input=big
            ),
            "query arguments": QueryWorkflowRequest(
                namespace="default", execution=execution, query=WorkflowQuery(query_type="q", query_args=big)
            ),
            "signal with start": SignalWithStartWorkflowExecutionRequest(
                namespace="default",
                workflow_id=world.workflow_id("sws"),
                workflow_type=WorkflowType(name="T"),
                task_queue=TaskQueue(name=world.task_queue),
                signal_name="go",
                signal_input=big,
            ),
            "terminate details": TerminateWorkflowExecutionRequest(
                namespace="default", workflow_execution=execution, details=big
            ),
        },
    )
