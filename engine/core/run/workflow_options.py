"""Changes of a run's options after its start: of what they may hold, this server knows the priority.

Rules (temporal server updateworkflowoptions):
- Only the fields that the mask names are taken over. What is as it is asked for already writes no event.
- Tasks that wait for a poller keep the priority that they were scheduled with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from temporalio.api.common.v1 import Priority
from temporalio.api.workflow.v1 import PostResetOperation, WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionOptionsResponse

from engine.core.errors import InvalidArgument, NotFound
from engine.core.events.workflow_execution import workflow_execution_options_updated
from engine.core.inputs import UpdateWorkflowExecutionOptions
from engine.core.policy.fields import find_unknown_path
from engine.core.policy.workflow_options import check_paths_are_served
from engine.core.transition import Transition

__all__ = ["apply_post_reset_operations", "check_post_reset_operations", "on_update", "validate_post_reset_operations"]

_UNSUPPORTED = {"signal_workflow": "*workflow.PostResetOperation_SignalWorkflow_", None: "<nil>"}


def on_update(t: Transition, update: UpdateWorkflowExecutionOptions) -> UpdateWorkflowExecutionOptionsResponse:
    """Update the options of a run.

    Emits: event WorkflowExecutionOptionsUpdated.
    Raises: NotFound for a closed run.
    """
    if not t.state.running:
        raise NotFound("workflow execution already completed")
    request = update.request
    merged = _update(t, request.workflow_execution_options, request.update_mask.paths, request.identity)
    return UpdateWorkflowExecutionOptionsResponse(workflow_execution_options=WorkflowExecutionOptions(priority=merged))


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

    Raises: InvalidArgument for a field that there is not; Unimplemented for any but the priority.
    """
    for operation in operations:
        paths = operation.update_workflow_options.update_mask.paths
        if problem := find_unknown_path(WorkflowExecutionOptions.DESCRIPTOR, paths):
            raise InvalidArgument(f"error applying update_options: {problem}")
        check_paths_are_served(paths)


def apply_post_reset_operations(t: Transition, operations: Iterable[PostResetOperation]) -> None:
    """Update the options of the new run.

    Emits: events WorkflowExecutionOptionsUpdated.
    """
    for operation in operations:
        update = operation.update_workflow_options
        _update(t, update.workflow_execution_options, update.update_mask.paths, "")


def _update(t: Transition, options: WorkflowExecutionOptions, paths: Sequence[str], identity: str) -> Priority | None:
    """Change what `paths` name and return the priority that comes of it; no priority at all leaves the run its own."""
    before = merged = t.state.priority
    for path in paths:
        _, _, field = path.partition(".")
        if field:
            merged = Priority.FromString(b"" if merged is None else merged.SerializeToString())
            setattr(merged, field, getattr(options.priority, field))
        else:
            merged = options.priority if options.HasField("priority") else None
    if merged != before:
        t.attributes_changed = True
        t.add(workflow_execution_options_updated("", merged, identity, options_updated=True))
    return merged
