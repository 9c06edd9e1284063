"""Runs that skip time."""

from __future__ import annotations

from typing import Any

from temporalio.api.common.v1 import TimeSkippingConfig
from temporalio.api.workflowservice.v1 import (
    UpdateWorkflowExecutionOptionsRequest,
    UpdateWorkflowExecutionOptionsResponse,
)

from engine.core import inputs
from engine.core.policy.workflow_options import validate_update_workflow_execution_options
from tests.core.support.core import Run
from tests.core.support.messages import seconds

HOUR = 3600


def skipping(fast_forward_seconds: float = 0, **fields: Any) -> TimeSkippingConfig:
    """Return a config with time skipping enabled; with `fast_forward_seconds` as far as that."""
    if fast_forward_seconds:
        fields["fast_forward_config"] = {"id": "ff", "duration": seconds(fast_forward_seconds)}
    return TimeSkippingConfig(**{"enabled": True, **fields})


def update_time_skipping(run: Run, config: TimeSkippingConfig | None) -> UpdateWorkflowExecutionOptionsResponse:
    """Give a run another config as the service does."""
    request = UpdateWorkflowExecutionOptionsRequest(
        workflow_execution={"workflow_id": run.state.workflow_id},  # type: ignore[arg-type]
        update_mask={"paths": ["time_skipping_config"]},  # type: ignore[arg-type]
        workflow_execution_options={"time_skipping_config": config},  # type: ignore[arg-type]
        identity="updater",
    )
    validate_update_workflow_execution_options(request, run.core.limits)
    reply: UpdateWorkflowExecutionOptionsResponse = run.send(inputs.UpdateWorkflowExecutionOptions(run.ref, request))
    return reply


def skipped_hours(run: Run) -> float:
    """Return how far the run's time is ahead of the clock, to the second."""
    return round(run.state.skipped_ns / 1e9) / HOUR
