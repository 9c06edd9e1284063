"""Changes of a run's options after its start: of what they may hold, this server knows the priority and time skipping.

Rules (temporal server updateworkflowoptions):
- Only the fields that the mask names are taken over. What is as it is asked for already writes no event; a fast-forward
  begins again.
- The event says all options that come of it, also those that stay as they were.
- Tasks that wait for a poller keep the priority that they were scheduled with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from temporalio.api.workflow.v1 import PostResetOperation, WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionOptionsResponse

from engine.core.errors import InvalidArgument, NotFound
from engine.core.events.workflow_execution import workflow_execution_options_updated
from engine.core.inputs import UpdateWorkflowExecutionOptions
from engine.core.policy.fields import find_unknown_path
from engine.core.policy.workflow_options import check_paths_are_served
from engine.core.run.deadlines import push_fast_forward
from engine.core.run.state import RunState
from engine.core.transition import Transition

__all__ = ["apply_post_reset_operations", "check_post_reset_operations", "on_update", "validate_post_reset_operations"]

_UNSUPPORTED = {"signal_workflow": "*workflow.PostResetOperation_SignalWorkflow_", None: "<nil>"}


def on_update(t: Transition, update: UpdateWorkflowExecutionOptions) -> UpdateWorkflowExecutionOptionsResponse:
    """Update the options of a run.

    Emits: event WorkflowExecutionOptionsUpdated.
    Raises: NotFound for a closed run; InvalidArgument for a part of the time skipping config.
    """
    if not t.state.running:
        raise NotFound("workflow execution already completed")
    request = update.request
    _refuse_partial_time_skipping(request.update_mask.paths)
    merged = _update(t, request.workflow_execution_options, request.update_mask.paths, request.identity)
    return UpdateWorkflowExecutionOptionsResponse(workflow_execution_options=merged)


def check_post_reset_operations(operations: Iterable[PostResetOperation]) -> None:
    """Refuse every operation but an update of options.

    Raises: InvalidArgument.
    """
    for operation in operations:
        variant = operation.WhichOneof("variant")
        if variant != "update_workflow_options":
            raise InvalidArgument(f"unsupported post reset operation: {_UNSUPPORTED[variant]}")


def validate_post_reset_operations(operations: Iterable[PostResetOperation]) -> None:
    """Check which options are to be updated.

    Raises: InvalidArgument for a field that there is not; Unimplemented for an option that this server does not know.
    """
    for operation in operations:
        paths = operation.update_workflow_options.update_mask.paths
        if problem := find_unknown_path(WorkflowExecutionOptions.DESCRIPTOR, paths):
            raise InvalidArgument(f"error applying update_options: {problem}")
        check_paths_are_served(paths)
        _refuse_partial_time_skipping(paths)


def apply_post_reset_operations(t: Transition, operations: Iterable[PostResetOperation]) -> None:
    """Update the options of the new run.

    Emits: events WorkflowExecutionOptionsUpdated.
    """
    for operation in operations:
        update = operation.update_workflow_options
        _update(t, update.workflow_execution_options, update.update_mask.paths, "")


def _refuse_partial_time_skipping(paths: Iterable[str]) -> None:
    if any(path.startswith("time_skipping_config.") for path in paths):
        raise InvalidArgument("error applying update_options: time_skipping_config doesn't support partial update")


def _update(
    t: Transition, options: WorkflowExecutionOptions, paths: Sequence[str], identity: str
) -> WorkflowExecutionOptions:
    """Change what `paths` name and return the options that come of it."""
    before = _options(t.state)
    merged = WorkflowExecutionOptions()
    merged.CopyFrom(before)
    for path in paths:
        option, _, field = path.partition(".")
        if field:
            setattr(merged.priority, field, getattr(options.priority, field))
            merged.priority.SetInParent()
            continue
        merged.ClearField(option)  # type: ignore[arg-type]
        if options.HasField(option):  # type: ignore[arg-type]
            getattr(merged, option).CopyFrom(getattr(options, option))
    config = merged.time_skipping_config if merged.HasField("time_skipping_config") else None
    skipping_updated = merged.time_skipping_config != before.time_skipping_config or (
        "time_skipping_config" in paths and merged.time_skipping_config.HasField("fast_forward_config")
    )
    if merged != before or skipping_updated:
        t.attributes_changed = True
        priority = merged.priority if merged.HasField("priority") else None
        t.add(
            workflow_execution_options_updated(
                "",
                priority,
                identity,
                options_updated=True,
                time_skipping_config=config,
                time_skipping_config_updated=skipping_updated,
            )
        )
        push_fast_forward(t.state)
    return merged


def _options(state: RunState) -> WorkflowExecutionOptions:
    """Return the options of a run as they are in effect."""
    skipping = state.time_skipping
    return WorkflowExecutionOptions(
        priority=state.priority, time_skipping_config=None if skipping is None else skipping.config
    )
