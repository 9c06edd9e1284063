"""COMMAND_TYPE_RECORD_MARKER."""

from __future__ import annotations

from temporalio.api.command.v1 import RecordMarkerCommandAttributes
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES as BAD_ATTRIBUTES,
)
from temporalio.api.history.v1 import HistoryEvent

from engine.core.commands.work import CommandWork
from engine.core.events.workflow_execution import marker_recorded

__all__ = ["apply", "validate"]


def validate(work: CommandWork, attributes: RecordMarkerCommandAttributes) -> None:
    """Check the marker's name and size.

    Raises: FailWorkflowTask(BAD_RECORD_MARKER_ATTRIBUTES).
    """
    work.check_id_length(BAD_ATTRIBUTES, "MarkerName", "RecordMarkerCommand", attributes.marker_name)
    size_bytes = sum(len(name) + payloads.ByteSize() for name, payloads in attributes.details.items())
    work.check_blob_size(size_bytes, BAD_ATTRIBUTES, "RecordMarkerCommandAttributes.Details exceeds size limit.")


def apply(work: CommandWork, attributes: RecordMarkerCommandAttributes) -> HistoryEvent:
    """Record the marker (side effects, local activities, versions).

    Emits: event MarkerRecorded.
    """
    return work.t.add(marker_recorded(work.workflow_task_completed_event_id, attributes))
