"""What a time skipping config may say."""

from __future__ import annotations

from temporalio.api.common.v1 import TimeSkippingConfig
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionTimeSkippingRequest

from engine.core.errors import InvalidArgument, Unimplemented
from engine.core.policy.durations import duration_to_ns
from engine.core.policy.fields import validate_execution
from engine.core.policy.limits import Limits

__all__ = ["validate_poll_workflow_execution_time_skipping", "validate_time_skipping_config"]

_ID_NOT_SET = "Time skipping config invalid: fast_forward_id must be set"


def validate_time_skipping_config(config: TimeSkippingConfig | None, limits: Limits) -> None:
    """Check a request's config, None if it has none; set how often it may skip.

    Raises:
        Unimplemented: the server was told not to skip time.
        InvalidArgument: the first fault.
    """
    if config is None:
        return
    _check_enabled(limits)
    if config.max_session_skip_count <= 0:
        config.max_session_skip_count = max(1, limits.time_skipping_session_skips)
    if not config.HasField("fast_forward_config"):
        return
    if duration_to_ns(config.fast_forward_config.duration) <= 0:
        raise InvalidArgument("Time skipping config invalid: fast_forward duration must be positive")
    if not config.fast_forward_config.id.strip():
        raise InvalidArgument(_ID_NOT_SET)
    if not config.enabled:
        raise InvalidArgument("time_skipping_config: cannot set fast_forward when enabled is false")


def validate_poll_workflow_execution_time_skipping(
    request: PollWorkflowExecutionTimeSkippingRequest, limits: Limits
) -> None:
    """Check a poll for the end of a fast-forward.

    Raises:
        Unimplemented: the server was told not to skip time.
        InvalidArgument: the first fault.
    """
    validate_execution(request.workflow_execution if request.HasField("workflow_execution") else None)
    _check_enabled(limits)
    if not request.fast_forward_id.strip():
        raise InvalidArgument(_ID_NOT_SET)


def _check_enabled(limits: Limits) -> None:
    if not limits.time_skipping:
        raise Unimplemented("The Time-Skipping feature is not enabled for namespace.")
