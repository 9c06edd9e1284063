"""Requests that no client sends by itself: each gets a clear status, and none holds the others up."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.message import Message
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    RecordActivityTaskHeartbeatRequest,
    RespondActivityTaskCompletedRequest,
    RespondQueryTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
)

from tests.service import raw
from tests.service.conftest import Stubs

_WORKFLOW_TASK = b"w" + b"\xff" * 52
_ACTIVITY_TASK = b"a" + b"\xff" * 28
_PAGE = b"0" * 36 + b"\xff" * 8


@pytest.mark.parametrize(
    "request_",
    [
        RespondWorkflowTaskCompletedRequest(task_token=_WORKFLOW_TASK),
        RespondWorkflowTaskFailedRequest(task_token=_WORKFLOW_TASK),
        RespondActivityTaskCompletedRequest(task_token=_ACTIVITY_TASK),
        RecordActivityTaskHeartbeatRequest(task_token=_ACTIVITY_TASK),
        RespondQueryTaskCompletedRequest(task_token=b"q" + b"\xff" * 24),
        GetWorkflowExecutionHistoryRequest(execution=raw.execution("w"), next_page_token=b"f" + _PAGE),
        GetWorkflowExecutionHistoryReverseRequest(execution=raw.execution("w"), next_page_token=b"b" + _PAGE),
    ],
    ids=lambda request: type(request).__name__,
)
def test_a_token_of_numbers_beyond_the_file(stubs: Stubs, request_: Message) -> None:
    request_.namespace = "default"  # type: ignore[attr-defined]
    call = getattr(stubs.workflow, type(request_).__name__.removesuffix("Request"))
    with pytest.raises(grpc.RpcError) as refused:
        call(request_, timeout=5)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_long_empty_query_is_answered_at_once(stubs: Stubs) -> None:
    request = CountWorkflowExecutionsRequest(namespace="default", query=" " * 200_000)
    assert stubs.workflow.CountWorkflowExecutions(request, timeout=2).count == 0


@pytest.mark.parametrize("query", ["GROUP " * 30_000, "WorkflowId" + " " * 200_000, "GROUP BY" + " " * 200_000])
def test_a_long_bad_query_is_refused_at_once(stubs: Stubs, query: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        stubs.workflow.CountWorkflowExecutions(
            CountWorkflowExecutionsRequest(namespace="default", query=query), timeout=2
        )
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
