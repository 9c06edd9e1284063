"""What UpdateWorkflowExecutionOptions may ask for."""

from __future__ import annotations

from collections.abc import Iterable

from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionOptionsRequest

from engine.core.errors import InvalidArgument, Unimplemented
from engine.core.policy.fields import find_unknown_path
from engine.core.policy.priority import validate_priority

__all__ = ["check_paths_are_served", "validate_update_workflow_execution_options"]


def validate_update_workflow_execution_options(request: UpdateWorkflowExecutionOptionsRequest) -> None:
    """Check an update of a workflow's options.

    Raises: InvalidArgument; Unimplemented for an option that this server does not know.
    """
    if not request.workflow_execution.workflow_id:
        raise InvalidArgument("WorkflowId is not set on request.")
    if not request.HasField("update_mask"):
        raise InvalidArgument("UpdateMask is required")
    if not request.HasField("workflow_execution_options"):
        raise InvalidArgument("WorkflowExecutionOptions is required")
    if problem := find_unknown_path(WorkflowExecutionOptions.DESCRIPTOR, request.update_mask.paths):
        raise InvalidArgument(f"error parsing UpdateMask: {problem}")
    validate_priority(request.workflow_execution_options.priority)
    check_paths_are_served(request.update_mask.paths)


def check_paths_are_served(paths: Iterable[str]) -> None:
    """Refuse an update of options that this server does not know.

    Raises: Unimplemented.
    """
    for path in paths:
        if path.split(".")[0] != "priority":
            raise Unimplemented(f"an update of {path} is not implemented by this server")
