"""Events of workflow updates. Rejections have none."""

from __future__ import annotations

from temporalio.api.enums.v1 import event_type_pb2 as et
from temporalio.api.enums.v1.update_pb2 import UpdateAdmittedEventOrigin
from temporalio.api.history.v1 import (
    HistoryEvent,
    WorkflowExecutionUpdateAcceptedEventAttributes,
    WorkflowExecutionUpdateAdmittedEventAttributes,
    WorkflowExecutionUpdateCompletedEventAttributes,
)
from temporalio.api.update.v1 import Request, Response


def workflow_execution_update_admitted(request: Request, origin: UpdateAdmittedEventOrigin.ValueType) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED,
        workflow_execution_update_admitted_event_attributes=WorkflowExecutionUpdateAdmittedEventAttributes(
            request=request, origin=origin
        ),
    )


def workflow_execution_update_accepted(
    update_id: str, request_message_id: str, request_sequencing_event_id: int, request: Request | None
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
        workflow_execution_update_accepted_event_attributes=WorkflowExecutionUpdateAcceptedEventAttributes(
            protocol_instance_id=update_id,
            accepted_request_message_id=request_message_id,
            accepted_request_sequencing_event_id=request_sequencing_event_id,
            accepted_request=request,
        ),
    )


def workflow_execution_update_completed(accepted_event_id: int, response: Response) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
        workflow_execution_update_completed_event_attributes=WorkflowExecutionUpdateCompletedEventAttributes(
            meta=response.meta, accepted_event_id=accepted_event_id, outcome=response.outcome
        ),
    )
