"""Changes of a run's options after its start: of what they may hold, this server knows the priority."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from temporalio.api.common.v1 import Priority
from temporalio.api.workflow.v1 import PostResetOperation, WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    UpdateWorkflowExecutionOptionsRequest,
    UpdateWorkflowExecutionOptionsResponse,
)

from engine.core.errors import InvalidArgument, NotFound, Unimplemented
from engine.core.events.workflow_execution import workflow_execution_options_updated
from engine.core.inputs import UpdateWorkflowExecutionOptions
from engine.core.policy.priority import validate_priority
from engine.core.transition import Transition

__all__ = [
    "apply_post_reset_operations",
    "check_post_reset_operations",
    "on_update_options",
    "validate_post_reset_operations",
    "validate_update_workflow_execution_options",
]

_UNSUPPORTED = {"signal_workflow": "*workflow.PostResetOperation_SignalWorkflow_", None: "<nil>"}


def validate_update_workflow_execution_options(request: UpdateWorkflowExecutionOptionsRequest) -> None:
    """Check which options of which run are to be updated.

    Raises: InvalidArgument; Unimplemented for any option but the priority.
    """
    if not request.workflow_execution.workflow_id:
        raise InvalidArgument("WorkflowId is not set on request.")
    if not request.HasField("update_mask"):
        raise InvalidArgument("UpdateMask is required")
    if not request.HasField("workflow_execution_options"):
        raise InvalidArgument("WorkflowExecutionOptions is required")
    if problem := _find_bad_path(request.update_mask.paths):
        raise InvalidArgument(f"error parsing UpdateMask: {problem}")
    validate_priority(request.workflow_execution_options.priority)
    _refuse_others(request.update_mask.paths)


def on_update_options(t: Transition, update: UpdateWorkflowExecutionOptions) -> UpdateWorkflowExecutionOptionsResponse:
    """Update the run's options.

    Emits: event WorkflowExecutionOptionsUpdated, if anything changes.
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
    """Check which options are to be updated after a reset.

    Raises: InvalidArgument for a field that there is not; Unimplemented for any but the priority.
    """
    for operation in operations:
        paths = operation.update_workflow_options.update_mask.paths
        if problem := _find_bad_path(paths):
            raise InvalidArgument(f"error applying update_options: {problem}")
        _refuse_others(paths)


def apply_post_reset_operations(t: Transition, operations: Iterable[PostResetOperation]) -> None:
    """Update the options of the new run.

    Emits: event WorkflowExecutionOptionsUpdated, if anything changes.
    """
    for operation in operations:
        update = operation.update_workflow_options
        _update(t, update.workflow_execution_options, update.update_mask.paths, "")
        t.flush()


def _update(t: Transition, asked: WorkflowExecutionOptions, paths: Iterable[str], identity: str) -> Priority | None:
    """Change what `paths` name and return the priority that comes of it."""
    before = t.state.priority
    merged = before
    for path in paths:
        _, _, field = path.partition(".")
        if field:
            merged = Priority.FromString(b"" if merged is None else merged.SerializeToString())
            setattr(merged, field, getattr(asked.priority, field))
        else:
            merged = asked.priority if asked.HasField("priority") else None
    if merged != before:
        t.attributes_changed = True
        t.add(workflow_execution_options_updated("", options_updated=True, priority=merged, identity=identity))
    return merged


def _refuse_others(paths: Iterable[str]) -> None:
    for path in paths:
        if path.split(".")[0] != "priority":
            raise Unimplemented(f"an update of {path} is not implemented by this server")


def _find_bad_path(paths: Iterable[str]) -> str:
    for path in paths:
        if not _is_path_of(WorkflowExecutionOptions.DESCRIPTOR, path):
            name = WorkflowExecutionOptions.DESCRIPTOR.full_name
            return f'proto:\u00a0invalid path "{path}" for message "{name}"'  # with the reference's very space
    return ""


def _is_path_of(message: Descriptor | None, path: str) -> bool:
    for name in path.split("."):
        field: FieldDescriptor | None = None if message is None else message.fields_by_name.get(name)
        if field is None:
            return False
        message = None if field.is_repeated else field.message_type
    return True
