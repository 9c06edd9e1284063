"""DescribeTaskQueue: who polls, and what waits."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1.task_queue_pb2 import (
    DESCRIBE_TASK_QUEUE_MODE_ENHANCED,
    TASK_QUEUE_KIND_STICKY,
    TASK_QUEUE_TYPE_ACTIVITY,
    TASK_QUEUE_TYPE_WORKFLOW,
    TaskQueueType,
)
from temporalio.api.taskqueue.v1 import (
    PollerInfo,
    TaskQueueStats,
    TaskQueueStatus,
    TaskQueueTypeInfo,
    TaskQueueVersionInfo,
)
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
)

from engine.core.errors import InvalidArgument
from engine.core.matching.task_queue import PollerRecord, TaskQueueKey
from engine.core.namespace import Namespace
from engine.core.policy.client_requests import validate_describe_task_queue
from engine.core.policy.durations import ns_to_timestamp
from engine.service.service import Call, Service, get_namespace

__all__ = ["describe_task_queue"]


async def describe_task_queue(
    service: Service, request: DescribeTaskQueueRequest, call: Call
) -> DescribeTaskQueueResponse:
    """Say who polls a task queue, and what waits in it."""
    namespace = get_namespace(service, request.namespace)
    validate_describe_task_queue(request, service.engine.limits)
    if request.api_mode == DESCRIBE_TASK_QUEUE_MODE_ENHANCED:
        return _describe_types(service, namespace, request)
    key = _key(namespace, request.task_queue.name, request.task_queue_type)
    response = DescribeTaskQueueResponse(pollers=_pollers(service, key))
    if request.report_stats:
        response.stats.CopyFrom(_stats(service, key))
    if request.include_task_queue_status:
        response.task_queue_status.CopyFrom(TaskQueueStatus(backlog_count_hint=service.engine.task_queues.backlog(key)))
    return response


def _describe_types(
    service: Service, namespace: Namespace, request: DescribeTaskQueueRequest
) -> DescribeTaskQueueResponse:
    """Answer the enhanced mode: both types of one queue; all workers here are unversioned."""
    if request.task_queue.kind == TASK_QUEUE_KIND_STICKY:
        raise InvalidArgument(
            "Enhanced DescribeTaskQueue is not valid for a sticky queue, use api_mode=UNSPECIFIED or a normal queue."
        )
    version = TaskQueueVersionInfo()
    for task_type in request.task_queue_types or (TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY):
        key = _key(namespace, request.task_queue.name, task_type)
        info = TaskQueueTypeInfo()
        if request.report_pollers:
            info.pollers.extend(_pollers(service, key))
        if request.report_stats:
            info.stats.CopyFrom(_stats(service, key))
        version.types_info[task_type].CopyFrom(info)
    return DescribeTaskQueueResponse(versions_info={"": version})


def _key(namespace: Namespace, name: str, task_type: TaskQueueType.ValueType) -> TaskQueueKey:
    return namespace.namespace_id, name, task_type == TASK_QUEUE_TYPE_ACTIVITY


def _pollers(service: Service, key: TaskQueueKey) -> list[PollerInfo]:
    records = service.engine.task_queues.records(key, service.engine.clock.system_ns())
    return [_poller(record) for record in records]


def _poller(record: PollerRecord) -> PollerInfo:
    info = PollerInfo(
        identity=record.identity,
        last_access_time=ns_to_timestamp(record.last_access_time_ns),
        rate_per_second=record.rate_per_second,
    )
    request = record.request
    if isinstance(request, PollWorkflowTaskQueueRequest | PollActivityTaskQueueRequest):
        if request.HasField("worker_version_capabilities"):
            info.worker_version_capabilities.CopyFrom(request.worker_version_capabilities)
        if request.HasField("deployment_options"):
            info.deployment_options.CopyFrom(request.deployment_options)
    return info


def _stats(service: Service, key: TaskQueueKey) -> TaskQueueStats:
    return TaskQueueStats(
        approximate_backlog_count=service.engine.task_queues.backlog(key), approximate_backlog_age=Duration()
    )
