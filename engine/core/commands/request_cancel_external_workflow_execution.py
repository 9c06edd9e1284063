"""COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION."""

from __future__ import annotations

from temporalio.api.command.v1 import RequestCancelExternalWorkflowExecutionCommandAttributes
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES as BAD_ATTRIBUTES,
)
from temporalio.api.enums.v1.failed_cause_pb2 import WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED
from temporalio.api.history.v1 import HistoryEvent

from engine.core.commands.work import CommandWork
from engine.core.errors import FailWorkflowTask
from engine.core.events.external_workflow import request_cancel_external_workflow_execution_initiated
from engine.core.policy.fields import is_uuid
from engine.core.run import external_workflow

__all__ = ["apply", "validate"]

_COMMAND = "RequestCancelExternalWorkflowExecutionCommand"


def validate(work: CommandWork, attributes: RequestCancelExternalWorkflowExecutionCommandAttributes) -> None:
    """Check whom the request is for.

    Raises: FailWorkflowTask(BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES |
        PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED); NamespaceNotFound.
    Source: command_attr_validator.go ValidateCancelExternalWorkflowExecutionAttributes.
    """
    limits = work.t.context.limits
    work.target_namespace(attributes.namespace, BAD_ATTRIBUTES)
    workflow_id, run_id, namespace = attributes.workflow_id, attributes.run_id, attributes.namespace
    if not workflow_id:
        raise FailWorkflowTask(
            BAD_ATTRIBUTES, f"WorkflowId is not set on {_COMMAND}. Namespace={namespace} RunId={run_id}"
        )
    length = len(workflow_id.encode())
    if length > limits.max_id_length:
        raise FailWorkflowTask(
            BAD_ATTRIBUTES,
            f"WorkflowId on {_COMMAND} exceeds length limit. WorkflowId={workflow_id} Length={length} "
            f"Limit={limits.max_id_length} RunId={run_id} Namespace={namespace}",
        )
    where = f"WorkflowId={workflow_id} RunId={run_id} Namespace={namespace}"
    if run_id and not is_uuid(run_id):
        raise FailWorkflowTask(BAD_ATTRIBUTES, f"Invalid RunId set on {_COMMAND}. {where}")
    if workflow_id in work.initiated_children:
        raise FailWorkflowTask(
            BAD_ATTRIBUTES, f"Start and RequestCancel for child workflow is not allowed in same workflow task. {where}"
        )
    work.check_pending(
        len(work.t.state.external_cancels),
        limits.pending_cancel_requests_error,
        "pending requests to cancel external workflows",
        WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED,
    )


def apply(work: CommandWork, attributes: RequestCancelExternalWorkflowExecutionCommandAttributes) -> HistoryEvent:
    """Send the request, which arrives after this workflow task in the same commit.

    Emits: event RequestCancelExternalWorkflowExecutionInitiated; effect SendToRun.
    """
    namespace = work.find_target_namespace(attributes.namespace)
    event = work.t.add(
        request_cancel_external_workflow_execution_initiated(
            work.workflow_task_completed_event_id, attributes, namespace.namespace_id
        )
    )
    external_workflow.request_cancel(work.t, event.event_id)
    return event
