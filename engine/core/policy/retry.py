"""Retry policies: their defaults and limits, and when the next attempt of an activity or a workflow is due.

Attempts count from 1 and include the first. A policy field that is zero is unset. An attempt that could not
start before the expiration is not made.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio.api.common.v1.message_pb2 import RetryPolicy
from temporalio.api.enums.v1.workflow_pb2 import RetryState, TimeoutType
from temporalio.api.failure.v1.message_pb2 import Failure

from engine.core.errors import InvalidArgument, enum_shorthand
from engine.core.policy.durations import MAX_DURATION_NS, cap_duration, duration_to_ns, ns_to_duration

DEFAULT_INITIAL_INTERVAL_NS = 1_000_000_000
DEFAULT_BACKOFF_COEFFICIENT = 2.0
DEFAULT_MAXIMUM_INTERVAL_COEFFICIENT = 100
DEFAULT_MAXIMUM_ATTEMPTS = 0

TIMEOUT_TYPE_PREFIX = "TemporalTimeout:"
"""In `non_retryable_error_types` this and a timeout type's name stand for that timeout: TemporalTimeout:Heartbeat."""

_MAX_INTERVAL_NS = 2**63 - 1
_RETRYABLE_TIMEOUT_TYPES = (TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE, TimeoutType.TIMEOUT_TYPE_HEARTBEAT)


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """Whether to try again: yes, after `interval_ns`, with RETRY_STATE_IN_PROGRESS; no with every other state."""

    retry_state: RetryState.ValueType
    interval_ns: int = 0

    @property
    def retries(self) -> bool:
        return self.retry_state == RetryState.RETRY_STATE_IN_PROGRESS


def ensure_retry_policy_defaults(policy: RetryPolicy) -> None:
    """Set the server's defaults, in place, where `policy` leaves a field unset."""
    if policy.maximum_attempts == 0:
        policy.maximum_attempts = DEFAULT_MAXIMUM_ATTEMPTS
    if duration_to_ns(policy.initial_interval) == 0:
        policy.initial_interval.CopyFrom(ns_to_duration(DEFAULT_INITIAL_INTERVAL_NS))
    if duration_to_ns(policy.maximum_interval) == 0:
        maximum_ns = DEFAULT_MAXIMUM_INTERVAL_COEFFICIENT * duration_to_ns(policy.initial_interval)
        policy.maximum_interval.CopyFrom(ns_to_duration(min(maximum_ns, MAX_DURATION_NS)))
    if policy.backoff_coefficient == 0:
        policy.backoff_coefficient = DEFAULT_BACKOFF_COEFFICIENT


def validate_retry_policy(policy: RetryPolicy) -> None:
    """Check a policy that has its defaults; cap its intervals in place.

    A policy of one attempt is not looked at further: it never retries.

    Raises:
        InvalidArgument: a field is out of its range.
    """
    if policy.maximum_attempts == 1:
        return
    if problem := cap_duration(policy.initial_interval):
        raise InvalidArgument(f"invalid InitialInterval set on retry policy: {problem}")
    if not policy.backoff_coefficient >= 1:  # so that NaN fails too
        raise InvalidArgument("BackoffCoefficient cannot be less than 1 on retry policy.")
    if problem := cap_duration(policy.maximum_interval):
        raise InvalidArgument(f"invalid MaximumInterval set on retry policy: {problem}")
    if 0 < duration_to_ns(policy.maximum_interval) < duration_to_ns(policy.initial_interval):
        raise InvalidArgument("MaximumInterval cannot be less than InitialInterval on retry policy.")
    if policy.maximum_attempts < 0:
        raise InvalidArgument("MaximumAttempts cannot be negative on retry policy.")
    for error_type in policy.non_retryable_error_types:
        if error_type.startswith(TIMEOUT_TYPE_PREFIX):
            name = error_type.removeprefix(TIMEOUT_TYPE_PREFIX)
            if name not in _TIMEOUT_TYPE_NAMES:
                raise InvalidArgument(f"Invalid timeout type value: {name}.")


_TIMEOUT_TYPE_NAMES = frozenset(
    spelling
    for name, value in TimeoutType.items()
    if value != TimeoutType.TIMEOUT_TYPE_UNSPECIFIED
    for spelling in (name, enum_shorthand(TimeoutType.DESCRIPTOR, value))
)


def is_retryable_failure(failure: Failure | None, policy: RetryPolicy) -> bool:
    """Tell whether the policy lets this failure be tried again, attempts and time aside.

    Only the outermost failure counts, never its cause.
    """
    if failure is None:
        return True
    info = failure.WhichOneof("failure_info")
    if info in ("terminated_failure_info", "canceled_failure_info"):
        return False
    if info == "timeout_failure_info":
        timeout_type = failure.timeout_failure_info.timeout_type
        name = TIMEOUT_TYPE_PREFIX + enum_shorthand(TimeoutType.DESCRIPTOR, timeout_type)
        return timeout_type in _RETRYABLE_TIMEOUT_TYPES and name not in policy.non_retryable_error_types
    if info == "server_failure_info":
        return not failure.server_failure_info.non_retryable
    if info == "application_failure_info":
        application = failure.application_failure_info
        return not application.non_retryable and application.type not in policy.non_retryable_error_types
    return True


def next_activity_retry(
    now_ns: int, expiration_ns: int | None, attempt: int, policy: RetryPolicy | None, failure: Failure | None
) -> RetryDecision:
    """Decide on the attempt after `attempt` of an activity.

    A `next_retry_delay` of the failure is taken as it is, also above the policy's maximum interval. A
    schedule-to-start or schedule-to-close timeout ends the activity with RETRY_STATE_TIMEOUT.

    Args:
        now_ns: nanoseconds since 1970, as is `expiration_ns`.
        expiration_ns: when the activity's schedule-to-close timeout is due, or None.
        attempt: the attempt that just ended.
        policy: with its defaults set, or None for an activity without one.
    """
    if policy is None:
        return RetryDecision(RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET)
    if failure is not None and failure.timeout_failure_info.timeout_type in (
        TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START,
        TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE,
    ):
        return RetryDecision(RetryState.RETRY_STATE_TIMEOUT)
    if not is_retryable_failure(failure, policy):
        return RetryDecision(RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE)
    delay_ns = _next_retry_delay_ns(failure)
    maximum_ns = duration_to_ns(policy.maximum_interval) if delay_ns is None else delay_ns
    return _next_interval(now_ns, expiration_ns, attempt, policy, delay_ns, maximum_ns)


def next_workflow_retry(
    now_ns: int, expiration_ns: int | None, attempt: int, policy: RetryPolicy | None, failure: Failure | None
) -> RetryDecision:
    """Decide on the run after the one that is attempt number `attempt` of a workflow.

    A `next_retry_delay` of the failure counts up to the policy's maximum interval.

    Args:
        now_ns: nanoseconds since 1970, as is `expiration_ns`.
        expiration_ns: when the workflow execution timeout is due, or None.
        policy: with its defaults set, or None for a workflow without one.
    """
    if policy is None:
        return RetryDecision(RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET)
    if not is_retryable_failure(failure, policy):
        return RetryDecision(RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE)
    maximum_ns = duration_to_ns(policy.maximum_interval)
    return _next_interval(now_ns, expiration_ns, attempt, policy, _next_retry_delay_ns(failure), maximum_ns)


def _next_retry_delay_ns(failure: Failure | None) -> int | None:
    """Return the delay that the worker asked for, or None."""
    if failure is None or not failure.application_failure_info.HasField("next_retry_delay"):
        return None
    return duration_to_ns(failure.application_failure_info.next_retry_delay)


def _next_interval(
    now_ns: int, expiration_ns: int | None, attempt: int, policy: RetryPolicy, delay_ns: int | None, maximum_ns: int
) -> RetryDecision:
    attempt = max(attempt, 1)
    if 0 < policy.maximum_attempts <= attempt:
        return RetryDecision(RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED)
    interval_ns = _exponential_interval_ns(policy, attempt) if delay_ns is None else delay_ns
    if maximum_ns == 0 and interval_ns <= 0:
        return RetryDecision(RetryState.RETRY_STATE_TIMEOUT)
    if maximum_ns != 0 and (interval_ns <= 0 or interval_ns > maximum_ns):
        interval_ns = maximum_ns
    if expiration_ns is not None and now_ns + interval_ns > expiration_ns:
        return RetryDecision(RetryState.RETRY_STATE_TIMEOUT)
    return RetryDecision(RetryState.RETRY_STATE_IN_PROGRESS, min(max(interval_ns, 0), MAX_DURATION_NS))


def _exponential_interval_ns(policy: RetryPolicy, attempt: int) -> int:
    try:
        interval_ns = duration_to_ns(policy.initial_interval) * policy.backoff_coefficient ** (attempt - 1)
    except OverflowError:
        return _MAX_INTERVAL_NS
    return int(max(0, min(interval_ns, _MAX_INTERVAL_NS)))
