"""Workers' answers that are too large: the activity fails with what happened, nothing is refused."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import QueryResultType
from temporalio.api.failure.v1 import ApplicationFailureInfo, CanceledFailureInfo, Failure, ServerFailureInfo
from temporalio.api.workflowservice.v1 import (
    RecordActivityTaskHeartbeatByIdRequest,
    RecordActivityTaskHeartbeatRequest,
    RespondActivityTaskCanceledRequest,
    RespondActivityTaskCompletedRequest,
    RespondActivityTaskFailedByIdRequest,
    RespondActivityTaskFailedRequest,
    RespondQueryTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
)

from engine.core.errors import InvalidArgument
from engine.core.policy.failures import truncate_failure
from engine.core.policy.limits import Limits
from engine.core.policy.worker_requests import (
    validate_record_activity_task_heartbeat,
    validate_respond_activity_task_canceled,
    validate_respond_activity_task_completed,
    validate_respond_activity_task_failed,
    validate_respond_query_task_completed,
    validate_respond_workflow_task_failed,
)

LIMITS = Limits(blob_size_error_bytes=2000, blob_size_warn_bytes=500)
SMALL = Payloads(payloads=[Payload(data=b"x" * 100)])
LARGE = Payloads(payloads=[Payload(data=b"x" * 2000)])


def server(message: str) -> Failure:
    return Failure(message=message, server_failure_info=ServerFailureInfo(non_retryable=True))


def application(message: str, stack_trace: str = "", **fields: object) -> Failure:
    info = ApplicationFailureInfo(type="Declined", **fields)  # type: ignore[arg-type]
    return Failure(message=message, stack_trace=stack_trace, application_failure_info=info)


def test_result() -> None:
    assert validate_respond_activity_task_completed(RespondActivityTaskCompletedRequest(result=SMALL), LIMITS) is None
    failure = validate_respond_activity_task_completed(RespondActivityTaskCompletedRequest(result=LARGE), LIMITS)
    assert failure == server("Complete result exceeds size limit.")


def test_cancel_details() -> None:
    assert validate_respond_activity_task_canceled(RespondActivityTaskCanceledRequest(details=SMALL), LIMITS) is None
    failure = validate_respond_activity_task_canceled(RespondActivityTaskCanceledRequest(details=LARGE), LIMITS)
    assert failure == server("Cancel details exceed size limit.")


def test_heartbeat_details() -> None:
    assert validate_record_activity_task_heartbeat(RecordActivityTaskHeartbeatRequest(details=SMALL), LIMITS) is None
    by_id = RecordActivityTaskHeartbeatByIdRequest(workflow_id="w", activity_id="1", details=LARGE)
    for request in (RecordActivityTaskHeartbeatRequest(details=LARGE), by_id):
        failure = validate_record_activity_task_heartbeat(request, LIMITS)
        assert failure == server("Heartbeat details exceed size limit.")


def test_query_result() -> None:
    good = RespondQueryTaskCompletedRequest(
        completed_type=QueryResultType.QUERY_RESULT_TYPE_ANSWERED, query_result=SMALL
    )
    validate_respond_query_task_completed(good, LIMITS)
    assert good.query_result == SMALL

    large = RespondQueryTaskCompletedRequest(
        completed_type=QueryResultType.QUERY_RESULT_TYPE_ANSWERED, query_result=LARGE
    )
    validate_respond_query_task_completed(large, LIMITS)
    assert large == RespondQueryTaskCompletedRequest(
        completed_type=QueryResultType.QUERY_RESULT_TYPE_FAILED, error_message="Blob data size exceeds limit."
    )


def test_failure_and_last_heartbeat_details() -> None:
    small = RespondActivityTaskFailedRequest(failure=application("no"), last_heartbeat_details=SMALL)
    assert validate_respond_activity_task_failed(small, LIMITS) == []
    assert small.last_heartbeat_details == SMALL

    request = RespondActivityTaskFailedRequest(failure=application("no", "s" * 3000), last_heartbeat_details=LARGE)
    failures = validate_respond_activity_task_failed(request, LIMITS)
    assert not request.HasField("last_heartbeat_details")
    assert request.failure.message == "Failure exceeds size limit."
    assert request.failure.server_failure_info.non_retryable
    assert request.failure.cause.message == "no"
    assert request.failure.cause.application_failure_info.type == "Declined"
    assert 300 < len(request.failure.cause.stack_trace) < 500
    assert failures == [server("Heartbeat details exceed size limit."), request.failure]


def test_workflow_task_failure() -> None:
    request = RespondWorkflowTaskFailedRequest(failure=application("no", "s" * 3000))
    validate_respond_workflow_task_failed(request, LIMITS)
    assert request.failure.message == "Failure exceeds size limit."
    assert request.failure.cause.message == "no"


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (Failure(canceled_failure_info=CanceledFailureInfo()), "Failure must have ApplicationFailureInfo."),
        (
            application("no", next_retry_delay=Duration(seconds=1, nanos=-1)),
            "NextRetryDelay is not a valid duration",
        ),
        (
            Failure(
                cause=application("no", next_retry_delay=Duration(seconds=10**12)),
                application_failure_info=ApplicationFailureInfo(),
            ),
            "NextRetryDelay is not a valid duration",
        ),
    ],
)
def test_failures_refused(failure: Failure, message: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        validate_respond_activity_task_failed(RespondActivityTaskFailedRequest(failure=failure), LIMITS)
    assert raised.value.message == message


def test_a_failure_by_id_may_be_of_any_kind() -> None:
    failure = Failure(canceled_failure_info=CanceledFailureInfo())
    request = RespondActivityTaskFailedByIdRequest(workflow_id="w", activity_id="1", failure=failure)
    assert validate_respond_activity_task_failed(request, LIMITS) == []


def test_truncate_keeps_what_matters_first() -> None:
    failure = Failure(
        message="m" * 100,
        source="PythonSDK",
        stack_trace="s" * 100,
        cause=application("the cause", non_retryable=True),
        application_failure_info=ApplicationFailureInfo(type="Declined", details=LARGE),
    )
    whole = truncate_failure(failure, 10_000)
    assert whole.message == failure.message
    assert whole.stack_trace == failure.stack_trace
    assert whole.cause == application("the cause", non_retryable=True)
    assert not whole.application_failure_info.HasField("details")

    short = truncate_failure(failure, 150)
    assert (short.source, short.message) == ("PythonSDK", "m" * 100)
    assert 0 < len(short.stack_trace) < 100
    assert not short.HasField("cause")
    assert short.ByteSize() <= 150


def test_truncate_cuts_between_letters() -> None:
    assert truncate_failure(Failure(message="é" * 10), 7).message == "é" * 3


def test_truncate_cuts_long_chains() -> None:
    failure = Failure(message="last")
    for number in range(60):
        failure = Failure(message=str(number), cause=failure)
    depth, current = 0, truncate_failure(failure, 100_000)
    while current.HasField("cause"):
        depth, current = depth + 1, current.cause
    assert depth == 20


def test_truncate_keeps_that_a_server_failure_is_final() -> None:
    assert truncate_failure(server("m" * 100), 50).server_failure_info.non_retryable
