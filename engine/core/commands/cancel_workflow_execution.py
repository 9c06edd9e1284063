"""COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION."""

from __future__ import annotations

from temporalio.api.command.v1 import CancelWorkflowExecutionCommandAttributes
from temporalio.api.history.v1 import HistoryEvent

from engine.core.commands.work import CommandWork
from engine.core.run import lifecycle

__all__ = ["apply", "validate"]


def validate(work: CommandWork, attributes: CancelWorkflowExecutionCommandAttributes) -> None:
    """Check that nothing is unseen.

    Raises: FailWorkflowTask(UNHANDLED_COMMAND).
    """
    work.refuse_close_with_buffered_events()


def apply(work: CommandWork, attributes: CancelWorkflowExecutionCommandAttributes) -> HistoryEvent | None:
    """Close the run as cancelled; of several closing commands the first one counts.

    Emits: event WorkflowExecutionCanceled.
    """
    if not work.t.state.running:
        return None
    details = attributes.details if attributes.HasField("details") else None
    return lifecycle.cancel(work.t, details, work.workflow_task_completed_event_id)
