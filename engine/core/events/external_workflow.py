"""Events of signals and cancellation requests from one workflow to another, in the history of the one that sends."""

from __future__ import annotations

from temporalio.api.command.v1 import (
    RequestCancelExternalWorkflowExecutionCommandAttributes,
    SignalExternalWorkflowExecutionCommandAttributes,
)
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import event_type_pb2 as et
from temporalio.api.enums.v1.failed_cause_pb2 import (
    CancelExternalWorkflowExecutionFailedCause,
    SignalExternalWorkflowExecutionFailedCause,
)
from temporalio.api.history.v1 import (
    ExternalWorkflowExecutionCancelRequestedEventAttributes,
    ExternalWorkflowExecutionSignaledEventAttributes,
    HistoryEvent,
    RequestCancelExternalWorkflowExecutionFailedEventAttributes,
    RequestCancelExternalWorkflowExecutionInitiatedEventAttributes,
    SignalExternalWorkflowExecutionFailedEventAttributes,
    SignalExternalWorkflowExecutionInitiatedEventAttributes,
)

from engine.core.namespace import Namespace

__all__ = [
    "external_workflow_execution_cancel_requested",
    "external_workflow_execution_signaled",
    "request_cancel_external_workflow_execution_failed",
    "request_cancel_external_workflow_execution_initiated",
    "signal_external_workflow_execution_failed",
    "signal_external_workflow_execution_initiated",
]


def signal_external_workflow_execution_initiated(
    workflow_task_completed_event_id: int, command: SignalExternalWorkflowExecutionCommandAttributes, namespace_id: str
) -> HistoryEvent:
    attributes = SignalExternalWorkflowExecutionInitiatedEventAttributes(
        workflow_task_completed_event_id=workflow_task_completed_event_id,
        namespace=command.namespace,
        namespace_id=namespace_id,
        workflow_execution=command.execution,
        signal_name=command.signal_name,
        input=command.input if command.HasField("input") else None,
        control=command.control,
        child_workflow_only=command.child_workflow_only,
        header=command.header if command.HasField("header") else None,
    )
    return HistoryEvent(
        event_type=et.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
        signal_external_workflow_execution_initiated_event_attributes=attributes,
    )


def external_workflow_execution_signaled(
    initiated_event_id: int,
    initiated: SignalExternalWorkflowExecutionInitiatedEventAttributes,
    namespace: Namespace,
) -> HistoryEvent:
    attributes = ExternalWorkflowExecutionSignaledEventAttributes(
        initiated_event_id=initiated_event_id,
        namespace=namespace.name,
        namespace_id=namespace.namespace_id,
        workflow_execution=initiated.workflow_execution,
        control=initiated.control,
    )
    return HistoryEvent(
        event_type=et.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED,
        external_workflow_execution_signaled_event_attributes=attributes,
    )


def signal_external_workflow_execution_failed(
    initiated_event_id: int,
    initiated: SignalExternalWorkflowExecutionInitiatedEventAttributes,
    namespace: Namespace,
    cause: SignalExternalWorkflowExecutionFailedCause.ValueType,
) -> HistoryEvent:
    attributes = SignalExternalWorkflowExecutionFailedEventAttributes(
        cause=cause,
        namespace=namespace.name,
        namespace_id=namespace.namespace_id,
        workflow_execution=initiated.workflow_execution,
        initiated_event_id=initiated_event_id,
        control=initiated.control,
    )
    return HistoryEvent(
        event_type=et.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
        signal_external_workflow_execution_failed_event_attributes=attributes,
    )


def request_cancel_external_workflow_execution_initiated(
    workflow_task_completed_event_id: int,
    command: RequestCancelExternalWorkflowExecutionCommandAttributes,
    namespace_id: str,
) -> HistoryEvent:
    attributes = RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(
        workflow_task_completed_event_id=workflow_task_completed_event_id,
        namespace=command.namespace,
        namespace_id=namespace_id,
        workflow_execution=WorkflowExecution(workflow_id=command.workflow_id, run_id=command.run_id),
        control=command.control,
        child_workflow_only=command.child_workflow_only,
        reason=command.reason,
    )
    return HistoryEvent(
        event_type=et.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
        request_cancel_external_workflow_execution_initiated_event_attributes=attributes,
    )


def external_workflow_execution_cancel_requested(
    initiated_event_id: int,
    initiated: RequestCancelExternalWorkflowExecutionInitiatedEventAttributes,
    namespace: Namespace,
) -> HistoryEvent:
    attributes = ExternalWorkflowExecutionCancelRequestedEventAttributes(
        initiated_event_id=initiated_event_id,
        namespace=namespace.name,
        namespace_id=namespace.namespace_id,
        workflow_execution=initiated.workflow_execution,
    )
    return HistoryEvent(
        event_type=et.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
        external_workflow_execution_cancel_requested_event_attributes=attributes,
    )


def request_cancel_external_workflow_execution_failed(
    initiated_event_id: int,
    initiated: RequestCancelExternalWorkflowExecutionInitiatedEventAttributes,
    namespace: Namespace,
    cause: CancelExternalWorkflowExecutionFailedCause.ValueType,
) -> HistoryEvent:
    attributes = RequestCancelExternalWorkflowExecutionFailedEventAttributes(
        cause=cause,
        namespace=namespace.name,
        namespace_id=namespace.namespace_id,
        workflow_execution=initiated.workflow_execution,
        initiated_event_id=initiated_event_id,
    )
    return HistoryEvent(
        event_type=et.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
        request_cancel_external_workflow_execution_failed_event_attributes=attributes,
    )
