"""Workflow-task events."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import WorkerVersionStamp
from temporalio.api.enums.v1 import event_type_pb2 as et
from temporalio.api.enums.v1.failed_cause_pb2 import WorkflowTaskFailedCause
from temporalio.api.enums.v1.workflow_pb2 import SuggestContinueAsNewReason, TimeoutType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import (
    HistoryEvent,
    WorkflowTaskCompletedEventAttributes,
    WorkflowTaskFailedEventAttributes,
    WorkflowTaskScheduledEventAttributes,
    WorkflowTaskStartedEventAttributes,
    WorkflowTaskTimedOutEventAttributes,
)
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest


def workflow_task_scheduled(task_queue: TaskQueue, start_to_close_timeout: Duration, attempt: int) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
        workflow_task_scheduled_event_attributes=WorkflowTaskScheduledEventAttributes(
            task_queue=task_queue, start_to_close_timeout=start_to_close_timeout, attempt=attempt
        ),
    )


def workflow_task_started(
    scheduled_event_id: int,
    request_id: str,
    identity: str,
    history_size_bytes: int,
    suggest_continue_as_new_reasons: Sequence[SuggestContinueAsNewReason.ValueType],
    worker_version: WorkerVersionStamp | None,
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_TASK_STARTED,
        workflow_task_started_event_attributes=WorkflowTaskStartedEventAttributes(
            scheduled_event_id=scheduled_event_id,
            request_id=request_id,
            identity=identity,
            history_size_bytes=history_size_bytes,
            suggest_continue_as_new=bool(suggest_continue_as_new_reasons),
            suggest_continue_as_new_reasons=suggest_continue_as_new_reasons,
            worker_version=worker_version,
        ),
    )


def workflow_task_completed(
    scheduled_event_id: int, started_event_id: int, request: RespondWorkflowTaskCompletedRequest
) -> HistoryEvent:
    attributes = WorkflowTaskCompletedEventAttributes(
        scheduled_event_id=scheduled_event_id,
        started_event_id=started_event_id,
        identity=request.identity,
        binary_checksum=request.binary_checksum,
        worker_deployment_name=request.deployment_options.deployment_name,
    )
    for name in ("worker_version_stamp", "sdk_metadata", "metering_metadata"):
        if request.HasField(name):
            target = "worker_version" if name == "worker_version_stamp" else name
            getattr(attributes, target).CopyFrom(getattr(request, name))
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, workflow_task_completed_event_attributes=attributes
    )


def workflow_task_failed(
    scheduled_event_id: int,
    started_event_id: int,
    cause: WorkflowTaskFailedCause.ValueType,
    failure: Failure | None,
    identity: str,
    binary_checksum: str = "",
    base_run_id: str = "",
    new_run_id: str = "",
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_TASK_FAILED,
        workflow_task_failed_event_attributes=WorkflowTaskFailedEventAttributes(
            scheduled_event_id=scheduled_event_id,
            started_event_id=started_event_id,
            cause=cause,
            failure=failure,
            identity=identity,
            binary_checksum=binary_checksum,
            base_run_id=base_run_id,
            new_run_id=new_run_id,
        ),
    )


def workflow_task_timed_out(
    scheduled_event_id: int, started_event_id: int, timeout_type: TimeoutType.ValueType
) -> HistoryEvent:
    return HistoryEvent(
        event_type=et.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
        workflow_task_timed_out_event_attributes=WorkflowTaskTimedOutEventAttributes(
            scheduled_event_id=scheduled_event_id, started_event_id=started_event_id, timeout_type=timeout_type
        ),
    )
