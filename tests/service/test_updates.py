"""Updates over raw gRPC: how they look on the wire, and what becomes of them when the server goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest
from temporalio.api.common.v1.grpc_status_pb2 import GrpcStatus
from temporalio.api.enums.v1.update_pb2 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.errordetails.v1 import MultiOperationExecutionFailure
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Input, Meta, Request, UpdateRef, WaitPolicy
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    ExecuteMultiOperationRequest,
    GetSystemInfoRequest,
    GetWorkflowExecutionHistoryRequest,
    PollWorkflowExecutionUpdateRequest,
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskCompletedResponse,
    UpdateWorkflowExecutionRequest,
)
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub

from tests.core.support.update_messages import accept, reject, respond
from tests.service import raw
from tests.service.conftest import Stubs
from tests.support.server_process import launch_dx, running

COMPLETED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
ACCEPTED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED


def update(
    workflow_id: str, update_id: str = "update", stage: Stage.ValueType = COMPLETED
) -> UpdateWorkflowExecutionRequest:
    return UpdateWorkflowExecutionRequest(
        namespace="default",
        workflow_execution=raw.execution(workflow_id),
        request=Request(meta=Meta(update_id=update_id), input=Input(name="set")),
        wait_policy=WaitPolicy(lifecycle_stage=stage),
    )


def poll_update(workflow_id: str, update_id: str = "update") -> PollWorkflowExecutionUpdateRequest:
    return PollWorkflowExecutionUpdateRequest(
        namespace="default",
        update_ref=UpdateRef(workflow_execution=raw.execution(workflow_id), update_id=update_id),
        wait_policy=WaitPolicy(lifecycle_stage=COMPLETED),
    )


def take_task(stub: WorkflowServiceStub, workflow_id: str) -> PollWorkflowTaskQueueResponse:
    task: PollWorkflowTaskQueueResponse = stub.PollWorkflowTaskQueue(
        raw.poll_workflow(workflow_id), timeout=raw.POLL_SECONDS
    )
    assert task.task_token
    return task


def answer(
    stub: WorkflowServiceStub, task: PollWorkflowTaskQueueResponse, *messages: Message, **fields: Any
) -> RespondWorkflowTaskCompletedResponse:
    request = RespondWorkflowTaskCompletedRequest(
        namespace="default", task_token=task.task_token, messages=messages, **fields
    )
    reply: RespondWorkflowTaskCompletedResponse = stub.RespondWorkflowTaskCompleted(request)
    return reply


def start_idle(stub: WorkflowServiceStub, workflow_id: str) -> None:
    """Start a workflow and complete its first workflow task."""
    stub.StartWorkflowExecution(raw.start(workflow_id))
    answer(stub, take_task(stub, workflow_id))


def count_events(stub: WorkflowServiceStub, workflow_id: str) -> int:
    request = GetWorkflowExecutionHistoryRequest(namespace="default", execution=raw.execution(workflow_id))
    return len(stub.GetWorkflowExecutionHistory(request).history.events)


def test_what_the_server_says_it_can_do(stubs: Stubs) -> None:
    assert stubs.workflow.GetSystemInfo(GetSystemInfoRequest()).capabilities.eager_workflow_start
    described = stubs.workflow.DescribeNamespace(DescribeNamespaceRequest(namespace="default"))
    capabilities = described.namespace_info.capabilities
    assert (capabilities.sync_update, capabilities.async_update, capabilities.eager_workflow_start) == (True,) * 3


def test_an_update_from_its_request_to_its_outcome(stubs: Stubs) -> None:
    workflow_id = "updated"
    start_idle(stubs.workflow, workflow_id)
    accepted = stubs.workflow.UpdateWorkflowExecution.future(update(workflow_id, stage=ACCEPTED), timeout=30)
    task = take_task(stubs.workflow, workflow_id)
    assert [event.event_id for event in task.history.events] == [1, 2, 3, 4, 5, 6]
    (message,) = task.messages
    assert (message.id, message.protocol_instance_id, message.event_id) == ("update/request", "update", 5)
    assert message.body.type_url == "type.googleapis.com/temporal.api.update.v1.Request"
    answer(stubs.workflow, task, accept(message))
    reply = accepted.result()
    assert (reply.stage, reply.HasField("outcome")) == (ACCEPTED, False)
    assert reply.update_ref.workflow_execution.run_id == task.workflow_execution.run_id
    polled = stubs.workflow.PollWorkflowExecutionUpdate.future(poll_update(workflow_id), timeout=30)
    stubs.workflow.SignalWorkflowExecution(raw.signal(workflow_id))
    answer(stubs.workflow, take_task(stubs.workflow, workflow_id), respond("update", "done"))
    assert (polled.result().stage, polled.result().outcome.success.payloads[0].data) == (COMPLETED, b'"done"')


def test_a_rejected_update_leaves_no_event(stubs: Stubs) -> None:
    workflow_id = "rejected"
    start_idle(stubs.workflow, workflow_id)
    rejected = stubs.workflow.UpdateWorkflowExecution.future(update(workflow_id), timeout=30)
    task = take_task(stubs.workflow, workflow_id)
    assert answer(stubs.workflow, task, reject(task.messages[0])).reset_history_event_id == 3
    assert rejected.result().outcome.failure.message == "not now"
    assert count_events(stubs.workflow, workflow_id) == 4
    with pytest.raises(grpc.RpcError) as raised:
        stubs.workflow.PollWorkflowExecutionUpdate(poll_update(workflow_id), timeout=30)
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND


def test_update_with_start(stubs: Stubs) -> None:
    workflow_id = "update-with-start"

    def request(**fields: Any) -> ExecuteMultiOperationRequest:
        start, operation = raw.start(workflow_id, **fields), ExecuteMultiOperationRequest.Operation
        operations = [operation(start_workflow=start), operation(update_workflow=update(workflow_id))]
        return ExecuteMultiOperationRequest(namespace="default", operations=operations)

    both = stubs.workflow.ExecuteMultiOperation.future(request(), timeout=30)
    task = take_task(stubs.workflow, workflow_id)
    answer(stubs.workflow, task, accept(task.messages[0]), respond("update", "done"))
    started, updated = both.result().responses
    assert started.start_workflow.started
    assert updated.update_workflow.outcome.success.payloads[0].data == b'"done"'
    with pytest.raises(grpc.RpcError) as raised:
        stubs.workflow.ExecuteMultiOperation(request(cron_schedule="* * * * *"), timeout=30)
    trailers = dict(raised.value.trailing_metadata())
    detail = MultiOperationExecutionFailure()
    assert GrpcStatus.FromString(trailers["grpc-status-details-bin"]).details[0].Unpack(detail)
    assert [(status.code, status.message) for status in detail.statuses] == [
        (3, "CronSchedule is not allowed."),
        (10, "Operation was aborted."),
    ]


def test_an_eager_start_brings_the_first_task(stubs: Stubs) -> None:
    started = stubs.workflow.StartWorkflowExecution(raw.start("eager", request_eager_execution=True))
    task = started.eager_workflow_task
    assert [event.event_id for event in task.history.events] == [1, 2, 3]
    assert task.workflow_execution.run_id == started.run_id
    answer(stubs.workflow, task, commands=[raw.complete_workflow("done")])
    assert count_events(stubs.workflow, "eager") == 5


@pytest.mark.parametrize("killed", [True, False])
def test_an_admitted_update_ends_with_the_server_and_may_be_sent_again(tmp_path: Path, killed: bool) -> None:
    file, workflow_id = tmp_path / "history.db", "survivor"
    with running(launch_dx(tmp_path, db_filename=file)) as server, grpc.insecure_channel(server.address) as channel:
        stub = WorkflowServiceStub(channel)
        start_idle(stub, workflow_id)
        waiting = stub.UpdateWorkflowExecution.future(update(workflow_id), timeout=30)
        lost = take_task(stub, workflow_id)
        assert lost.messages[0].id == "update/request"
        if killed:
            server.kill()
        else:
            assert server.stop() == 0
        assert waiting.exception().code() == grpc.StatusCode.UNAVAILABLE
    with running(launch_dx(tmp_path, db_filename=file)) as server, grpc.insecure_channel(server.address) as channel:
        stub = WorkflowServiceStub(channel)
        assert count_events(stub, workflow_id) == 4
        again = stub.UpdateWorkflowExecution.future(update(workflow_id), timeout=30)
        task = take_task(stub, workflow_id)
        with pytest.raises(grpc.RpcError) as raised:
            answer(stub, lost, accept(lost.messages[0]), respond("update", "too late"))
        assert raised.value.code() == grpc.StatusCode.NOT_FOUND
        answer(stub, task, accept(task.messages[0]), respond("update", "done"))
        assert again.result().outcome.success.payloads[0].data == b'"done"'
        assert count_events(stub, workflow_id) == 9
