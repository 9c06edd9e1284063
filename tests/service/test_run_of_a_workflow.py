"""A workflow from start to close over raw gRPC, and what is refused on the way."""

from __future__ import annotations

import grpc
import pytest
from temporalio.api.common.v1.grpc_status_pb2 import GrpcStatus
from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.errordetails.v1 import (
    NamespaceNotFoundFailure,
    NotFoundFailure,
    WorkflowExecutionAlreadyStartedFailure,
)
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    RespondActivityTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
)

from tests.service import raw
from tests.service.conftest import Stubs


def _history(stubs: Stubs, workflow_id: str, page_size: int = 0) -> list[int]:
    events, token = [], b""
    while True:
        page = stubs.workflow.GetWorkflowExecutionHistory(
            GetWorkflowExecutionHistoryRequest(
                namespace="default",
                execution=raw.execution(workflow_id),
                maximum_page_size=page_size,
                next_page_token=token,
            )
        )
        events += [event.event_type for event in page.history.events]
        token = page.next_page_token
        if not token:
            return events


def _details(error: grpc.RpcError) -> GrpcStatus:
    trailers = dict(error.trailing_metadata())
    return GrpcStatus.FromString(trailers["grpc-status-details-bin"])


def test_from_start_to_close(stubs: Stubs) -> None:
    workflow_id = "from-start-to-close"
    started = stubs.workflow.StartWorkflowExecution(raw.start(workflow_id, input=raw.text_payloads("in")))
    assert started.started
    task = stubs.workflow.PollWorkflowTaskQueue(raw.poll_workflow(workflow_id), timeout=raw.POLL_SECONDS)
    assert [event.event_id for event in task.history.events] == [1, 2, 3]
    assert (task.previous_started_event_id, task.started_event_id, task.attempt) == (0, 3, 1)
    stubs.workflow.RespondWorkflowTaskCompleted(
        RespondWorkflowTaskCompletedRequest(
            namespace="default", task_token=task.task_token, commands=[raw.schedule_activity("a", workflow_id)]
        )
    )
    described = stubs.workflow.DescribeWorkflowExecution(
        DescribeWorkflowExecutionRequest(namespace="default", execution=raw.execution(workflow_id))
    )
    assert [each.activity_id for each in described.pending_activities] == ["a"]
    activity = stubs.workflow.PollActivityTaskQueue(raw.poll_activity(workflow_id), timeout=raw.POLL_SECONDS)
    assert (activity.activity_id, activity.workflow_execution.run_id) == ("a", started.run_id)
    stubs.workflow.RespondActivityTaskCompleted(
        RespondActivityTaskCompletedRequest(
            namespace="default", task_token=activity.task_token, result=raw.text_payloads("done")
        )
    )
    task = stubs.workflow.PollWorkflowTaskQueue(raw.poll_workflow(workflow_id), timeout=raw.POLL_SECONDS)
    stubs.workflow.RespondWorkflowTaskCompleted(
        RespondWorkflowTaskCompletedRequest(
            namespace="default", task_token=task.task_token, commands=[raw.complete_workflow("out")]
        )
    )
    names = [EventType.Name(number).removeprefix("EVENT_TYPE_") for number in _history(stubs, workflow_id)]
    assert names == [
        "WORKFLOW_EXECUTION_STARTED",
        "WORKFLOW_TASK_SCHEDULED",
        "WORKFLOW_TASK_STARTED",
        "WORKFLOW_TASK_COMPLETED",
        "ACTIVITY_TASK_SCHEDULED",
        "ACTIVITY_TASK_STARTED",
        "ACTIVITY_TASK_COMPLETED",
        "WORKFLOW_TASK_SCHEDULED",
        "WORKFLOW_TASK_STARTED",
        "WORKFLOW_TASK_COMPLETED",
        "WORKFLOW_EXECUTION_COMPLETED",
    ]
    assert _history(stubs, workflow_id, page_size=3) == _history(stubs, workflow_id)
    backward = stubs.workflow.GetWorkflowExecutionHistoryReverse(
        GetWorkflowExecutionHistoryReverseRequest(
            namespace="default", execution=raw.execution(workflow_id), maximum_page_size=4
        )
    )
    assert [event.event_id for event in backward.history.events] == [11, 10, 9, 8]
    assert backward.next_page_token


def test_a_long_history_comes_in_pages(stubs: Stubs) -> None:
    """A worker's first page is bounded; the rest follows by its token, with every event once."""
    workflow_id = "long-history"
    stubs.workflow.StartWorkflowExecution(raw.start(workflow_id))
    for _ in range(5):
        request = raw.signal(workflow_id)
        request.input.CopyFrom(raw.text_payloads("x" * 1_000_000))
        stubs.workflow.SignalWorkflowExecution(request)
    task = stubs.workflow.PollWorkflowTaskQueue(raw.poll_workflow(workflow_id), timeout=raw.POLL_SECONDS)
    assert task.ByteSize() < 4 * 1024 * 1024
    event_ids, token = [event.event_id for event in task.history.events], task.next_page_token
    assert token
    while token:
        page = stubs.workflow.GetWorkflowExecutionHistory(
            GetWorkflowExecutionHistoryRequest(
                namespace="default",
                execution=raw.execution(workflow_id),
                next_page_token=token,
                maximum_page_size=2,
            )
        )
        event_ids += [event.event_id for event in page.history.events]
        token = page.next_page_token
    assert event_ids == list(range(1, task.started_event_id + 1))


def test_an_unknown_workflow_has_its_detail(stubs: Stubs) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        stubs.workflow.SignalWorkflowExecution(raw.signal("nobody"))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    status = _details(refused.value)
    assert status.message == refused.value.details() == "workflow not found for ID: nobody"
    assert status.details[0].Unpack(NotFoundFailure())


def test_an_unknown_namespace_has_its_detail(stubs: Stubs) -> None:
    request = raw.signal("nobody")
    request.namespace = "nowhere"
    with pytest.raises(grpc.RpcError) as refused:
        stubs.workflow.SignalWorkflowExecution(request)
    failure = NamespaceNotFoundFailure()
    assert _details(refused.value).details[0].Unpack(failure)
    assert failure.namespace == "nowhere"


def test_a_second_start_says_which_run_is_there(stubs: Stubs) -> None:
    first = stubs.workflow.StartWorkflowExecution(raw.start("twice"))
    second = raw.start("twice")
    second.request_id = "another"
    with pytest.raises(grpc.RpcError) as refused:
        stubs.workflow.StartWorkflowExecution(second)
    assert refused.value.code() is grpc.StatusCode.ALREADY_EXISTS
    failure = WorkflowExecutionAlreadyStartedFailure()
    assert _details(refused.value).details[0].Unpack(failure)
    assert (failure.run_id, failure.start_request_id) == (first.run_id, "twice")


def test_a_token_of_another_run_is_refused(stubs: Stubs) -> None:
    workflow_id = "foreign-token"
    stubs.workflow.StartWorkflowExecution(raw.start(workflow_id))
    task = stubs.workflow.PollWorkflowTaskQueue(raw.poll_workflow(workflow_id), timeout=raw.POLL_SECONDS)
    tampered = bytearray(task.task_token)
    tampered[20] ^= 1
    with pytest.raises(grpc.RpcError) as refused:
        stubs.workflow.RespondWorkflowTaskCompleted(
            RespondWorkflowTaskCompletedRequest(namespace="default", task_token=bytes(tampered))
        )
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
