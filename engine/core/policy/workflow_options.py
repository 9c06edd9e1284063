"""What UpdateWorkflowExecutionOptions may ask for."""

from __future__ import annotations

from collections.abc import Iterable

from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionOptionsRequest

from engine.core.errors import InvalidArgument, Unimplemented
from engine.core.policy.fields import find_unknown_path
from engine.core.policy.limits import Limits
from engine.core.policy.priority import validate_priority
from engine.core.policy.time_skipping import validate_time_skipping_config

__all__ = [
    "check_paths_are_served",
    "validate_options_time_skipping",
    "validate_update_workflow_execution_options",
]

_SERVED = ("priority", "time_skipping_config")


def validate_update_workflow_execution_options(request: UpdateWorkflowExecutionOptionsRequest, limits: Limits) -> None:
    """Check an update of a workflow's options; set how often it may skip time.

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
    options = request.workflow_execution_options
    validate_priority(options.priority)
    validate_options_time_skipping(options, limits)
    check_paths_are_served(request.update_mask.paths)


def validate_options_time_skipping(options: WorkflowExecutionOptions, limits: Limits) -> None:
    """Check the time skipping config among the options; set how often it may skip."""
    config = options.time_skipping_config if options.HasField("time_skipping_config") else None
    validate_time_skipping_config(config, limits)


def check_paths_are_served(paths: Iterable[str]) -> None:
    """Refuse an update of options that this server does not know.

    Raises: Unimplemented.
    """
    for path in paths:
        if path.split(".")[0] not in _SERVED:
            raise Unimplemented(f"an update of {path} is not implemented by this server")
