"""What scenarios about time skipping have in common."""

from __future__ import annotations

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import FastForwardConfig, TimeSkippingConfig
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    PollWorkflowExecutionTimeSkippingRequest,
    UpdateWorkflowExecutionOptionsRequest,
)

from tests.differential.raw_worker import seconds
from tests.differential.world import World

HOUR = 3600


def skipping(fast_forward_seconds: float = 0, **fields: Any) -> TimeSkippingConfig:
    """Return a config with time skipping enabled; with `fast_forward_seconds` as far as that."""
    if fast_forward_seconds:
        fields["fast_forward_config"] = fast_forward(fast_forward_seconds)
    return TimeSkippingConfig(**{"enabled": True, **fields})


def fast_forward(duration_seconds: float, fast_forward_id: str = "ff") -> FastForwardConfig:
    """Return a fast-forward."""
    return FastForwardConfig(id=fast_forward_id, duration=seconds(duration_seconds))


def update_request(
    world: World, config: TimeSkippingConfig | None, *, workflow_id: str = "", paths: tuple[str, ...] = ()
) -> UpdateWorkflowExecutionOptionsRequest:
    """Return the request that gives a running workflow another config."""
    return UpdateWorkflowExecutionOptionsRequest(
        namespace=world.namespace,
        workflow_execution=world.execution(workflow_id),
        workflow_execution_options=WorkflowExecutionOptions(time_skipping_config=config),
        update_mask=FieldMask(paths=paths or ("time_skipping_config",)),
        identity="updater",
    )


async def record_info(world: World, name: str, workflow_id: str = "", run_id: str = "") -> None:
    """Record what a workflow's description says of time skipping."""
    description = await world.describe(workflow_id, run_id)
    world.record_reply(name, description.workflow_extended_info.time_skipping_info)


def poll_request(world: World, fast_forward_id: str = "ff", **fields: Any) -> PollWorkflowExecutionTimeSkippingRequest:
    """Return the request that waits for a fast-forward."""
    fields = {"workflow_execution": world.execution(), **fields}
    return PollWorkflowExecutionTimeSkippingRequest(
        namespace=world.namespace, fast_forward_id=fast_forward_id, **fields
    )
