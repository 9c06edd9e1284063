"""Service errors: code, message and detail of each, and their form on the wire."""

from __future__ import annotations

import pytest
from google.rpc.status_pb2 import Status
from temporalio.api.enums.v1 import (
    NamespaceState,
    ResourceExhaustedCause,
    ResourceExhaustedScope,
    WorkflowTaskFailedCause,
)
from temporalio.api.errordetails.v1 import (
    MultiOperationExecutionFailure,
    NamespaceInvalidStateFailure,
    NamespaceNotFoundFailure,
    NotFoundFailure,
    QueryFailedFailure,
    ResourceExhaustedFailure,
    WorkflowExecutionAlreadyStartedFailure,
    WorkflowNotReadyFailure,
)
from temporalio.api.failure.v1 import Failure, MultiOperationExecutionAborted

from engine.core import errors


def test_details_are_readable_as_google_rpc_status() -> None:
    error = errors.WorkflowExecutionAlreadyStarted("already", "request", "run", "first")
    status = Status.FromString(error.to_status_bytes())
    detail = WorkflowExecutionAlreadyStartedFailure()
    assert (status.code, status.message) == (6, "already")
    assert status.details[0].type_url == (
        "type.googleapis.com/temporal.api.errordetails.v1.WorkflowExecutionAlreadyStartedFailure"
    )
    assert status.details[0].Unpack(detail)
    assert detail == WorkflowExecutionAlreadyStartedFailure(
        start_request_id="request", run_id="run", first_execution_run_id="first"
    )


@pytest.mark.parametrize(
    ("error", "code", "message", "detail"),
    [
        (errors.InvalidArgument("bad"), 3, "bad", None),
        (errors.NotFound("gone"), 5, "gone", NotFoundFailure()),
        (
            errors.NamespaceNotFound("shop"),
            5,
            "Namespace shop is not found.",
            NamespaceNotFoundFailure(namespace="shop"),
        ),
        (
            errors.QueryFailed("no", Failure(message="no")),
            3,
            "no",
            QueryFailedFailure(failure=Failure(message="no")),
        ),
        (
            errors.WorkflowNotReady("later"),
            9,
            "later",
            WorkflowNotReadyFailure(),
        ),
        (
            errors.MultiOperationAborted(),
            10,
            "Operation was aborted.",
            MultiOperationExecutionAborted(),
        ),
        (
            errors.WorkflowClosing(),
            8,
            "workflow operation can not be applied because workflow is closing",
            ResourceExhaustedFailure(
                cause=ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW,
                scope=ResourceExhaustedScope.RESOURCE_EXHAUSTED_SCOPE_NAMESPACE,
            ),
        ),
        (
            errors.ResourceExhausted(ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW, "busy"),
            8,
            "busy",
            ResourceExhaustedFailure(cause=ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW),
        ),
        (
            errors.NamespaceInvalidState(
                "shop",
                NamespaceState.NAMESPACE_STATE_DELETED,
                [NamespaceState.NAMESPACE_STATE_REGISTERED, NamespaceState.NAMESPACE_STATE_DEPRECATED],
            ),
            9,
            "Namespace has invalid state: Deleted. Must be Registered or Deprecated.",
            NamespaceInvalidStateFailure(
                namespace="shop",
                state=NamespaceState.NAMESPACE_STATE_DELETED,
                allowed_states=[NamespaceState.NAMESPACE_STATE_REGISTERED, NamespaceState.NAMESPACE_STATE_DEPRECATED],
            ),
        ),
    ],
)
def test_code_message_detail(error: errors.ServiceError, code: int, message: str, detail: object) -> None:
    assert (error.code, error.message, error.detail) == (code, message, detail)
    assert len(error.to_status().details) == (detail is not None)


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ([errors.InvalidArgument("bad"), errors.MultiOperationAborted()], 3),
        ([errors.MultiOperationAborted(), errors.NotFound("gone")], 5),
        ([None, errors.NotFound("gone")], 5),
        ([errors.NotFound("gone"), errors.InvalidArgument("bad")], 5),
        ([errors.MultiOperationAborted(), errors.Aborted("closed")], 10),
    ],
)
def test_several_operations_fail_as_the_first_that_failed_by_itself(
    operations: list[errors.ServiceError | None], code: int
) -> None:
    error = errors.MultiOperationExecution(operations)
    assert (error.code, error.message) == (code, "Update-with-Start could not be executed.")
    assert isinstance(error.detail, MultiOperationExecutionFailure)
    assert [(status.code, status.message) for status in error.detail.statuses] == [
        (0, "") if each is None else (int(each.code), each.message) for each in operations
    ]
    for status, each in zip(error.detail.statuses, operations, strict=True):
        assert [detail.type_url for detail in status.details] == (
            [] if each is None else [detail.type_url for detail in each.to_status().details]
        )


def test_fail_workflow_task_names_its_cause() -> None:
    cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES
    assert errors.FailWorkflowTask(cause, "TimerId is not set.").message == (
        "BadStartTimerAttributes: TimerId is not set."
    )
    unhandled = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    assert errors.FailWorkflowTask(unhandled, None).message == "UnhandledCommand"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID, "StartTimerDuplicateId"),
        (WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE, "GrpcMessageTooLarge"),
        (4711, "4711"),
    ],
)
def test_enum_shorthand(value: int, name: str) -> None:
    assert errors.enum_shorthand(WorkflowTaskFailedCause.DESCRIPTOR, value) == name
