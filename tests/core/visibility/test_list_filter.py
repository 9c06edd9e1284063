"""The list filter: what a query means, and how the rest is refused. More of both: the scenarios of list filters."""

from __future__ import annotations

import subprocess
import sys

import pytest
from temporalio.api.enums.v1 import IndexedValueType, WorkflowExecutionStatus

from engine.core.errors import InvalidArgument
from engine.core.visibility.list_filter import (
    AllOf,
    AnyOf,
    Attribute,
    Comparison,
    Condition,
    Contains,
    IsNull,
    Not,
    Range,
    parse_list_filter,
    system,
)
from engine.core.visibility.query_grammar import MAX_DEPTH

KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
REGISTERED = {
    "OrderState": KEYWORD,
    "status": KEYWORD,
    "Two Words": KEYWORD,
    "Amount": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "Price": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "Paid": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "Due": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "Note": IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    "Tags": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "ScheduleId": KEYWORD,
}
RUNNING = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
TIMED_OUT = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT
DIVISION = Attribute("TemporalNamespaceDivision", KEYWORD)
NO_DIVISION = IsNull(DIVISION)
WORKFLOW_ID, STATUS, DURATION = system("WorkflowId"), system("ExecutionStatus"), system("ExecutionDuration")
START_TIME = system("StartTime")


def custom(name: str) -> Attribute:
    return Attribute(name, REGISTERED[name])


ORDER_STATE, AMOUNT, NOTE, TAGS = custom("OrderState"), custom("Amount"), custom("Note"), custom("Tags")
A, B, C = (Comparison(WORKFLOW_ID, "=", letter) for letter in "abc")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("WorkflowId='a'", A),
        ('WorkflowId = "a"', A),
        ("`WorkflowId`='a';", A),
        ("WorkflowId=''", Comparison(WORKFLOW_ID, "=", "")),
        ("WorkflowId='it''s'", Comparison(WORKFLOW_ID, "=", "it's")),
        ('WorkflowId="a ""b"""', Comparison(WORKFLOW_ID, "=", 'a "b"')),
        (r"WorkflowId='it\'s \\ \n \%'", Comparison(WORKFLOW_ID, "=", "it's \\ \n %")),
        ("WorkflowId='a AND b = c -- d'", Comparison(WORKFLOW_ID, "=", "a AND b = c -- d")),
        ("WorkflowId='é♡'", Comparison(WORKFLOW_ID, "=", "é♡")),
        ("WorkflowId <> 'a'", Comparison(WORKFLOW_ID, "!=", "a")),
        ("TemporalWorkflowId = 'a'", A),
        ("TemporalScheduleId = 'a'", A),
        ("ScheduleId = 'a'", Comparison(custom("ScheduleId"), "=", "a")),
        ("Status = 'a'", Comparison(custom("status"), "=", "a")),
        ("`Two Words` = 'a'", Comparison(custom("Two Words"), "=", "a")),
        ("OrderState in ('x')", Comparison(ORDER_STATE, "in", ("x",))),
        ("OrderState Not In ('x', \"y\")", Comparison(ORDER_STATE, "not in", ("x", "y"))),
        ("OrderState STARTS_WITH 'x'", Comparison(ORDER_STATE, "starts_with", "x")),
        ("OrderState NOT STARTS_WITH 'x'", Comparison(ORDER_STATE, "not starts_with", "x")),
        ("OrderState is null", IsNull(ORDER_STATE)),
        ("OrderState IS NOT NULL", IsNull(ORDER_STATE, negated=True)),
        ("OrderState BETWEEN 'a' AND 'b'", Range(ORDER_STATE, "a", "b", negated=False)),
        ("Amount NOT BETWEEN -1 AND 2.5", Range(AMOUNT, -1, 2.5, negated=True)),
        ("Amount = - 3", Comparison(AMOUNT, "=", -3)),
        ("Amount = - - 3", Comparison(AMOUNT, "=", 3)),
        ("Amount > -1.5", Comparison(AMOUNT, ">", -1.5)),
        ("Amount < 9223372036854775808", Comparison(AMOUNT, "<", 2.0**63)),
        ("Amount = b'1'", Comparison(AMOUNT, "=", 1)),
        ("Price >= .5", Comparison(custom("Price"), ">=", 0.5)),
        ("Paid = TRUE", Comparison(custom("Paid"), "=", True)),
        ("Due < '1970-01-01T00:00:01Z'", Comparison(custom("Due"), "<", 10**9)),
        ("Due < 5", Comparison(custom("Due"), "<", 5)),
        ("Note = 'Two  words, twO-Parts'", Contains(NOTE, (" two ", " words ", " two parts "), negated=False)),
        ("Note != 'Élan'", Contains(NOTE, (" elan ",), negated=True)),
        ("Note = '-'", Contains(NOTE, (), negated=False)),
        ("Tags = 'Big One'", Contains(TAGS, ("♡big one♡",), negated=False)),
        ("Tags NOT IN ('a', '')", Contains(TAGS, ("♡a♡",), negated=True)),
        ("ExecutionStatus='Running'", Comparison(STATUS, "=", RUNNING)),
        ("ExecutionStatus='WORKFLOW_EXECUTION_STATUS_RUNNING'", Comparison(STATUS, "=", RUNNING)),
        ("ExecutionStatus IN (1, 'TimedOut')", Comparison(STATUS, "in", (RUNNING, TIMED_OUT))),
        ("ExecutionDuration > '1h30m'", Comparison(DURATION, ">", 5_400 * 10**9)),
        ("ExecutionDuration > 5", Comparison(DURATION, ">", 5)),
        ("StartTime > '1970-01-01T01:00:00.5+01:00'", Comparison(START_TIME, ">", 5 * 10**8)),
        ("(((WorkflowId = 'a')))", A),
        ("WorkflowId='a' AND WorkflowId='b' and WorkflowId='c'", AllOf((A, B, C))),
        ("WorkflowId='a' OR WorkflowId='b' AND WorkflowId='c'", AnyOf((A, AllOf((B, C))))),
        ("(WorkflowId='a' || WorkflowId='b') && WorkflowId='c'", AllOf((AnyOf((A, B)), C))),
        ("NOT WorkflowId='a' AND WorkflowId='b'", AllOf((Not(A), B))),
        ("NOT (WorkflowId='a' OR WorkflowId='b')", Not(AnyOf((A, B)))),
        ("WorkflowId='a' -- OR WorkflowId='b'\nAND /* more */ WorkflowId='c'", AllOf((A, C))),
    ],
)
def test_understood(query: str, expected: Condition) -> None:
    found = parse_list_filter(query, REGISTERED)
    assert found.condition == AllOf((NO_DIVISION, expected))
    assert found.group_by is None


@pytest.mark.parametrize("query", ["", " \n"])
def test_nothing_asks_for_what_is_in_no_division(query: str) -> None:
    assert parse_list_filter(query, REGISTERED).condition == AllOf((NO_DIVISION,))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("NamespaceDivision = 'x'", (Comparison(DIVISION, "=", "x"),)),
        ("TemporalNamespaceDivision IS NULL", (NO_DIVISION,)),
        ("GROUP BY TemporalNamespaceDivision", ()),
    ],
)
def test_who_names_divisions_sees_them(query: str, expected: tuple[Condition, ...]) -> None:
    assert parse_list_filter(query, REGISTERED).condition == AllOf(expected)


@pytest.mark.parametrize("query", ["group by ExecutionStatus", "WorkflowId = 'a' GROUP BY `ExecutionStatus`;"])
def test_groups(query: str) -> None:
    assert parse_list_filter(query, REGISTERED).group_by == STATUS


SYNTAX = "malformed SQL query: syntax error at position"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("Foo='a'", "invalid search attribute: Foo"),
        ("workflowid='a'", "invalid search attribute: workflowid"),
        ("`status` = 'a' AND `Status` = 'a'", "invalid search attribute: Status"),
        ("Temporaloo = 'a'", "invalid search attribute: Temporaloo"),
        ("TemporalAmount = 1", "invalid search attribute: TemporalAmount"),
        ("WorkflowId", "invalid expression: incomplete expression"),
        (
            "WorkflowId=a",
            "operation is not supported: column name on the right side of comparison expression"
            ' (did you forget to quote "a"?)',
        ),
        (
            "WorkflowType=5",
            "invalid expression: invalid value type for search attribute WorkflowType of type Keyword: 5 (type: int64)",
        ),
        (
            "Amount = '\"'",
            'invalid expression: invalid value type for search attribute Amount of type Int: "\\"" (type: string)',
        ),
        ("ExecutionStatus='running'", "invalid expression: invalid ExecutionStatus value 'running'"),
        ("ExecutionStatus=99", "invalid expression: invalid ExecutionStatus value 99"),
        # The reference server hands these to its database, which refuses them in its own words.
        ("Amount = (1, 2)", "invalid expression: unexpected value type sqlparser.ValTuple"),
        ("Amount IN ((1, 2), (3, 4))", "invalid expression: unexpected value type sqlparser.ValTuple"),
        ("Amount BETWEEN 1 AND (1, 2)", "invalid expression: unexpected value type sqlparser.ValTuple"),
        # And of these it knows more words.
        ("WorkflowId = (select 1)", f"{SYNTAX} 48 near 'select'"),
        ("CASE WHEN 1 THEN 2 END", f"{SYNTAX} 32 near 'case'"),
        ("WorkflowId = 'a' HAVING 1", f"{SYNTAX} 51 near 'having'"),
        ("WorkflowId = 'a' UNION select 1", f"{SYNTAX} 50 near 'union'"),
        ("WorkflowId='a'; DROP TABLE runs", f"{SYNTAX} 48 near 'drop'"),
        ("WorkflowId='é' x", f"{SYNTAX} 45 near 'x'"),
        ("é", f"{SYNTAX} 29 near '\ufffd'"),
        ("/", f"{SYNTAX} 29"),
        ("WorkflowId = 'it''s", f"{SYNTAX} 47 near 'it's'"),
        (r"WorkflowId = 'it\'s \\", f"{SYNTAX} 50 near 'it's \\'"),
        ("WorkflowId = 'x\\", f"{SYNTAX} 44 near 'x'"),
        ("Amount = x'4", f"{SYNTAX} 40 near '4'"),
        ("Amount = mod", f"{SYNTAX} 40"),
        ("Amount = mod(1, 2)", "operation is not supported: nested func"),
        ("IF(1, 2)", "operation is not supported: function expression"),
    ],
)
def test_refused(query: str, message: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        parse_list_filter(query, REGISTERED)
    assert raised.value.message == f"invalid query: {message}"


@pytest.mark.parametrize("word", ["AND", "OR"])
def test_a_long_filter_is_read_and_one_that_is_too_long_refused(word: str) -> None:
    found = parse_list_filter(f" {word} ".join(["Amount = 1"] * MAX_DEPTH), REGISTERED).condition
    assert isinstance(found, AllOf)
    assert isinstance(found.conditions[1], AllOf | AnyOf)
    assert len(found.conditions[1].conditions) == MAX_DEPTH
    with pytest.raises(InvalidArgument, match="max ast depth reached"):
        parse_list_filter(f" {word} ".join(["Amount = 1"] * (MAX_DEPTH + 1)), REGISTERED)


def test_a_deep_filter_is_read_and_one_that_is_too_deep_refused() -> None:
    deep = 199 * "(Amount = 1 OR "
    assert parse_list_filter(f"{deep}Amount = 2{')' * 199}", REGISTERED)
    assert parse_list_filter("NOT (" * 99 + "Amount = 2" + ")" * 99, REGISTERED)
    assert parse_list_filter(" AND ".join(["NOT (Amount = -1)"] * 300), REGISTERED)
    with pytest.raises(InvalidArgument, match="max nesting level reached at position"):
        parse_list_filter(f"({deep}Amount = 2{')' * 200}", REGISTERED)


def test_who_reads_filters_is_loaded_when_the_first_one_comes() -> None:
    """The server is ready without it."""
    code = """
import sys
import engine.service.server
from engine.core.visibility.list_filter import parse_list_filter

for query in ("", "WorkflowId = 'a'"):
    parse_list_filter(query, {})
    print(sorted({"lark", "engine.core.visibility.query_grammar"} & sys.modules.keys()))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n['engine.core.visibility.query_grammar', 'lark']\n"
