"""COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION."""

from __future__ import annotations

from temporalio.api.command.v1 import FailWorkflowExecutionCommandAttributes
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES as BAD_ATTRIBUTES,
)
from temporalio.api.history.v1 import HistoryEvent

from engine.core.commands.work import CommandWork
from engine.core.errors import FailWorkflowTask
from engine.core.run import lifecycle

__all__ = ["apply", "validate"]


def validate(work: CommandWork, attributes: FailWorkflowExecutionCommandAttributes) -> None:
    """Check that nothing is unseen and there is a failure of an allowed size.

    Raises: FailWorkflowTask(UNHANDLED_COMMAND | BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES).
    """
    work.refuse_close_with_buffered_events()
    if not attributes.HasField("failure"):
        raise FailWorkflowTask(BAD_ATTRIBUTES, "Failure is not set on FailWorkflowExecutionCommand.")
    work.check_blob_size(
        attributes.failure.ByteSize(),
        BAD_ATTRIBUTES,
        "FailWorkflowExecutionCommandAttributes.Failure exceeds size limit.",
    )


def apply(work: CommandWork, attributes: FailWorkflowExecutionCommandAttributes) -> HistoryEvent | None:
    """Close the run as failed; of several closing commands the first one counts."""
    if not work.t.state.running:
        return None
    return lifecycle.fail(work.t, attributes.failure, work.workflow_task_completed_event_id)
