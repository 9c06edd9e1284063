"""Events of the workflow execution itself: its start, its ends, and what reaches it from outside."""

from __future__ import annotations

from temporalio.api.command.v1 import (
    ModifyWorkflowPropertiesCommandAttributes,
    RecordMarkerCommandAttributes,
    UpsertWorkflowSearchAttributesCommandAttributes,
)
from temporalio.api.common.v1 import Header, Payloads, Priority, TimeSkippingConfig
from temporalio.api.enums.v1 import event_type_pb2 as et
from temporalio.api.enums.v1.workflow_pb2 import RetryState
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import (
    HistoryEvent,
    UpsertWorkflowSearchAttributesEventAttributes,
    WorkflowExecutionCanceledEventAttributes,
    WorkflowExecutionCancelRequestedEventAttributes,
    WorkflowExecutionCompletedEventAttributes,
    WorkflowExecutionContinuedAsNewEventAttributes,
    WorkflowExecutionFailedEventAttributes,
    WorkflowExecutionOptionsUpdatedEventAttributes,
    WorkflowExecutionSignaledEventAttributes,
    WorkflowExecutionStartedEventAttributes,
    WorkflowExecutionTerminatedEventAttributes,
    WorkflowExecutionTimedOutEventAttributes,
    WorkflowExecutionTimeSkippingTransitionedEventAttributes,
    WorkflowPropertiesModifiedEventAttributes,
)

from engine.core.policy.durations import ns_to_timestamp


def workflow_execution_started(attributes: WorkflowExecutionStartedEventAttributes) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, workflow_execution_started_event_attributes=attributes
    )


def workflow_execution_completed(
    result: Payloads | None, workflow_task_completed_event_id: int, new_execution_run_id: str
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        workflow_execution_completed_event_attributes=WorkflowExecutionCompletedEventAttributes(
            result=result,
            workflow_task_completed_event_id=workflow_task_completed_event_id,
            new_execution_run_id=new_execution_run_id,
        ),
    )


def workflow_execution_failed(
    failure: Failure,
    retry_state: RetryState.ValueType,
    workflow_task_completed_event_id: int,
    new_execution_run_id: str,
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        workflow_execution_failed_event_attributes=WorkflowExecutionFailedEventAttributes(
            failure=failure,
            retry_state=retry_state,
            workflow_task_completed_event_id=workflow_task_completed_event_id,
            new_execution_run_id=new_execution_run_id,
        ),
    )


def workflow_execution_timed_out(retry_state: RetryState.ValueType, new_execution_run_id: str) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        workflow_execution_timed_out_event_attributes=WorkflowExecutionTimedOutEventAttributes(
            retry_state=retry_state, new_execution_run_id=new_execution_run_id
        ),
    )


def workflow_execution_canceled(details: Payloads | None, workflow_task_completed_event_id: int) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        workflow_execution_canceled_event_attributes=WorkflowExecutionCanceledEventAttributes(
            details=details, workflow_task_completed_event_id=workflow_task_completed_event_id
        ),
    )


def workflow_execution_terminated(reason: str, details: Payloads | None, identity: str) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        workflow_execution_terminated_event_attributes=WorkflowExecutionTerminatedEventAttributes(
            reason=reason, details=details, identity=identity
        ),
    )


def workflow_execution_continued_as_new(attributes: WorkflowExecutionContinuedAsNewEventAttributes) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
        workflow_execution_continued_as_new_event_attributes=attributes,
    )


def workflow_execution_signaled(
    signal_name: str, signal_input: Payloads | None, identity: str, header: Header | None, request_id: str
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        workflow_execution_signaled_event_attributes=WorkflowExecutionSignaledEventAttributes(
            signal_name=signal_name, input=signal_input, identity=identity, header=header, request_id=request_id
        ),
    )


def workflow_execution_cancel_requested(cause: str, identity: str) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
        workflow_execution_cancel_requested_event_attributes=WorkflowExecutionCancelRequestedEventAttributes(
            cause=cause, identity=identity
        ),
    )


def workflow_execution_options_updated(
    attached_request_id: str,
    priority: Priority | None = None,
    identity: str = "",
    options_updated: bool = False,
    time_skipping_config: TimeSkippingConfig | None = None,
    time_skipping_config_updated: bool = False,
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
        worker_may_ignore=True,
        workflow_execution_options_updated_event_attributes=WorkflowExecutionOptionsUpdatedEventAttributes(
            attached_request_id=attached_request_id,
            unset_versioning_override=options_updated,
            priority=priority,
            identity=identity,
            time_skipping_config=time_skipping_config,
            time_skipping_config_updated=time_skipping_config_updated,
        ),
    )


def workflow_execution_time_skipping_transitioned(
    target_time_ns: int, wall_clock_time_ns: int, disabled_after_fast_forward: bool
) -> HistoryEvent:
    """Build the event of a skip; without a target (0) it says only that time skipping is disabled."""
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
        worker_may_ignore=True,
        workflow_execution_time_skipping_transitioned_event_attributes=(
            WorkflowExecutionTimeSkippingTransitionedEventAttributes(
                target_time=ns_to_timestamp(target_time_ns) if target_time_ns else None,
                wall_clock_time=ns_to_timestamp(wall_clock_time_ns),
                disabled_after_fast_forward=disabled_after_fast_forward,
            )
        ),
    )


def marker_recorded(workflow_task_completed_event_id: int, command: RecordMarkerCommandAttributes) -> HistoryEvent:
    event = HistoryEvent(event_type=et.EVENT_TYPE_MARKER_RECORDED)
    # Filled in place: a message given to another's constructor is copied, with all the details.
    attributes = event.marker_recorded_event_attributes
    attributes.marker_name = command.marker_name
    attributes.workflow_task_completed_event_id = workflow_task_completed_event_id
    for name, payloads in command.details.items():
        attributes.details[name].CopyFrom(payloads)
    for field in ("header", "failure"):
        if command.HasField(field):
            getattr(attributes, field).CopyFrom(getattr(command, field))
    return event


def upsert_workflow_search_attributes(
    workflow_task_completed_event_id: int, command: UpsertWorkflowSearchAttributesCommandAttributes
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        upsert_workflow_search_attributes_event_attributes=UpsertWorkflowSearchAttributesEventAttributes(
            workflow_task_completed_event_id=workflow_task_completed_event_id,
            search_attributes=command.search_attributes,
        ),
    )


def workflow_properties_modified(
    workflow_task_completed_event_id: int, command: ModifyWorkflowPropertiesCommandAttributes
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
        workflow_properties_modified_event_attributes=WorkflowPropertiesModifiedEventAttributes(
            workflow_task_completed_event_id=workflow_task_completed_event_id,
            upserted_memo=command.upserted_memo if command.HasField("upserted_memo") else None,
        ),
    )
