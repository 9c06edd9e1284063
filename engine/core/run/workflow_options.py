"""Changes of a run's options after its start: of what they may hold, this server knows the priority."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from temporalio.api.common.v1 import Priority
from temporalio.api.workflow.v1 import PostResetOperation, WorkflowExecutionOptions

from engine.core.errors import InvalidArgument, Unimplemented
from engine.core.events.workflow_execution import workflow_execution_options_updated
from engine.core.transition import Transition

__all__ = ["check_post_reset_operations", "update_options", "validate_options_updates"]

_UNSUPPORTED = {"signal_workflow": "*workflow.PostResetOperation_SignalWorkflow_", None: "<nil>"}


def check_post_reset_operations(operations: Iterable[PostResetOperation]) -> None:
    """Refuse every operation but an update of options.

    Raises: InvalidArgument.
    """
    for operation in operations:
        variant = operation.WhichOneof("variant")
        if variant != "update_workflow_options":
            raise InvalidArgument(f"unsupported post reset operation: {_UNSUPPORTED[variant]}")


def validate_options_updates(operations: Iterable[PostResetOperation]) -> None:
    """Check which options are to be updated.

    Raises: InvalidArgument for a field that there is not; Unimplemented for any but the priority.
    """
    for operation in operations:
        for path in operation.update_workflow_options.update_mask.paths:
            if not _is_path_of(WorkflowExecutionOptions.DESCRIPTOR, path):
                name = WorkflowExecutionOptions.DESCRIPTOR.full_name
                problem = f'proto:\u00a0invalid path "{path}" for message "{name}"'  # with the reference's very space
                raise InvalidArgument(f"error applying update_options: {problem}")
            if path.split(".")[0] != "priority":
                raise Unimplemented(f"an update of {path} after a reset is not implemented by this server")


def update_options(t: Transition, operations: Iterable[PostResetOperation]) -> None:
    """Update the run's options; what is as it is asked for changes nothing.

    Emits: event WorkflowExecutionOptionsUpdated.
    """
    for operation in operations:
        update = operation.update_workflow_options
        asked = update.workflow_execution_options.priority
        before = t.state.priority
        merged = Priority()
        merged.CopyFrom(before or merged)
        for path in update.update_mask.paths:
            _, _, field = path.partition(".")
            if field:
                setattr(merged, field, getattr(asked, field))
            else:
                merged.CopyFrom(asked)
        if merged != (before or Priority()):
            t.add(workflow_execution_options_updated("", merged))
            t.flush()


def _is_path_of(message: Descriptor | None, path: str) -> bool:
    for name in path.split("."):
        field: FieldDescriptor | None = None if message is None else message.fields_by_name.get(name)
        if field is None:
            return False
        message = None if field.is_repeated else field.message_type
    return True
