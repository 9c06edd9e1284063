"""What is suggested while a list filter is typed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from durable_cli.tui.filter.completion import (
    ATTRIBUTES,
    OPERATORS,
    STATUSES,
    complete,
    find_choices,
    merge_attributes,
)
from durable_cli.tui.filter.reading import Expected, read_filter

NOW = datetime(2026, 11, 26, 4, 30, 0, tzinfo=UTC)
TOLD = {
    **dict.fromkeys(ATTRIBUTES, "Keyword"),
    "CustomerId": "Keyword",
    "Amount": "Int",
    "Note": "Text",
    "Vip": "Bool",
    "Due": "Datetime",
    "Tags": "KeywordList",
}
SEEN = {"WorkflowType": ["OrderWorkflow", "It's"], "WorkflowId": ["order-1"]}


def choices(typed: str) -> list[str]:
    return [choice.text for choice in find_choices(typed, merge_attributes(TOLD), SEEN, NOW)]


def completed(typed: str) -> str | None:
    found = find_choices(typed, merge_attributes(TOLD), SEEN, NOW)
    return complete(typed, found[0]) if found else None


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Work", "WorkflowId "),
        ("workflowt", "WorkflowType "),
        ("workflowtype", "WorkflowType "),
        ("Cust", "CustomerId "),
        ("WorkflowType", "WorkflowType = "),
        ("WorkflowType ", "WorkflowType = "),
        ("WorkflowType S", "WorkflowType STARTS_WITH "),
        ("WorkflowType not i", "WorkflowType not IN ("),
        ("WorkflowType not ", "WorkflowType not STARTS_WITH "),
        ("WorkflowType I", "WorkflowType IN ("),
        ("WorkflowType IS", "WorkflowType IS NULL "),
        ("WorkflowType IS n", "WorkflowType IS NULL "),
        ("WorkflowType IS NOT ", "WorkflowType IS NOT NULL "),
        ("WorkflowType IN", "WorkflowType IN ("),
        ("WorkflowType =", "WorkflowType = 'OrderWorkflow'"),
        ("WorkflowType = 'Or", "WorkflowType = 'OrderWorkflow'"),
        ('WorkflowType = "i', 'WorkflowType = "It\'s"'),
        ("WorkflowType = 'i", "WorkflowType = 'It''s'"),
        ("`WorkflowType` = 'Or", "`WorkflowType` = 'OrderWorkflow'"),
        ("WorkflowId STARTS_WITH 'o", "WorkflowId STARTS_WITH 'order-1'"),
        ("ExecutionStatus = 'R", "ExecutionStatus = 'Running'"),
        ('ExecutionStatus = "c', 'ExecutionStatus = "Completed"'),
        ("ExecutionStatus IN ('Running', 'Fa", "ExecutionStatus IN ('Running', 'Failed'"),
        ("ExecutionStatus IN (", "ExecutionStatus IN ('Running'"),
        ("ExecutionStatus IN ('Running'", "ExecutionStatus IN ('Running', "),
        ("ExecutionStatus IN ('Running',", "ExecutionStatus IN ('Running', 'Running'"),
        ("ExecutionStatus IN ('Running') ", "ExecutionStatus IN ('Running') AND "),
        ("ExecutionStatus = 'Running' a", "ExecutionStatus = 'Running' AND "),
        ("ExecutionStatus = 'Running' AND Sta", "ExecutionStatus = 'Running' AND StartTime "),
        ("HistoryLength > 5 o", "HistoryLength > 5 OR "),
        ("HistoryLength BETWEEN 5 ", "HistoryLength BETWEEN 5 AND "),
        ("StartTime > ", "StartTime > '2026-11-26T03:30:00Z'"),
        ("StartTime BETWEEN '2026-11-2", "StartTime BETWEEN '2026-11-26T03:30:00Z'"),
        ("Due < '2026-11-19", "Due < '2026-11-19T04:30:00Z'"),
        ("ExecutionDuration > '1", "ExecutionDuration > '10s'"),
        ("Vip = t", "Vip = true "),
        ("NOT (Work", "NOT (WorkflowId "),
        ("(WorkflowType = 'x' AND ", "(WorkflowType = 'x' AND WorkflowId "),
        ("", "WorkflowId "),
    ],
)
def test_the_likeliest_is_completed(typed: str, expected: str) -> None:
    assert completed(typed) == expected


@pytest.mark.parametrize(
    "typed",
    [
        "CustomerId = 'x",  # nothing is known of its values
        "Amount > ",
        "Amount > 5",
        "Nonsense",
        "WorkflowType == ",
        "WorkflowType = Order AND ",
        "WorkflowType = 'x')",
        "WorkflowType LIKE 'x",
    ],
)
def test_nothing_is_suggested_where_nothing_is_known(typed: str) -> None:
    assert completed(typed) is None


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("WorkflowType = 'OrderWorkflow' ", ["AND ", "OR "]),
        ("(WorkflowType = 'OrderWorkflow' ", ["AND ", "OR ", ") "]),
        ("((WorkflowType = 'x') ", ["AND ", "OR ", ") "]),
        ("CloseTime IS ", ["NULL ", "NOT NULL "]),
        ("Vip ", ["= ", "!= ", "IS NULL ", "IS NOT NULL "]),
        ("Note ", ["= ", "!= ", "IS NULL ", "IS NOT NULL "]),
        ("Tags ", ["= ", "!= ", "IN (", "NOT IN (", "IS NULL ", "IS NOT NULL "]),
        ("ExecutionStatus NOT ", ["IN ("]),
        ("Amount NOT ", ["IN (", "BETWEEN "]),
        ("ExecutionStatus = ", [f"'{status}'" for status in STATUSES]),
        ("NO", ["NOT ", "Note "][::-1]),
    ],
)
def test_all_that_may_come_is_offered(typed: str, offered: list[str]) -> None:
    assert choices(typed) == offered


def test_every_type_has_its_operators() -> None:
    types = {"Text", "Keyword", "Int", "Double", "Bool", "Datetime", "KeywordList"}
    assert types | {"Status", "Duration"} == set(OPERATORS)


def test_a_server_that_tells_its_attributes_is_believed() -> None:
    merged = merge_attributes({"WorkflowType": "Keyword", "ExecutionStatus": "Keyword", "Zip": "Int", "Amount": "Int"})
    assert list(merged.items()) == [
        ("WorkflowType", "Keyword"),
        ("ExecutionStatus", "Status"),
        ("Amount", "Int"),
        ("Zip", "Int"),
    ]
    assert merge_attributes({}) == ATTRIBUTES


@pytest.mark.parametrize(
    ("text", "expected", "wrong_at"),
    [
        ("", Expected.NAME, None),
        ("WorkflowType = 'x'", Expected.JOIN, None),
        ("WorkflowType = 'it''s' and not (A in (1, 2.5) or B is not null)", Expected.JOIN, None),
        ("A between '1' AND '2' && B != true || C = -5", Expected.JOIN, None),
        ('A NOT STARTS_WITH "x"', Expected.JOIN, None),
        ("WorkflowType == 'x'", Expected.VALUE, 14),
        ("WorkflowType = Order", Expected.VALUE, 15),
        ("WorkflowType 'x'", Expected.OPERATOR, 13),
        ("WorkflowType = 'x", Expected.VALUE, 15),
        ("WorkflowType = 'x' AND", Expected.NAME, None),
        ("WorkflowType = 'x')", Expected.JOIN, 18),
        ("(WorkflowType = 'x'", Expected.JOIN, None),
        ("A = 1 ORDER BY B", Expected.JOIN, 6),
        ("A IN (1, )", Expected.ITEM, 9),
        ("A = 1 ; B", Expected.JOIN, 6),
    ],
)
def test_a_whole_filter_is_read(text: str, expected: Expected, wrong_at: int | None) -> None:
    reading = read_filter(text, is_whole=True)
    assert (reading.expected, reading.wrong_at) == (expected, wrong_at)
