"""What scenarios about time skipping have in common."""

from __future__ import annotations

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import FastForwardConfig, TimeSkippingConfig
from temporalio.api.enums.v1 import EventType
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
    """Record what a workflow's description says of time skipping; of its fast-forward the reference says nothing."""
    info = (await world.describe(workflow_id, run_id)).workflow_extended_info.time_skipping_info
    info.ClearField("fast_forward_info")
    world.record_reply(name, info)


async def record_outline(world: World, first_run_id: str, runs: int, workflow_id: str = "") -> None:
    """Record of `runs` runs, each once it is closed, which events they have and what they go on from.

    Where a backoff lies between two runs, the times of the reference are not all of one clock.
    """
    run_id = first_run_id
    for number in range(1, runs + 1):
        last = await world.wait_closed(workflow_id, run_id)
        events = await world.history(workflow_id, run_id)
        started = events[0].workflow_execution_started_event_attributes
        propagation = started.time_skipping_state_propagation
        world.record_reply(f"run {number}, config", started.time_skipping_config)
        world.record_value(f"run {number}, skipped hours", round(propagation.initial_skipped_duration.seconds / HOUR))
        world.record_value(f"run {number}, skips", propagation.initial_skip_count)
        world.record_value(f"run {number}, events", [EventType.Name(event.event_type)[11:] for event in events])
        run_id = getattr(getattr(last, last.WhichOneof("attributes") or ""), "new_execution_run_id", "")


def poll_request(world: World, fast_forward_id: str = "ff", **fields: Any) -> PollWorkflowExecutionTimeSkippingRequest:
    """Return the request that waits for a fast-forward."""
    fields = {"workflow_execution": world.execution(), **fields}
    return PollWorkflowExecutionTimeSkippingRequest(
        namespace=world.namespace, fast_forward_id=fast_forward_id, **fields
    )
