"""Every RPC of the served services: its handler, or UNIMPLEMENTED with its name.

The protocol's own descriptors say which RPCs there are; `SERVED` says which of them work.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NoReturn

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from temporalio.api.operatorservice.v1 import service_pb2 as operator_service_pb2
from temporalio.api.workflowservice.v1 import service_pb2 as workflow_service_pb2

from engine.core.errors import Unimplemented
from engine.service.operator_service import cluster, search_attributes
from engine.service.operator_service import namespaces as operator_namespaces
from engine.service.service import Call, Service
from engine.service.transport.routes import Route
from engine.service.workflow_service import (
    activity_tasks,
    describe,
    executions,
    history,
    multi_operation,
    namespaces,
    nexus,
    query,
    start,
    system,
    task_queues,
    time_skipping,
    update,
    visibility,
    workers,
    workflow_tasks,
)

__all__ = ["OPERATOR_SERVICE", "SERVED", "WORKFLOW_SERVICE", "Handler", "build_routes"]

Handler = Callable[[Service, Any, Call], Awaitable[Message | bytes]]
"""An RPC: the reply is a message, or one already serialized."""

WORKFLOW_SERVICE: ServiceDescriptor = workflow_service_pb2.DESCRIPTOR.services_by_name["WorkflowService"]
OPERATOR_SERVICE: ServiceDescriptor = operator_service_pb2.DESCRIPTOR.services_by_name["OperatorService"]

SERVED: Mapping[str, Mapping[str, Handler]] = {
    WORKFLOW_SERVICE.full_name: {
        "GetSystemInfo": system.get_system_info,
        "GetClusterInfo": system.get_cluster_info,
        "RegisterNamespace": namespaces.register_namespace,
        "DescribeNamespace": namespaces.describe_namespace,
        "ListNamespaces": namespaces.list_namespaces,
        "UpdateNamespace": namespaces.update_namespace,
        "DeprecateNamespace": namespaces.deprecate_namespace,
        "StartWorkflowExecution": start.start_workflow_execution,
        "SignalWithStartWorkflowExecution": start.signal_with_start_workflow_execution,
        "ExecuteMultiOperation": multi_operation.execute_multi_operation,
        "SignalWorkflowExecution": executions.signal_workflow_execution,
        "RequestCancelWorkflowExecution": executions.request_cancel_workflow_execution,
        "TerminateWorkflowExecution": executions.terminate_workflow_execution,
        "ResetWorkflowExecution": executions.reset_workflow_execution,
        "UpdateWorkflowExecutionOptions": executions.update_workflow_execution_options,
        "PollWorkflowExecutionTimeSkipping": time_skipping.poll_workflow_execution_time_skipping,
        "ResetStickyTaskQueue": executions.reset_sticky_task_queue,
        "UpdateWorkflowExecution": update.update_workflow_execution,
        "PollWorkflowExecutionUpdate": update.poll_workflow_execution_update,
        "DescribeWorkflowExecution": describe.describe_workflow_execution,
        "GetWorkflowExecutionHistory": history.get_workflow_execution_history,
        "GetWorkflowExecutionHistoryReverse": history.get_workflow_execution_history_reverse,
        "PollWorkflowTaskQueue": workflow_tasks.poll_workflow_task_queue,
        "RespondWorkflowTaskCompleted": workflow_tasks.respond_workflow_task_completed,
        "RespondWorkflowTaskFailed": workflow_tasks.respond_workflow_task_failed,
        "RespondQueryTaskCompleted": workflow_tasks.respond_query_task_completed,
        "PollActivityTaskQueue": activity_tasks.poll_activity_task_queue,
        "RespondActivityTaskCompleted": activity_tasks.respond_activity_task_completed,
        "RespondActivityTaskCompletedById": activity_tasks.respond_activity_task_completed_by_id,
        "RespondActivityTaskFailed": activity_tasks.respond_activity_task_failed,
        "RespondActivityTaskFailedById": activity_tasks.respond_activity_task_failed_by_id,
        "RespondActivityTaskCanceled": activity_tasks.respond_activity_task_canceled,
        "RespondActivityTaskCanceledById": activity_tasks.respond_activity_task_canceled_by_id,
        "RecordActivityTaskHeartbeat": activity_tasks.record_activity_task_heartbeat,
        "RecordActivityTaskHeartbeatById": activity_tasks.record_activity_task_heartbeat_by_id,
        "PollNexusTaskQueue": nexus.poll_nexus_task_queue,
        "QueryWorkflow": query.query_workflow,
        "ListWorkflowExecutions": visibility.list_workflow_executions,
        "ScanWorkflowExecutions": visibility.scan_workflow_executions,
        "ListOpenWorkflowExecutions": visibility.list_open_workflow_executions,
        "ListClosedWorkflowExecutions": visibility.list_closed_workflow_executions,
        "ListArchivedWorkflowExecutions": visibility.list_archived_workflow_executions,
        "CountWorkflowExecutions": visibility.count_workflow_executions,
        "GetSearchAttributes": visibility.get_search_attributes,
        "DescribeTaskQueue": task_queues.describe_task_queue,
        "RecordWorkerHeartbeat": workers.record_worker_heartbeat,
        "ShutdownWorker": workers.shutdown_worker,
        "ListWorkers": workers.list_workers,
        "DescribeWorker": workers.describe_worker,
    },
    OPERATOR_SERVICE.full_name: {
        "AddSearchAttributes": search_attributes.add_search_attributes,
        "RemoveSearchAttributes": search_attributes.remove_search_attributes,
        "ListSearchAttributes": search_attributes.list_search_attributes,
        "DeleteNamespace": operator_namespaces.delete_namespace,
        "ListClusters": cluster.list_clusters,
    },
}


def build_routes(service: Service) -> list[Route]:
    """Build the routes of every RPC of every service."""
    return [
        _route(service, descriptor, method)
        for descriptor in (WORKFLOW_SERVICE, OPERATOR_SERVICE)
        for method in descriptor.methods
    ]


def _route(service: Service, owner: ServiceDescriptor, method: MethodDescriptor) -> Route:
    handler = SERVED[owner.full_name].get(method.name)
    parse: Callable[[bytes], Any]
    if handler is None:
        handler, parse = _unimplemented(method.name), _unparsed
    else:
        parse = GetMessageClass(method.input_type).FromString
    return Route(f"/{owner.full_name}/{method.name}", parse, unary=partial(handler, service))


def _unimplemented(name: str) -> Handler:
    async def refuse(service: Service, request: bytes, call: Call) -> NoReturn:
        raise Unimplemented(f"{name} is not implemented by this server")

    return refuse


def _unparsed(request: bytes) -> bytes:
    return request
