"""What a time skipping config may say, wherever one is given."""

from __future__ import annotations

import pytest
from temporalio.api.common.v1 import TimeSkippingConfig
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionTimeSkippingRequest

from engine.core.errors import InvalidArgument, ServiceError, Unimplemented
from engine.core.policy.limits import Limits
from engine.core.policy.time_skipping import (
    validate_poll_workflow_execution_time_skipping,
    validate_time_skipping_config,
)
from tests.core.support.time_skipping import skipping

OFF = Limits.from_dynamic_config({"frontend.workflowTimeSkippingEnabled": False})
DISABLED_WITH_FAST_FORWARD = skipping(1, enabled=False)


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (skipping(), 200),
        (TimeSkippingConfig(), 200),
        (skipping(max_session_skip_count=-1), 200),
        (skipping(max_session_skip_count=5), 5),
    ],
)
def test_the_count_of_skips_has_a_default(config: TimeSkippingConfig, count: int) -> None:
    validate_time_skipping_config(config, Limits())
    assert config.max_session_skip_count == count


def test_the_default_can_be_set_and_is_one_at_least() -> None:
    for value, count in ((7, 7), (0, 1)):
        config = skipping()
        limits = Limits.from_dynamic_config({"frontend.WorkflowTimeSkippingMaxSkipPerSession": value})
        validate_time_skipping_config(config, limits)
        assert config.max_session_skip_count == count


def test_no_config_is_always_right() -> None:
    validate_time_skipping_config(None, OFF)


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        (skipping(-1), InvalidArgument, "Time skipping config invalid: fast_forward duration must be positive"),
        (
            skipping(fast_forward_config={"id": "ff"}),
            InvalidArgument,
            "Time skipping config invalid: fast_forward duration must be positive",
        ),
        (
            skipping(fast_forward_config={"id": " ", "duration": {"seconds": 1}}),
            InvalidArgument,
            "Time skipping config invalid: fast_forward_id must be set",
        ),
        (
            DISABLED_WITH_FAST_FORWARD,
            InvalidArgument,
            "time_skipping_config: cannot set fast_forward when enabled is false",
        ),
    ],
)
def test_bad_configs(config: TimeSkippingConfig, error: type[ServiceError], message: str) -> None:
    with pytest.raises(error) as raised:
        validate_time_skipping_config(config, Limits())
    assert raised.value.message == message


def test_a_server_may_be_told_not_to_skip_time() -> None:
    with pytest.raises(Unimplemented, match="The Time-Skipping feature is not enabled for namespace"):
        validate_time_skipping_config(TimeSkippingConfig(), OFF)
    request = PollWorkflowExecutionTimeSkippingRequest(workflow_execution={"workflow_id": "w"})  # type: ignore[arg-type]
    with pytest.raises(Unimplemented, match="The Time-Skipping feature is not enabled for namespace"):
        validate_poll_workflow_execution_time_skipping(request, OFF)


def test_a_poll_names_a_workflow_and_a_fast_forward() -> None:
    request = PollWorkflowExecutionTimeSkippingRequest(fast_forward_id=" ")
    with pytest.raises(InvalidArgument, match="Execution is not set on request"):
        validate_poll_workflow_execution_time_skipping(request, Limits())
    request.workflow_execution.workflow_id = "w"
    with pytest.raises(InvalidArgument, match="fast_forward_id must be set"):
        validate_poll_workflow_execution_time_skipping(request, Limits())
    request.fast_forward_id = "ff"
    validate_poll_workflow_execution_time_skipping(request, Limits())
