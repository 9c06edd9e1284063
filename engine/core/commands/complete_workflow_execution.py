"""COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION."""

from __future__ import annotations

from temporalio.api.command.v1 import CompleteWorkflowExecutionCommandAttributes
from temporalio.api.enums.v1.failed_cause_pb2 import WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES
from temporalio.api.history.v1 import HistoryEvent

from engine.core.commands.work import CommandWork
from engine.core.run import lifecycle

__all__ = ["apply", "validate"]


def validate(work: CommandWork, attributes: CompleteWorkflowExecutionCommandAttributes) -> None:
    """Check that nothing is unseen and the result is not too large.

    Raises: FailWorkflowTask(UNHANDLED_COMMAND | BAD_SCHEDULE_ACTIVITY_ATTRIBUTES, the reference's cause for it).
    """
    work.refuse_close_with_buffered_events()
    work.check_blob_size(
        attributes.result.ByteSize(),
        WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
        "CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit.",
    )


def apply(work: CommandWork, attributes: CompleteWorkflowExecutionCommandAttributes) -> HistoryEvent | None:
    """Close the run as completed; of several closing commands the first one counts."""
    if not work.t.state.running:
        return None
    result = attributes.result if attributes.HasField("result") else None
    return lifecycle.complete(work.t, result, work.workflow_task_completed_event_id)
