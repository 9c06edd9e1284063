"""The list filter: what is understood, and how the rest is refused."""

from __future__ import annotations

import pytest
from temporalio.api.enums.v1 import IndexedValueType, WorkflowExecutionStatus

from engine.core.errors import InvalidArgument
from engine.core.visibility.list_filter import ListFilter, parse_list_filter

REGISTERED = {"OrderState": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD}
RUNNING = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
TIMED_OUT = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT
CONTINUED = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW
ONLY = (
    "invalid query: operation is not supported: only WorkflowId, WorkflowType, TaskQueue and ExecutionStatus,"
    " compared by = and joined by AND can be asked for"
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ListFilter()),
        (" \n", ListFilter()),
        ("WorkflowId='a'", ListFilter(workflow_id="a")),
        ('WorkflowId = "a"', ListFilter(workflow_id="a")),
        ("`WorkflowId`='a'", ListFilter(workflow_id="a")),
        ("WorkflowId=''", ListFilter(workflow_id="")),
        ("WorkflowId='it''s'", ListFilter(workflow_id="it's")),
        ('WorkflowId="a ""b"""', ListFilter(workflow_id='a "b"')),
        (r"WorkflowId='it\'s \\ \n'", ListFilter(workflow_id="it's \\ \n")),
        ("WorkflowId='a AND b = c'", ListFilter(workflow_id="a AND b = c")),
        ("WorkflowType='order'", ListFilter(workflow_type="order")),
        ("TaskQueue='q' AND WorkflowType='order'", ListFilter(workflow_type="order", task_queue="q")),
        ("ExecutionStatus='Running'", ListFilter(status=RUNNING)),
        ('ExecutionStatus="TimedOut"', ListFilter(status=TIMED_OUT)),
        ("ExecutionStatus='ContinuedAsNew'", ListFilter(status=CONTINUED)),
        ("ExecutionStatus='WORKFLOW_EXECUTION_STATUS_RUNNING'", ListFilter(status=RUNNING)),
        ("ExecutionStatus = 1", ListFilter(status=RUNNING)),
        (
            "WorkflowType='order' AND ExecutionStatus='Running' and WorkflowId='a' ",
            ListFilter(workflow_id="a", workflow_type="order", status=RUNNING),
        ),
        ("WorkflowId='a' AND WorkflowId='a'", ListFilter(workflow_id="a")),
        ("WorkflowId='a' AND WorkflowId='b'", ListFilter(workflow_id="a", matches_nothing=True)),
        ("ExecutionStatus='Running' AND ExecutionStatus=1", ListFilter(status=RUNNING)),
    ],
)
def test_understood(query: str, expected: ListFilter) -> None:
    assert parse_list_filter(query, REGISTERED) == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("Foo='a'", "invalid query: invalid search attribute: Foo"),
        ("workflowid='a'", "invalid query: invalid search attribute: workflowid"),
        ("WorkflowId", "invalid query: invalid expression: incomplete expression"),
        (
            "WorkflowId=a",
            "invalid query: operation is not supported: column name on the right side of comparison expression"
            ' (did you forget to quote "a"?)',
        ),
        (
            "WorkflowType=5",
            "invalid query: invalid expression: invalid value type for search attribute WorkflowType of type Keyword:"
            " 5 (type: int64)",
        ),
        ("ExecutionStatus='running'", "invalid query: invalid expression: invalid ExecutionStatus value 'running'"),
        ("ExecutionStatus='Cancelled'", "invalid query: invalid expression: invalid ExecutionStatus value 'Cancelled'"),
        ("ExecutionStatus=99", "invalid query: invalid expression: invalid ExecutionStatus value '99'"),
        ("WorkflowId=", ONLY),
        ("WorkflowId='a", ONLY),
        ('WorkflowId=="a"', ONLY),
        ("WorkflowId!='a'", ONLY),
        ("WorkflowId='a' OR WorkflowId='b'", ONLY),
        ("WorkflowId='a' AND", ONLY),
        ("AND", "invalid query: invalid search attribute: AND"),
        ("='a'", ONLY),
        ("(WorkflowId='a')", ONLY),
        ("WorkflowId STARTS_WITH 'a'", ONLY),
        ("StartTime > '2024-01-01T00:00:00Z'", ONLY),
        ("OrderState = 'paid'", ONLY),
        ("WorkflowId='a'; DROP TABLE runs", ONLY),
    ],
)
def test_refused(query: str, message: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        parse_list_filter(query, REGISTERED)
    assert raised.value.message == message
