"""The errors that leave the engine as gRPC statuses, and those that stay inside.

A `ServiceError` is an answer to a caller: a gRPC code, a message, and where the protocol has one a typed
detail. `FailWorkflowTask` is a worker's mistake: it becomes a WorkflowTaskFailed event. `RunOutgrown` ends a run.
`InvariantViolated` is ours: it evicts the run and answers INTERNAL.
"""

# ruff: noqa: N818 - named as the protocol names them

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message
from temporalio.api.common.v1.grpc_status_pb2 import GrpcStatus
from temporalio.api.enums.v1.failed_cause_pb2 import (
    RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW,
    RESOURCE_EXHAUSTED_SCOPE_NAMESPACE,
    ResourceExhaustedCause,
    ResourceExhaustedScope,
    WorkflowTaskFailedCause,
)
from temporalio.api.enums.v1.namespace_pb2 import NamespaceState
from temporalio.api.errordetails.v1 import message_pb2 as details
from temporalio.api.failure.v1.message_pb2 import Failure, MultiOperationExecutionAborted

if TYPE_CHECKING:
    from engine.core.run.state import UnstoredState


def enum_shorthand(enum: EnumDescriptor, value: int) -> str:
    """Return the name that the protocol's messages use for an enum value.

    WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND of WorkflowTaskFailedCause is `UnhandledCommand`; a number that the
    enum does not know is that number.
    """
    found = enum.values_by_number.get(value)
    if found is None:
        return str(value)
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.name).upper() + "_"
    return "".join(word.capitalize() for word in found.name.removeprefix(prefix).split("_"))


class Code(IntEnum):
    """Number the gRPC status codes (the core may not import grpc).

    Source: the gRPC protocol's status codes.
    """

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class ServiceError(Exception):
    """Answer a request with a gRPC status; raise one of the subclasses.

    Args:
        message: the status message, as the caller sees it.
        detail: a message of temporal.api.errordetails.v1, or None where the code says it all.
    """

    code: Code = Code.UNKNOWN

    def __init__(self, message: str, detail: Message | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail

    def to_status(self) -> GrpcStatus:
        """Build the status with its detail packed; the same fields on the wire as google.rpc.Status."""
        status = GrpcStatus(code=int(self.code), message=self.message)
        if self.detail is not None:
            status.details.add().Pack(self.detail)
        return status

    def to_status_bytes(self) -> bytes:
        """Serialize the status for the `grpc-status-details-bin` trailer."""
        return self.to_status().SerializeToString()


class InvalidArgument(ServiceError):
    """Refuse a request that can never succeed as it is."""

    code = Code.INVALID_ARGUMENT


class NotFound(ServiceError):
    """Say that the workflow, activity or task is not there, or no longer open."""

    code = Code.NOT_FOUND

    def __init__(self, message: str) -> None:
        super().__init__(message, details.NotFoundFailure())


class NamespaceNotFound(ServiceError):
    """Say that no namespace has this name or id."""

    code = Code.NOT_FOUND

    def __init__(self, namespace: str) -> None:
        super().__init__(f"Namespace {namespace} is not found.", details.NamespaceNotFoundFailure(namespace=namespace))


class AlreadyExists(ServiceError):
    """Say that what the request would create is there."""

    code = Code.ALREADY_EXISTS


class NamespaceAlreadyExists(ServiceError):
    """Refuse to register a namespace twice."""

    code = Code.ALREADY_EXISTS

    def __init__(self, message: str) -> None:
        super().__init__(message, details.NamespaceAlreadyExistsFailure())


class WorkflowExecutionAlreadyStarted(ServiceError):
    """Refuse a start that the id policies don't allow.

    Args:
        start_request_id: the request id that started the execution in the way.
        run_id: that execution's current run.
        first_execution_run_id: the first run of its chain.
    """

    code = Code.ALREADY_EXISTS

    def __init__(self, message: str, start_request_id: str, run_id: str, first_execution_run_id: str = "") -> None:
        super().__init__(
            message,
            details.WorkflowExecutionAlreadyStartedFailure(
                start_request_id=start_request_id, run_id=run_id, first_execution_run_id=first_execution_run_id
            ),
        )


class CancellationAlreadyRequested(ServiceError):
    """Say that the execution's cancellation was requested before, by another request."""

    code = Code.ALREADY_EXISTS

    def __init__(self, message: str) -> None:
        super().__init__(message, details.CancellationAlreadyRequestedFailure())


class QueryFailed(ServiceError):
    """Pass on what the worker answered to a query that it could not serve."""

    code = Code.INVALID_ARGUMENT

    def __init__(self, message: str, failure: Failure | None = None) -> None:
        super().__init__(message, details.QueryFailedFailure(failure=failure))


class FailedPrecondition(ServiceError):
    """Refuse a request that the present state does not allow."""

    code = Code.FAILED_PRECONDITION


class NamespaceInvalidState(ServiceError):
    """Refuse a request to a namespace that is deprecated or being deleted."""

    code = Code.FAILED_PRECONDITION

    def __init__(
        self, namespace: str, state: NamespaceState.ValueType, allowed_states: Sequence[NamespaceState.ValueType]
    ) -> None:
        allowed = " or ".join(enum_shorthand(NamespaceState.DESCRIPTOR, each) for each in allowed_states)
        super().__init__(
            f"Namespace has invalid state: {enum_shorthand(NamespaceState.DESCRIPTOR, state)}. Must be {allowed}.",
            details.NamespaceInvalidStateFailure(namespace=namespace, state=state, allowed_states=allowed_states),
        )


class WorkflowNotReady(ServiceError):
    """Say that the execution can't serve the request yet: it may be tried again."""

    code = Code.FAILED_PRECONDITION

    def __init__(self, message: str) -> None:
        super().__init__(message, details.WorkflowNotReadyFailure())


class ResourceExhausted(ServiceError):
    """Refuse a request because a limit is reached; `cause` and `scope` also go into response headers."""

    code = Code.RESOURCE_EXHAUSTED

    def __init__(
        self,
        cause: ResourceExhaustedCause.ValueType,
        message: str,
        scope: ResourceExhaustedScope.ValueType = ResourceExhaustedScope.RESOURCE_EXHAUSTED_SCOPE_UNSPECIFIED,
    ) -> None:
        super().__init__(message, details.ResourceExhaustedFailure(cause=cause, scope=scope))
        self.cause = cause
        self.scope = scope


class WorkflowClosing(ResourceExhausted):
    """Refuse what comes while a run is about to close, or goes on as its next run: it may be tried again."""

    def __init__(self) -> None:
        super().__init__(
            RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW,
            "workflow operation can not be applied because workflow is closing",
            RESOURCE_EXHAUSTED_SCOPE_NAMESPACE,
        )


class UpdateAbortedByClosingWorkflow(NotFound):
    """Say that the run closed before its worker accepted the update."""

    def __init__(self) -> None:
        super().__init__("workflow update was aborted by closing workflow")


class MultiOperationAborted(ServiceError):
    """Say that an operation was not carried out, since another one of the same request failed."""

    code = Code.ABORTED

    def __init__(self) -> None:
        super().__init__("Operation was aborted.", MultiOperationExecutionAborted())


class MultiOperationExecution(ServiceError):
    """Say what became of each operation of one request; the code is that of the first that failed by itself.

    Args:
        errors: one per operation, None for one that succeeded.
    """

    def __init__(self, errors: Sequence[ServiceError | None]) -> None:
        statuses = []
        for error in errors:
            status = GrpcStatus() if error is None else error.to_status()
            statuses.append(
                details.MultiOperationExecutionFailure.OperationStatus(
                    code=status.code, message=status.message, details=status.details
                )
            )
        super().__init__(
            "Update-with-Start could not be executed.", details.MultiOperationExecutionFailure(statuses=statuses)
        )
        codes = [error.code for error in errors if error is not None and error.code != Code.ABORTED]
        self.code = codes[0] if codes else Code.ABORTED


class PermissionDenied(ServiceError):
    """Refuse what the caller, or this server's configuration, does not allow."""

    code = Code.PERMISSION_DENIED

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message, details.PermissionDeniedFailure(reason=reason))


class Unavailable(ServiceError):
    """Ask the caller to try again."""

    code = Code.UNAVAILABLE


class Cancelled(ServiceError):
    """Say that the caller went away."""

    code = Code.CANCELLED


class DeadlineExceeded(ServiceError):
    """Say that the answer did not come within the caller's deadline."""

    code = Code.DEADLINE_EXCEEDED


class Aborted(ServiceError):
    """Say that the request met another one and may be tried again as a whole."""

    code = Code.ABORTED


class Unimplemented(ServiceError):
    """Say that this server does not serve the RPC or the option."""

    code = Code.UNIMPLEMENTED


class Internal(ServiceError):
    """Say that the server is at fault."""

    code = Code.INTERNAL


class DataLoss(ServiceError):
    """Say that stored history can't be read back."""

    code = Code.DATA_LOSS


class FailWorkflowTask(Exception):
    """Fail the workflow task that brought a bad command.

    Args:
        cause: goes into the WorkflowTaskFailed event.
        message: what is wrong, or None where the cause says it all (UNHANDLED_COMMAND).
        terminates_workflow: end the run as well, since the worker would send the same again (oversize payloads).
    """

    def __init__(
        self, cause: WorkflowTaskFailedCause.ValueType, message: str | None, *, terminates_workflow: bool = False
    ) -> None:
        name = enum_shorthand(WorkflowTaskFailedCause.DESCRIPTOR, cause)
        self.cause = cause
        self.message = name if message is None else f"{name}: {message}"
        """The failure's message: `BadStartTimerAttributes: TimerId is not set on command.`"""
        self.terminates_workflow = terminates_workflow
        self.unstored: UnstoredState | None = None
        """What to put back once the run is loaded again."""
        super().__init__(self.message)


class RunOutgrown(Exception):
    """Throw a change away and end its run, which has reached a limit.

    Args:
        message: why, for the run's last event and for the caller.
    """

    def __init__(self, run_key: int, message: str) -> None:
        super().__init__(message)
        self.run_key = run_key
        self.message = message


class InvariantViolated(Exception):
    """Report a bug of the engine: the cached run is evicted and the caller gets INTERNAL."""
