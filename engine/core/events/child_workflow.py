"""Events of a child workflow in its parent's history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio.api.command.v1 import StartChildWorkflowExecutionCommandAttributes
from temporalio.api.common.v1 import TimeSkippingConfig, TimeSkippingStatePropagation, WorkflowExecution
from temporalio.api.enums.v1 import event_type_pb2 as et
from temporalio.api.enums.v1.failed_cause_pb2 import StartChildWorkflowExecutionFailedCause
from temporalio.api.history.v1 import (
    ChildWorkflowExecutionStartedEventAttributes,
    HistoryEvent,
    StartChildWorkflowExecutionFailedEventAttributes,
    StartChildWorkflowExecutionInitiatedEventAttributes,
)

__all__ = [
    "CHILD_CLOSES",
    "child_workflow_execution_closed",
    "child_workflow_execution_started",
    "start_child_workflow_execution_failed",
    "start_child_workflow_execution_initiated",
]

_COPIED_FROM_COMMAND = (
    "workflow_type",
    "task_queue",
    "header",
    "input",
    "workflow_execution_timeout",
    "workflow_run_timeout",
    "workflow_task_timeout",
    "retry_policy",
    "memo",
    "search_attributes",
    "versioning_override",
    "priority",
)


def start_child_workflow_execution_initiated(
    workflow_task_completed_event_id: int,
    command: StartChildWorkflowExecutionCommandAttributes,
    namespace_id: str,
    time_skipping_config: TimeSkippingConfig | None,
    time_skipping_state_propagation: TimeSkippingStatePropagation | None,
) -> HistoryEvent:
    event = HistoryEvent(event_type=et.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED)
    attributes = event.start_child_workflow_execution_initiated_event_attributes
    attributes.workflow_task_completed_event_id = workflow_task_completed_event_id
    attributes.namespace = command.namespace
    attributes.namespace_id = namespace_id
    attributes.workflow_id = command.workflow_id
    attributes.control = command.control
    attributes.workflow_id_reuse_policy = command.workflow_id_reuse_policy
    attributes.cron_schedule = command.cron_schedule
    attributes.parent_close_policy = command.parent_close_policy
    attributes.inherit_build_id = command.inherit_build_id
    for name in _COPIED_FROM_COMMAND:
        if command.HasField(name):  # type: ignore[arg-type]
            getattr(attributes, name).CopyFrom(getattr(command, name))
    if time_skipping_config is not None:
        attributes.time_skipping_config.CopyFrom(time_skipping_config)
    if time_skipping_state_propagation is not None:
        attributes.time_skipping_state_propagation.CopyFrom(time_skipping_state_propagation)
    return event


def child_workflow_execution_started(
    initiated_event_id: int, initiated: StartChildWorkflowExecutionInitiatedEventAttributes, run_id: str
) -> HistoryEvent:
    attributes = ChildWorkflowExecutionStartedEventAttributes(
        namespace=initiated.namespace,
        namespace_id=initiated.namespace_id,
        initiated_event_id=initiated_event_id,
        workflow_execution=WorkflowExecution(workflow_id=initiated.workflow_id, run_id=run_id),
        workflow_type=initiated.workflow_type,
        header=initiated.header if initiated.HasField("header") else None,
    )
    return HistoryEvent(
        event_type=et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
        child_workflow_execution_started_event_attributes=attributes,
    )


def start_child_workflow_execution_failed(
    initiated_event_id: int,
    initiated: StartChildWorkflowExecutionInitiatedEventAttributes,
    cause: StartChildWorkflowExecutionFailedCause.ValueType,
) -> HistoryEvent:
    attributes = StartChildWorkflowExecutionFailedEventAttributes(
        namespace=initiated.namespace,
        namespace_id=initiated.namespace_id,
        workflow_id=initiated.workflow_id,
        workflow_type=initiated.workflow_type,
        cause=cause,
        control=initiated.control,
        initiated_event_id=initiated_event_id,
    )
    return HistoryEvent(
        event_type=et.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED,
        start_child_workflow_execution_failed_event_attributes=attributes,
    )


def child_workflow_execution_closed(
    started: ChildWorkflowExecutionStartedEventAttributes,
    started_event_id: int,
    execution: WorkflowExecution,
    close: HistoryEvent,
) -> HistoryEvent:
    """Build what the parent records of its child's close event `close`, a key of `CHILD_CLOSES`.

    Args:
        execution: the run that closed, the last one of its chain.
    """
    event_type, source, target, copied = CHILD_CLOSES[close.event_type]
    event = HistoryEvent(event_type=event_type)
    attributes, closed = getattr(event, target), getattr(close, source)
    attributes.namespace = started.namespace
    attributes.namespace_id = started.namespace_id
    attributes.workflow_execution.CopyFrom(execution)
    attributes.workflow_type.CopyFrom(started.workflow_type)
    attributes.initiated_event_id = started.initiated_event_id
    attributes.started_event_id = started_event_id
    for copy in copied:
        copy(attributes, closed)
    return event


def _message(name: str) -> Callable[[Any, Any], None]:
    def copy(attributes: Any, closed: Any) -> None:
        if closed.HasField(name):
            getattr(attributes, name).CopyFrom(getattr(closed, name))

    return copy


def _retry_state(attributes: Any, closed: Any) -> None:
    attributes.retry_state = closed.retry_state


CHILD_CLOSES: dict[int, tuple[et.EventType.ValueType, str, str, tuple[Callable[[Any, Any], None], ...]]] = {
    et.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: (
        et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
        "workflow_execution_completed_event_attributes",
        "child_workflow_execution_completed_event_attributes",
        (_message("result"),),
    ),
    et.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: (
        et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
        "workflow_execution_failed_event_attributes",
        "child_workflow_execution_failed_event_attributes",
        (_message("failure"), _retry_state),
    ),
    et.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: (
        et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
        "workflow_execution_canceled_event_attributes",
        "child_workflow_execution_canceled_event_attributes",
        (_message("details"),),
    ),
    et.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: (
        et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED,
        "workflow_execution_terminated_event_attributes",
        "child_workflow_execution_terminated_event_attributes",
        (),
    ),
    et.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: (
        et.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
        "workflow_execution_timed_out_event_attributes",
        "child_workflow_execution_timed_out_event_attributes",
        (_retry_state,),
    ),
}
"""Close event of a run -> (event of its parent, attributes field of each, what is copied)."""
