"""COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES."""

from __future__ import annotations

from temporalio.api.command.v1 import ModifyWorkflowPropertiesCommandAttributes
from temporalio.api.common.v1 import Memo
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES as BAD_ATTRIBUTES,
)
from temporalio.api.history.v1 import HistoryEvent

from engine.core.commands.work import CommandWork
from engine.core.errors import FailWorkflowTask
from engine.core.events.workflow_execution import workflow_properties_modified
from engine.core.policy.payloads import merge_payloads

__all__ = ["apply", "validate"]


def validate(work: CommandWork, attributes: ModifyWorkflowPropertiesCommandAttributes) -> None:
    """Check that there is a memo and that what it adds, and what it adds up to, is not too large.

    Raises: FailWorkflowTask(BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES).
    """
    if not attributes.HasField("upserted_memo"):
        raise FailWorkflowTask(BAD_ATTRIBUTES, "UpsertedMemo is not set on ModifyWorkflowPropertiesCommand.")
    if not attributes.upserted_memo.fields:
        raise FailWorkflowTask(BAD_ATTRIBUTES, "UpsertedMemo.Fields is not set on ModifyWorkflowPropertiesCommand.")
    fields = attributes.upserted_memo.fields
    size_bytes = sum(len(name.encode()) + len(payload.data) for name, payload in fields.items())
    work.check_blob_size(size_bytes, BAD_ATTRIBUTES, "ModifyWorkflowPropertiesCommandAttributes exceeds size limit.")
    merged = Memo(fields=merge_payloads(work.t.state.memo, fields))
    if merged.ByteSize() > work.t.context.limits.memo_size_error_bytes:
        message = "ModifyWorkflowPropertiesCommandAttributes. Memo exceeds size limit."
        raise FailWorkflowTask(BAD_ATTRIBUTES, message, terminates_workflow=True)


def apply(work: CommandWork, attributes: ModifyWorkflowPropertiesCommandAttributes) -> HistoryEvent:
    """Merge the memo's fields; a null removes one.

    Emits: event WorkflowPropertiesModified.
    """
    work.t.attributes_changed = True
    return work.t.add(workflow_properties_modified(work.workflow_task_completed_event_id, attributes))
