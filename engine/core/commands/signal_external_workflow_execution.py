"""COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION."""

from __future__ import annotations

from temporalio.api.command.v1 import SignalExternalWorkflowExecutionCommandAttributes
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES as BAD_ATTRIBUTES,
)
from temporalio.api.enums.v1.failed_cause_pb2 import WORKFLOW_TASK_FAILED_CAUSE_PENDING_SIGNALS_LIMIT_EXCEEDED
from temporalio.api.history.v1 import HistoryEvent

from engine.core.commands.work import CommandWork
from engine.core.errors import FailWorkflowTask
from engine.core.events.external_workflow import signal_external_workflow_execution_initiated
from engine.core.policy.fields import is_uuid
from engine.core.run import external_workflow

__all__ = ["apply", "validate"]

_COMMAND = "SignalExternalWorkflowExecutionCommand"


def validate(work: CommandWork, attributes: SignalExternalWorkflowExecutionCommandAttributes) -> None:
    """Check whom the signal is for, and that it is not too large.

    Raises: FailWorkflowTask(BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES | PENDING_SIGNALS_LIMIT_EXCEEDED);
        NamespaceNotFound.
    Source: command_attr_validator.go ValidateSignalExternalWorkflowExecutionAttributes.
    """
    limits = work.t.context.limits
    if not attributes.HasField("execution"):
        # The namespace is looked up first, as for a complete command.
        work.find_target_namespace(attributes.namespace)
        raise FailWorkflowTask(BAD_ATTRIBUTES, f"Execution is not set on {_COMMAND}.")
    work.target_namespace(attributes.namespace, BAD_ATTRIBUTES)
    workflow_id, run_id = attributes.execution.workflow_id, attributes.execution.run_id
    namespace, signal_name = attributes.namespace, attributes.signal_name
    where = f"Namespace={namespace} RunId={run_id} SignalName={signal_name}"
    if not workflow_id:
        raise FailWorkflowTask(BAD_ATTRIBUTES, f"WorkflowId is not set on {_COMMAND}. {where}")
    length = len(workflow_id.encode())
    if length > limits.max_id_length:
        raise FailWorkflowTask(
            BAD_ATTRIBUTES,
            f"WorkflowId on {_COMMAND} exceeds length limit. WorkflowId={workflow_id} Length={length} "
            f"Limit={limits.max_id_length} {where}",
        )
    if run_id and not is_uuid(run_id):
        raise FailWorkflowTask(BAD_ATTRIBUTES, f"Invalid RunId set on {_COMMAND}. WorkflowId={workflow_id} {where}")
    if not signal_name:
        raise FailWorkflowTask(
            BAD_ATTRIBUTES,
            f"SignalName is not set on {_COMMAND}. WorkflowId={workflow_id} Namespace={namespace} RunId={run_id}",
        )
    work.check_pending(
        len(work.t.state.external_signals),
        limits.pending_signals_error,
        "pending signals to external workflows",
        WORKFLOW_TASK_FAILED_CAUSE_PENDING_SIGNALS_LIMIT_EXCEEDED,
    )
    work.check_blob_size(
        attributes.input.ByteSize(),
        BAD_ATTRIBUTES,
        "SignalExternalWorkflowExecutionCommandAttributes.Input exceeds size limit.",
    )


def apply(work: CommandWork, attributes: SignalExternalWorkflowExecutionCommandAttributes) -> HistoryEvent:
    """Send the signal, which arrives after this workflow task in the same commit.

    Emits: event SignalExternalWorkflowExecutionInitiated; effect SendToRun.
    """
    namespace = work.find_target_namespace(attributes.namespace)
    event = work.t.add(
        signal_external_workflow_execution_initiated(
            work.workflow_task_completed_event_id, attributes, namespace.namespace_id
        )
    )
    external_workflow.signal(work.t, event.event_id)
    return event
