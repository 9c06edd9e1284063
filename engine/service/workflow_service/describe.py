"""DescribeWorkflowExecution."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1.event_type_pb2 import (
    EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED,
    EventType,
)
from temporalio.api.enums.v1.task_queue_pb2 import TASK_QUEUE_KIND_NORMAL
from temporalio.api.enums.v1.workflow_pb2 import (
    PENDING_WORKFLOW_TASK_STATE_SCHEDULED,
    PENDING_WORKFLOW_TASK_STATE_STARTED,
)
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import (
    PendingChildExecutionInfo,
    PendingWorkflowTaskInfo,
    WorkflowExecutionConfig,
    WorkflowExecutionExtendedInfo,
    WorkflowExecutionInfo,
)
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse

from engine.core.policy.client_requests import validate_has_execution
from engine.core.policy.durations import duration_to_ns, ns_to_duration, ns_to_timestamp
from engine.core.run.build_ids import reset_points
from engine.core.run.state import SIGNAL_REQUEST, ChildInfo, RunState, WorkflowTask
from engine.core.run.time_skipping import current_time_ns, time_skipping_info
from engine.core.visibility.search_attributes import set_type_metadata
from engine.service.service import Call, Service, get_namespace
from engine.service.workflow_service.pending_activities import pending_activity_info

__all__ = ["describe_workflow_execution"]

_NAMED_BY_REQUESTS = (
    EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED,
    EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
)
# What clients know as "no time": the first moment of year 1.
_NEVER = Timestamp(seconds=-62_135_596_800)


async def describe_workflow_execution(
    service: Service, request: DescribeWorkflowExecutionRequest, call: Call
) -> DescribeWorkflowExecutionResponse:
    """Describe a run: how it was started, where it stands, what it waits for."""
    namespace = get_namespace(service, request.namespace)
    validate_has_execution(request)
    state = service.engine.get_run(namespace, request.execution)
    now_ns = current_time_ns(service.engine.env, state)
    retention_ns = duration_to_ns(namespace.description.config.workflow_execution_retention_ttl)
    response = DescribeWorkflowExecutionResponse(
        execution_config=_config(state),
        workflow_execution_info=_info(state, retention_ns),
        workflow_extended_info=_extended_info(service, state),
        pending_activities=[pending_activity_info(each, now_ns) for each in state.activities.values()],
        pending_children=[_pending_child(each) for each in state.children.values()],
    )
    if state.time_skipping is not None:
        info = time_skipping_info(state.time_skipping, now_ns)
        response.workflow_extended_info.time_skipping_info.CopyFrom(info)
    if state.workflow_task is not None:
        response.pending_workflow_task.CopyFrom(_pending_workflow_task(state.workflow_task))
    set_type_metadata(response.workflow_execution_info.search_attributes, namespace.custom_search_attributes)
    return response


def _config(state: RunState) -> WorkflowExecutionConfig:
    started = state.started
    config = WorkflowExecutionConfig(
        task_queue=TaskQueue(name=state.task_queue, kind=TASK_QUEUE_KIND_NORMAL),
        default_workflow_task_timeout=started.workflow_task_timeout,
        user_metadata=state.user_metadata,
    )
    if started.HasField("workflow_execution_timeout"):
        config.workflow_execution_timeout.CopyFrom(started.workflow_execution_timeout)
    if started.HasField("workflow_run_timeout"):
        config.workflow_run_timeout.CopyFrom(started.workflow_run_timeout)
    return config


def _info(state: RunState, retention_ns: int) -> WorkflowExecutionInfo:
    info = WorkflowExecutionInfo(
        start_time=ns_to_timestamp(state.start_time_ns),
        execution_time=ns_to_timestamp(state.execution_time_ns),
        status=state.status,  # type: ignore[arg-type]
        history_length=state.next_event_id - 1,
        history_size_bytes=state.history_size_bytes,
        task_queue=state.task_queue,
        auto_reset_points=reset_points(state, retention_ns),
        state_transition_count=state.state_transition_count,
        most_recent_worker_version_stamp=state.worker_version,
        first_run_id=state.started.first_execution_run_id,
    )
    info.execution.workflow_id, info.execution.run_id = state.workflow_id, state.run_id
    info.root_execution.CopyFrom(state.root_execution)
    if state.started.HasField("parent_workflow_execution"):
        info.parent_namespace_id = state.started.parent_workflow_namespace_id
        info.parent_execution.CopyFrom(state.started.parent_workflow_execution)
    info.type.name = state.workflow_type
    info.memo.SetInParent()
    for key, payload in state.memo.items():
        info.memo.fields[key].CopyFrom(payload)
    info.search_attributes.SetInParent()
    for key, payload in state.search_attributes.items():
        info.search_attributes.indexed_fields[key].CopyFrom(payload)
    if state.priority is not None:
        info.priority.CopyFrom(state.priority)
    if not state.running:
        info.close_time.CopyFrom(ns_to_timestamp(state.close_time_ns))
        info.execution_duration.CopyFrom(ns_to_duration(max(0, state.close_time_ns - state.execution_time_ns)))
    return info


def _extended_info(service: Service, state: RunState) -> WorkflowExecutionExtendedInfo:
    info = WorkflowExecutionExtendedInfo(
        original_start_time=ns_to_timestamp(state.original_start_time_ns),
        cancel_requested=state.cancel_requested,
        reset_run_id=state.reset_run_id,
    )
    if state.made_by_reset:
        info.last_reset_time.CopyFrom(ns_to_timestamp(state.start_time_ns))
    if state.execution_expiration_time_ns:
        info.execution_expiration_time.CopyFrom(ns_to_timestamp(state.execution_expiration_time_ns))
    run_expiration_time = ns_to_timestamp(state.run_expiration_time_ns) if state.run_expiration_time_ns else _NEVER
    info.run_expiration_time.CopyFrom(run_expiration_time)
    for request_id, event_id in state.request_ids.items():
        if event_id == SIGNAL_REQUEST and request_id == state.start_request_id:
            # What the reference server says of a signal-with-start: its start, with the id of its signal.
            info.request_id_infos[request_id].event_type = EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
            info.request_id_infos[request_id].event_id = 2
            continue
        event_type = _request_event_type(service, state, event_id)
        if event_type:
            info.request_id_infos[request_id].event_type = event_type
            info.request_id_infos[request_id].event_id = event_id
    return info


def _request_event_type(service: Service, state: RunState, event_id: int) -> EventType.ValueType | None:
    """Return the type of the event that a request has made; None for what the description does not name."""
    if event_id == 1:
        return EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
    if event_id == SIGNAL_REQUEST:
        return None
    for blob in service.engine.load_history(state, event_id, event_id + 1):
        event_type = HistoryEvent.FromString(blob).event_type
        if event_type in _NAMED_BY_REQUESTS:
            return event_type
    return None


def _pending_child(child: ChildInfo) -> PendingChildExecutionInfo:
    return PendingChildExecutionInfo(
        workflow_id=child.workflow_id,
        run_id=child.started_run_id,
        workflow_type_name=child.workflow_type,
        initiated_id=child.initiated_event_id,
        parent_close_policy=child.parent_close_policy,  # type: ignore[arg-type]
    )


def _pending_workflow_task(task: WorkflowTask) -> PendingWorkflowTaskInfo:
    info = PendingWorkflowTaskInfo(
        state=PENDING_WORKFLOW_TASK_STATE_STARTED if task.started else PENDING_WORKFLOW_TASK_STATE_SCHEDULED,
        scheduled_time=ns_to_timestamp(task.scheduled_time_ns),
        original_scheduled_time=ns_to_timestamp(task.original_scheduled_time_ns),
        attempt=task.attempt,
    )
    if task.started:
        info.started_time.CopyFrom(ns_to_timestamp(task.started_time_ns))
    return info
