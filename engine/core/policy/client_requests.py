"""What clients may ask about workflows that are there: signal, cancel, terminate, reset, query, read, list.

Each function checks one request in the reference server's order and sets its defaults in place. Namespaces are
looked up before, runs after.
"""

from __future__ import annotations

from temporalio.api.enums.v1.query_pb2 import QueryRejectCondition
from temporalio.api.enums.v1.reset_pb2 import ResetReapplyType
from temporalio.api.enums.v1.workflow_pb2 import HistoryEventFilterType
from temporalio.api.workflowservice.v1.request_response_pb2 import (
    DescribeTaskQueueRequest,
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    ListClosedWorkflowExecutionsRequest,
    ListOpenWorkflowExecutionsRequest,
    ListWorkflowExecutionsRequest,
    QueryWorkflowRequest,
    RequestCancelWorkflowExecutionRequest,
    ResetStickyTaskQueueRequest,
    ResetWorkflowExecutionRequest,
    ScanWorkflowExecutionsRequest,
    SignalWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)

from engine.core.errors import Internal, InvalidArgument
from engine.core.policy.fields import (
    exceeds,
    validate_blob_size,
    validate_execution,
    validate_links,
    validate_request_id,
)
from engine.core.policy.limits import MAX_HISTORY_PAGE_SIZE, Limits
from engine.core.policy.task_queues import normalize_task_queue
from engine.core.policy.workflow_options import validate_options_time_skipping

_WithExecution = (
    DescribeWorkflowExecutionRequest
    | GetWorkflowExecutionHistoryRequest
    | GetWorkflowExecutionHistoryReverseRequest
    | QueryWorkflowRequest
    | ResetStickyTaskQueueRequest
)
_WithWorkflowExecution = (
    RequestCancelWorkflowExecutionRequest
    | ResetWorkflowExecutionRequest
    | SignalWorkflowExecutionRequest
    | TerminateWorkflowExecutionRequest
)


def validate_signal_workflow_execution(request: SignalWorkflowExecutionRequest, limits: Limits) -> None:
    """Check a signal."""
    _validate_workflow_execution(request)
    if not request.signal_name:
        raise InvalidArgument("SignalName is not set on request.")
    if exceeds(request.signal_name, limits):
        raise InvalidArgument("SignalName length exceeds limit.")
    validate_request_id(request.request_id, limits)
    validate_links(request.links, limits)
    validate_blob_size(request.input, limits)


def validate_request_cancel_workflow_execution(request: RequestCancelWorkflowExecutionRequest, limits: Limits) -> None:
    """Check a request to cancel."""
    _validate_workflow_execution(request)
    validate_links(request.links, limits)


def validate_terminate_workflow_execution(request: TerminateWorkflowExecutionRequest, limits: Limits) -> None:
    """Check a termination; say in its event that a user did it where the user says nothing."""
    _validate_workflow_execution(request)
    validate_links(request.links, limits)
    request.reason = request.reason or "terminated by user via frontend"
    request.identity = request.identity or "frontend-service"


def validate_reset_workflow_execution(request: ResetWorkflowExecutionRequest, limits: Limits) -> None:
    """Check a reset, as far as it goes without the run; by default everything is applied again that can be."""
    if not request.request_id:
        raise InvalidArgument("RequestId is not set on request.")
    validate_request_id(request.request_id, limits)
    _validate_workflow_execution(request)
    if request.reset_reapply_type == ResetReapplyType.RESET_REAPPLY_TYPE_UNSPECIFIED:
        request.reset_reapply_type = ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE
    if request.reset_reapply_type not in ResetReapplyType.values():
        raise Internal(f"unknown reset reapply type: {request.reset_reapply_type}")
    for operation in request.post_reset_operations:
        if operation.WhichOneof("variant") == "update_workflow_options":
            validate_options_time_skipping(operation.update_workflow_options.workflow_execution_options, limits)


def validate_query_workflow(request: QueryWorkflowRequest, limits: Limits) -> None:
    """Check a query; without a reject condition it is never rejected."""
    validate_has_execution(request)
    if not request.HasField("query"):
        raise InvalidArgument("WorkflowQuery is not set on request.")
    if not request.query.query_type:
        raise InvalidArgument("QueryType is not set on request.")
    if request.query_reject_condition == QueryRejectCondition.QUERY_REJECT_CONDITION_UNSPECIFIED:
        request.query_reject_condition = QueryRejectCondition.QUERY_REJECT_CONDITION_NONE
    validate_blob_size(request.query.query_args, limits)


def validate_get_workflow_execution_history(request: GetWorkflowExecutionHistoryRequest, limits: Limits) -> None:
    """Check a read of a history; set its page size and its filter (all events)."""
    validate_has_execution(request)
    request.maximum_page_size = _history_page_size(request.maximum_page_size, limits)
    if request.history_event_filter_type == HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_UNSPECIFIED:
        request.history_event_filter_type = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT


def validate_get_workflow_execution_history_reverse(
    request: GetWorkflowExecutionHistoryReverseRequest, limits: Limits
) -> None:
    """Check a read of a history from its end; set its page size."""
    validate_has_execution(request)
    request.maximum_page_size = _history_page_size(request.maximum_page_size, limits)


def validate_list_workflow_executions(
    request: ListWorkflowExecutionsRequest | ScanWorkflowExecutionsRequest, limits: Limits
) -> None:
    """Set a list's page size."""
    if not 0 < request.page_size <= limits.visibility_page_size:
        request.page_size = limits.visibility_page_size


def validate_list_open_or_closed(
    request: ListOpenWorkflowExecutionsRequest | ListClosedWorkflowExecutionsRequest, limits: Limits
) -> None:
    """Set the page size of a list of open or of closed runs."""
    if not 0 < request.maximum_page_size <= limits.visibility_page_size:
        request.maximum_page_size = limits.visibility_page_size


def validate_describe_task_queue(request: DescribeTaskQueueRequest, limits: Limits) -> None:
    """Check the task queue to describe; a partition may be named too."""
    normalize_task_queue(request.task_queue if request.HasField("task_queue") else None, limits, allow_partition=True)


def validate_has_execution(request: _WithExecution) -> None:
    """Check which run a request is for: all there is to check in DescribeWorkflowExecution and ResetStickyTaskQueue."""
    validate_execution(request.execution if request.HasField("execution") else None)


def _validate_workflow_execution(request: _WithWorkflowExecution) -> None:
    validate_execution(request.workflow_execution if request.HasField("workflow_execution") else None)


def _history_page_size(asked: int, limits: Limits) -> int:
    return min(asked if asked > 0 else limits.history_page_size, MAX_HISTORY_PAGE_SIZE)
