"""Failures that the server makes, and failures cut to a size."""

from __future__ import annotations

from temporalio.api.failure.v1.message_pb2 import ApplicationFailureInfo, Failure, ServerFailureInfo

COMPLETE_RESULT_EXCEEDS_LIMIT = "Complete result exceeds size limit."
FAILURE_EXCEEDS_LIMIT = "Failure exceeds size limit."
CANCEL_DETAILS_EXCEED_LIMIT = "Cancel details exceed size limit."
HEARTBEAT_EXCEEDS_LIMIT = "Heartbeat details exceed size limit."

_MAX_CAUSES = 20


def server_failure(message: str, *, non_retryable: bool, cause: Failure | None = None) -> Failure:
    """Build a failure that the server itself reports."""
    failure = Failure(message=message, server_failure_info=ServerFailureInfo(non_retryable=non_retryable))
    if cause is not None:
        failure.cause.CopyFrom(cause)
    return failure


def truncate_failure(failure: Failure, max_size_bytes: int) -> Failure:
    """Return a failure of about that size at most: type, source, message and stack trace come before the causes.

    Encoded attributes, details, and what kind of failure it was are left out, except for application and server
    failures, which keep whether they may be retried.
    """
    return _truncate(failure, max_size_bytes, _MAX_CAUSES)


def _truncate(failure: Failure, room_bytes: int, causes: int) -> Failure:
    short = Failure()

    def take(text: str) -> str:
        nonlocal room_bytes
        taken = text.encode()[: max(room_bytes, 0)].decode(errors="ignore")
        room_bytes -= len(taken.encode()) + (4 if taken else 0)  # 4: a field's own bytes
        return taken

    kind = failure.WhichOneof("failure_info")
    if kind == "application_failure_info":
        application = failure.application_failure_info
        short.application_failure_info.CopyFrom(
            ApplicationFailureInfo(non_retryable=application.non_retryable, type=take(application.type))
        )
        room_bytes -= 8
    elif kind == "server_failure_info":
        short.server_failure_info.non_retryable = failure.server_failure_info.non_retryable
        short.server_failure_info.SetInParent()
        room_bytes -= 4
    short.source = take(failure.source)
    short.message = take(failure.message)
    short.stack_trace = take(failure.stack_trace)
    if failure.HasField("cause") and room_bytes > 4 and causes > 0:
        short.cause.CopyFrom(_truncate(failure.cause, room_bytes - 4, causes - 1))
    return short
