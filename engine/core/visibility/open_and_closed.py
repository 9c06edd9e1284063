"""The filters of ListOpenWorkflowExecutions and ListClosedWorkflowExecutions, as list filters."""

from __future__ import annotations

from temporalio.api.enums.v1.workflow_pb2 import WorkflowExecutionStatus
from temporalio.api.filter.v1.message_pb2 import StartTimeFilter
from temporalio.api.workflowservice.v1.request_response_pb2 import (
    ListClosedWorkflowExecutionsRequest,
    ListOpenWorkflowExecutionsRequest,
)

from engine.core.errors import InvalidArgument
from engine.core.policy.durations import timestamp_to_ns
from engine.core.visibility.list_filter import (
    AllOf,
    Comparison,
    Condition,
    ListFilter,
    Range,
    parse_list_filter,
    system,
)

__all__ = ["filter_of_closed", "filter_of_open"]

_NEITHER_OPEN_NOR_CLOSED = (
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
)
_RUNNING = int(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING)
_Request = ListOpenWorkflowExecutionsRequest | ListClosedWorkflowExecutionsRequest


def filter_of_open(request: ListOpenWorkflowExecutionsRequest) -> ListFilter:
    """Return which open runs are asked for: by start time, and by workflow id or type.

    Raises:
        InvalidArgument: the times are the wrong way round.
    """
    running = Comparison(system("ExecutionStatus"), "=", _RUNNING)
    return _all_of(running, *_times("StartTime", request.start_time_filter), *_names(request))


def filter_of_closed(request: ListClosedWorkflowExecutionsRequest) -> ListFilter:
    """Return which closed runs are asked for: by close time, and by workflow id, type or status.

    Raises:
        InvalidArgument: the times are the wrong way round, or the status is none of a closed run.
    """
    conditions: list[Condition] = [
        Comparison(system("ExecutionStatus"), "!=", _RUNNING),
        *_times("CloseTime", request.start_time_filter),
        *_names(request),
    ]
    if request.HasField("status_filter"):
        status = request.status_filter.status
        if status in _NEITHER_OPEN_NOR_CLOSED:
            raise InvalidArgument("StatusFilter must be specified and must be not Running.")
        conditions.append(Comparison(system("ExecutionStatus"), "=", int(status)))
    return _all_of(*conditions)


def _all_of(*conditions: Condition) -> ListFilter:
    everything = parse_list_filter("", {})
    return ListFilter(AllOf((everything.condition, *conditions)))


def _times(name: str, times: StartTimeFilter) -> list[Condition]:
    earliest = timestamp_to_ns(times.earliest_time) if times.HasField("earliest_time") else None
    latest = timestamp_to_ns(times.latest_time) if times.HasField("latest_time") else None
    if earliest is not None and latest is not None:
        if earliest > latest:
            raise InvalidArgument("EarliestTime in StartTimeFilter should not be larger than LatestTime.")
        return [Range(system(name), earliest, latest, negated=False)]
    if earliest is not None:
        return [Comparison(system(name), ">=", earliest)]
    if latest is not None:
        return [Comparison(system(name), "<=", latest)]
    return []


def _names(request: _Request) -> list[Condition]:
    if request.HasField("execution_filter"):
        return [Comparison(system("WorkflowId"), "=", request.execution_filter.workflow_id)]
    if request.HasField("type_filter"):
        return [Comparison(system("WorkflowType"), "=", request.type_filter.name)]
    return []
