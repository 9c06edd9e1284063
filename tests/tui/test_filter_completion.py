"""What is suggested while a list filter is typed."""

from __future__ import annotations

import pytest

from durable_cli.tui.filter_completion import complete


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("Work", "WorkflowId "),
        ("workflowt", "WorkflowType "),
        ("Cust", "CustomerId "),
        ("ExecutionStatus = 'R", "ExecutionStatus = 'Running'"),
        ('ExecutionStatus = "c', 'ExecutionStatus = "Completed"'),
        ("ExecutionStatus IN ('Running', 'Fa", "ExecutionStatus IN ('Running', 'Failed'"),
        ("WorkflowType = 'Or", "WorkflowType = 'OrderWorkflow'"),
        ("ExecutionStatus = 'Running' a", "ExecutionStatus = 'Running' AND "),
        ("ExecutionStatus = 'Running' AND Sta", "ExecutionStatus = 'Running' AND StartTime "),
        ("HistoryLength > 5 o", "HistoryLength > 5 OR "),
        ("CustomerId = 'x", None),
        ("", None),
        ("Nonsense", None),
        ("WorkflowType = 'OrderWorkflow'", None),
    ],
)
def test_completion(typed: str, completed: str | None) -> None:
    assert complete(typed, {"CustomerId": "Keyword"}, {"WorkflowType": ["OrderWorkflow"]}) == completed
