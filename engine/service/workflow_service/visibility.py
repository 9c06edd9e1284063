"""Lists and counts of workflows, and the search attributes that they can ask for."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1.workflow_pb2 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    CountWorkflowExecutionsResponse,
    GetSearchAttributesRequest,
    GetSearchAttributesResponse,
    ListArchivedWorkflowExecutionsRequest,
    ListArchivedWorkflowExecutionsResponse,
    ListClosedWorkflowExecutionsRequest,
    ListClosedWorkflowExecutionsResponse,
    ListOpenWorkflowExecutionsRequest,
    ListOpenWorkflowExecutionsResponse,
    ListWorkflowExecutionsRequest,
    ListWorkflowExecutionsResponse,
    ScanWorkflowExecutionsRequest,
    ScanWorkflowExecutionsResponse,
)

from engine.core.errors import InvalidArgument, enum_shorthand
from engine.core.namespace import Namespace
from engine.core.policy.client_requests import validate_list_open_or_closed, validate_list_workflow_executions
from engine.core.visibility.list_filter import ListFilter, parse_list_filter
from engine.core.visibility.open_and_closed import filter_of_closed, filter_of_open
from engine.runtime.reads import PageMark
from engine.service.operator_service.search_attributes import server_attributes
from engine.service.service import Call, Service, get_namespace

__all__ = [
    "count_workflow_executions",
    "get_search_attributes",
    "list_archived_workflow_executions",
    "list_closed_workflow_executions",
    "list_open_workflow_executions",
    "list_workflow_executions",
    "scan_workflow_executions",
]

_ARCHIVE_PAGE_SIZE = 10_000
OpenOrClosed = TypeVar("OpenOrClosed", ListOpenWorkflowExecutionsRequest, ListClosedWorkflowExecutionsRequest)
_PAGE_MARK = struct.Struct(">qqq")


async def list_workflow_executions(
    service: Service, request: ListWorkflowExecutionsRequest, call: Call
) -> ListWorkflowExecutionsResponse:
    """List workflows: open ones first, then by close time, the newest first."""
    validate_list_workflow_executions(request, service.engine.limits)
    executions, token = _list_by_query(service, request)
    return ListWorkflowExecutionsResponse(executions=executions, next_page_token=token)


async def scan_workflow_executions(
    service: Service, request: ScanWorkflowExecutionsRequest, call: Call
) -> ScanWorkflowExecutionsResponse:
    """List workflows, for callers that don't mind the order."""
    validate_list_workflow_executions(request, service.engine.limits)
    executions, token = _list_by_query(service, request)
    return ScanWorkflowExecutionsResponse(executions=executions, next_page_token=token)


async def list_open_workflow_executions(
    service: Service, request: ListOpenWorkflowExecutionsRequest, call: Call
) -> ListOpenWorkflowExecutionsResponse:
    """List open workflows, the newest first."""
    executions, token = _list_open_or_closed(service, request, filter_of_open)
    return ListOpenWorkflowExecutionsResponse(executions=executions, next_page_token=token)


async def list_closed_workflow_executions(
    service: Service, request: ListClosedWorkflowExecutionsRequest, call: Call
) -> ListClosedWorkflowExecutionsResponse:
    """List closed workflows, those that closed last first."""
    executions, token = _list_open_or_closed(service, request, filter_of_closed)
    return ListClosedWorkflowExecutionsResponse(executions=executions, next_page_token=token)


async def list_archived_workflow_executions(
    service: Service, request: ListArchivedWorkflowExecutionsRequest, call: Call
) -> ListArchivedWorkflowExecutionsResponse:
    """Refuse: there is no archive."""
    get_namespace(service, request.namespace)
    if request.page_size > _ARCHIVE_PAGE_SIZE:
        raise InvalidArgument(f"PageSize is larger than allowed {_ARCHIVE_PAGE_SIZE}.")
    raise InvalidArgument("Cluster is not configured for visibility archival.")


async def count_workflow_executions(
    service: Service, request: CountWorkflowExecutionsRequest, call: Call
) -> CountWorkflowExecutionsResponse:
    """Count workflows, all together or by the groups that the query asks for."""
    namespace = get_namespace(service, request.namespace)
    list_filter = parse_list_filter(request.query, namespace.custom_search_attributes)
    if list_filter.group_by is None:
        return CountWorkflowExecutionsResponse(count=service.reads.count_runs(namespace, list_filter))
    response = CountWorkflowExecutionsResponse()
    for value, count in service.reads.count_groups(namespace, list_filter, list_filter.group_by):
        response.groups.add(group_values=[_group_value(value)], count=count)
        response.count += count
    return response


async def get_search_attributes(
    service: Service, request: GetSearchAttributesRequest, call: Call
) -> GetSearchAttributesResponse:
    """Return the search attributes that every namespace has."""
    return GetSearchAttributesResponse(keys=server_attributes())


def _list_by_query(
    service: Service, request: ListWorkflowExecutionsRequest | ScanWorkflowExecutionsRequest
) -> tuple[list[WorkflowExecutionInfo], bytes]:
    namespace = get_namespace(service, request.namespace)
    list_filter = parse_list_filter(request.query, namespace.custom_search_attributes)
    return _list(service, namespace, list_filter, request.page_size, request.next_page_token)


def _list_open_or_closed(
    service: Service, request: OpenOrClosed, make_filter: Callable[[OpenOrClosed], ListFilter]
) -> tuple[list[WorkflowExecutionInfo], bytes]:
    validate_list_open_or_closed(request, service.engine.limits)
    namespace = get_namespace(service, request.namespace)
    return _list(service, namespace, make_filter(request), request.maximum_page_size, request.next_page_token)


def _list(
    service: Service, namespace: Namespace, list_filter: ListFilter, page_size: int, token: bytes
) -> tuple[list[WorkflowExecutionInfo], bytes]:
    """Return a page of runs, and the token of the next one."""
    rows = service.reads.load_runs(namespace, list_filter, page_size + 1, _decode_mark(token))
    page = rows[:page_size]
    return [info for _, info in page], _PAGE_MARK.pack(*page[-1][0]) if len(rows) > page_size else b""


def _group_value(value: str | int | None) -> Payload:
    """Return a group's value as a search attribute: the name of a status, or a keyword."""
    keyword = enum_shorthand(WorkflowExecutionStatus.DESCRIPTOR, value) if isinstance(value, int) else value or ""
    return Payload(
        metadata={"encoding": b"json/plain", "type": b"Keyword"}, data=json.dumps(keyword, ensure_ascii=False).encode()
    )


def _decode_mark(token: bytes) -> PageMark | None:
    if not token:
        return None
    try:
        close_time_ns, start_time_ns, run_key = _PAGE_MARK.unpack(token)
    except struct.error:
        raise InvalidArgument("Invalid NextPageToken.") from None
    return close_time_ns, start_time_ns, run_key
