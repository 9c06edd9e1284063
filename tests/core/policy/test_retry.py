"""Retry policies: defaults, limits, and the interval before the next attempt."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import RetryPolicy
from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.api.failure.v1 import (
    ApplicationFailureInfo,
    CanceledFailureInfo,
    Failure,
    ServerFailureInfo,
    TerminatedFailureInfo,
    TimeoutFailureInfo,
)

from engine.core.errors import InvalidArgument
from engine.core.policy.durations import NANOS_PER_SECOND
from engine.core.policy.retry import (
    RetryDecision,
    ensure_retry_policy_defaults,
    is_retryable_failure,
    next_activity_retry,
    next_workflow_retry,
    validate_retry_policy,
)

SECOND = NANOS_PER_SECOND
NOW = 1_700_000_000 * SECOND


def seconds(length: float) -> Duration:
    return Duration(seconds=int(length), nanos=round((length - int(length)) * 1e9))


def application(delay: float | None = None, type_: str = "", non_retryable: bool = False) -> Failure:
    info = ApplicationFailureInfo(type=type_, non_retryable=non_retryable)
    if delay is not None:
        info.next_retry_delay.CopyFrom(seconds(delay))
    return Failure(message="failed", application_failure_info=info)


def timeout(timeout_type: TimeoutType.ValueType) -> Failure:
    return Failure(timeout_failure_info=TimeoutFailureInfo(timeout_type=timeout_type))


def policy(**fields: object) -> RetryPolicy:
    made = RetryPolicy(**fields)  # type: ignore[arg-type]
    ensure_retry_policy_defaults(made)
    return made


def test_defaults_fill_an_empty_policy() -> None:
    assert policy() == RetryPolicy(
        initial_interval=seconds(1), backoff_coefficient=2, maximum_interval=seconds(100), maximum_attempts=0
    )


def test_maximum_interval_defaults_to_100_initial_intervals() -> None:
    made = policy(initial_interval=seconds(3), maximum_attempts=7, non_retryable_error_types=["Declined"])
    assert made == RetryPolicy(
        initial_interval=seconds(3),
        backoff_coefficient=2,
        maximum_interval=seconds(300),
        maximum_attempts=7,
        non_retryable_error_types=["Declined"],
    )


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"backoff_coefficient": 0.5}, "BackoffCoefficient cannot be less than 1 on retry policy."),
        ({"backoff_coefficient": float("nan")}, "BackoffCoefficient cannot be less than 1 on retry policy."),
        ({"maximum_attempts": -1}, "MaximumAttempts cannot be negative on retry policy."),
        (
            {"initial_interval": seconds(10), "maximum_interval": seconds(9)},
            "MaximumInterval cannot be less than InitialInterval on retry policy.",
        ),
        (
            {"initial_interval": Duration(seconds=-1)},
            "invalid InitialInterval set on retry policy: negative duration",
        ),
        (
            {"maximum_interval": Duration(seconds=1, nanos=-1)},
            "invalid MaximumInterval set on retry policy: duration has seconds and nanos with different signs",
        ),
        ({"non_retryable_error_types": ["TemporalTimeout:Nap"]}, "Invalid timeout type value: Nap."),
        ({"non_retryable_error_types": ["TemporalTimeout:Unspecified"]}, "Invalid timeout type value: Unspecified."),
    ],
)
def test_refuses(bad: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        validate_retry_policy(policy(**bad))
    assert raised.value.message == message


@pytest.mark.parametrize(
    "good",
    [
        {},
        {"maximum_attempts": 1, "backoff_coefficient": -3.0},
        {"non_retryable_error_types": ["TemporalTimeout:Heartbeat", "TemporalTimeout:TIMEOUT_TYPE_START_TO_CLOSE"]},
    ],
)
def test_accepts(good: dict[str, object]) -> None:
    validate_retry_policy(policy(**good))


def test_intervals_are_capped_at_100_years() -> None:
    made = policy(initial_interval=Duration(seconds=10**11), maximum_interval=Duration(seconds=10**11))
    validate_retry_policy(made)
    assert made.initial_interval.seconds == made.maximum_interval.seconds == 100 * 365 * 86400


@pytest.mark.parametrize(
    ("failure", "non_retryable", "retryable"),
    [
        (None, [], True),
        (Failure(message="no info"), [], True),
        (application(), [], True),
        (application(type_="Declined"), ["Declined"], False),
        (application(type_="Declined"), ["declined"], True),
        (application(non_retryable=True), [], False),
        (Failure(message="outer", cause=application(non_retryable=True)), [], True),
        (Failure(terminated_failure_info=TerminatedFailureInfo()), [], False),
        (Failure(canceled_failure_info=CanceledFailureInfo()), [], False),
        (Failure(server_failure_info=ServerFailureInfo(non_retryable=True)), [], False),
        (Failure(server_failure_info=ServerFailureInfo()), [], True),
        (timeout(TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE), [], True),
        (timeout(TimeoutType.TIMEOUT_TYPE_HEARTBEAT), ["TemporalTimeout:Heartbeat"], False),
        (timeout(TimeoutType.TIMEOUT_TYPE_HEARTBEAT), ["TemporalTimeout:StartToClose"], True),
        (timeout(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE), [], False),
        (timeout(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START), [], False),
    ],
)
def test_is_retryable(failure: Failure | None, non_retryable: list[str], retryable: bool) -> None:
    assert is_retryable_failure(failure, policy(non_retryable_error_types=non_retryable)) is retryable


IN_PROGRESS = RetryState.RETRY_STATE_IN_PROGRESS
TIMEOUT = RetryState.RETRY_STATE_TIMEOUT


@pytest.mark.parametrize("next_retry", [next_activity_retry, next_workflow_retry])
@pytest.mark.parametrize(
    ("retry_policy", "attempt", "expires_in", "failure", "expected"),
    [
        (None, 1, None, application(), RetryDecision(RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET)),
        (policy(), 1, None, application(), RetryDecision(IN_PROGRESS, SECOND)),
        (policy(), 4, None, application(), RetryDecision(IN_PROGRESS, 8 * SECOND)),
        (policy(), 8, None, application(), RetryDecision(IN_PROGRESS, 100 * SECOND)),
        (policy(), 5000, None, application(), RetryDecision(IN_PROGRESS, 100 * SECOND)),
        (policy(maximum_attempts=3), 2, None, None, RetryDecision(IN_PROGRESS, 2 * SECOND)),
        (policy(maximum_attempts=3), 3, None, None, RetryDecision(RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED)),
        (policy(), 1, 1, application(), RetryDecision(IN_PROGRESS, SECOND)),
        (policy(), 1, 0.999, application(), RetryDecision(TIMEOUT)),
        (policy(), 1, None, application(delay=7.5), RetryDecision(IN_PROGRESS, 7_500_000_000)),
        (policy(), 1, 5, application(delay=7.5), RetryDecision(TIMEOUT)),
        (
            policy(maximum_attempts=1),
            1,
            None,
            application(non_retryable=True),
            RetryDecision(RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE),
        ),
    ],
)
def test_next_retry(
    next_retry: Callable[..., RetryDecision],
    retry_policy: RetryPolicy | None,
    attempt: int,
    expires_in: float | None,
    failure: Failure | None,
    expected: RetryDecision,
) -> None:
    expiration = None if expires_in is None else NOW + int(expires_in * SECOND)
    decision = next_retry(NOW, expiration, attempt, retry_policy, failure)
    assert decision == expected
    assert decision.retries is (expected.retry_state == IN_PROGRESS)


def test_a_delay_above_the_maximum_interval_counts_whole_for_activities_only() -> None:
    short = policy(maximum_interval=seconds(2))
    failure = application(delay=60)
    assert next_activity_retry(NOW, None, 1, short, failure) == RetryDecision(IN_PROGRESS, 60 * SECOND)
    assert next_workflow_retry(NOW, None, 1, short, failure) == RetryDecision(IN_PROGRESS, 2 * SECOND)


@pytest.mark.parametrize(("delay", "interval"), [(-5, 0), (10**11, 100 * 365 * 86400 * SECOND)])
def test_a_delay_is_at_least_nothing_and_at_most_100_years(delay: int, interval: int) -> None:
    assert next_activity_retry(NOW, None, 1, policy(), application(delay)) == RetryDecision(IN_PROGRESS, interval)


@pytest.mark.parametrize(
    "timeout_type", [TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START, TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE]
)
def test_an_activity_whose_schedule_ran_out_ends_with_timeout(timeout_type: TimeoutType.ValueType) -> None:
    assert next_activity_retry(NOW, None, 1, policy(), timeout(timeout_type)) == RetryDecision(TIMEOUT)
