"""COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES."""

from __future__ import annotations

from temporalio.api.command.v1 import UpsertWorkflowSearchAttributesCommandAttributes
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES as BAD_ATTRIBUTES,
)
from temporalio.api.history.v1 import HistoryEvent

from engine.core.commands.work import CommandWork
from engine.core.errors import FailWorkflowTask, InvalidArgument
from engine.core.events.workflow_execution import upsert_workflow_search_attributes
from engine.core.policy.payloads import merge_payloads
from engine.core.visibility.search_attributes import (
    set_type_metadata,
    validate_search_attributes,
    validate_total_size,
)

__all__ = ["apply", "validate"]


def validate(work: CommandWork, attributes: UpsertWorkflowSearchAttributesCommandAttributes) -> None:
    """Check names, types and sizes against the namespace's search attributes.

    Raises: FailWorkflowTask(BAD_SEARCH_ATTRIBUTES).
    """
    context = work.t.context
    if not attributes.HasField("search_attributes"):
        raise FailWorkflowTask(BAD_ATTRIBUTES, "SearchAttributes is not set on UpsertWorkflowSearchAttributesCommand.")
    if not attributes.search_attributes.indexed_fields:
        raise FailWorkflowTask(BAD_ATTRIBUTES, "IndexedFields is not set on UpsertWorkflowSearchAttributesCommand.")
    try:
        validate_search_attributes(
            attributes.search_attributes,
            context.namespace.custom_search_attributes,
            context.limits,
            namespace=context.namespace.name,
        )
    except InvalidArgument as error:
        raise FailWorkflowTask(BAD_ATTRIBUTES, error.message) from None
    try:
        fields = attributes.search_attributes.indexed_fields
        validate_total_size(merge_payloads(work.t.state.search_attributes, fields), context.limits)
    except InvalidArgument as error:
        raise FailWorkflowTask(BAD_ATTRIBUTES, error.message, terminates_workflow=True) from None


def apply(work: CommandWork, attributes: UpsertWorkflowSearchAttributesCommandAttributes) -> HistoryEvent:
    """Merge the search attributes; a null removes one.

    Emits: event UpsertWorkflowSearchAttributes.
    """
    work.t.attributes_changed = True
    set_type_metadata(attributes.search_attributes, work.t.context.namespace.custom_search_attributes)
    return work.t.add(upsert_workflow_search_attributes(work.workflow_task_completed_event_id, attributes))
