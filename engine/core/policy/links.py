"""Links that replies carry back to the event that a request made."""

from __future__ import annotations

from temporalio.api.common.v1 import Link
from temporalio.api.enums.v1 import event_type_pb2 as et

__all__ = ["request_id_link", "started_link"]


def request_id_link(
    namespace: str,
    workflow_id: str,
    run_id: str,
    request_id: str,
    event_type: et.EventType.ValueType = et.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
) -> Link:
    """Link to the event that `request_id` made."""
    reference = Link.WorkflowEvent.RequestIdReference(request_id=request_id, event_type=event_type)
    return Link(
        workflow_event=Link.WorkflowEvent(
            namespace=namespace, workflow_id=workflow_id, run_id=run_id, request_id_ref=reference
        )
    )


def started_link(namespace: str, workflow_id: str, run_id: str) -> Link:
    """Link to a run's WorkflowExecutionStarted."""
    reference = Link.WorkflowEvent.EventReference(event_id=1, event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
    return Link(
        workflow_event=Link.WorkflowEvent(
            namespace=namespace, workflow_id=workflow_id, run_id=run_id, event_ref=reference
        )
    )
