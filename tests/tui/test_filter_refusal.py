"""What is said when a server refuses a list filter: the words are those of the reference server."""

from __future__ import annotations

import pytest

from durable_cli.tui.filter.refusal import explain_refusal

ATTRIBUTES = {"WorkflowType": "Keyword", "Amount": "Int", "Note": "Text", "StartTime": "Datetime"}
SYNTAX = "malformed SQL query: syntax error at position 42"


@pytest.mark.parametrize(
    ("query", "reason", "message", "advice", "position"),
    [
        (
            "workflowtype = 'x'",
            "invalid search attribute: workflowtype",
            "this namespace has no attribute workflowtype",
            "did you mean WorkflowType? Capitals count",
            12,
        ),
        (
            "Nonsense = 1",
            "invalid search attribute: Nonsense",
            "this namespace has no attribute Nonsense",
            "tab in the bar shows those that there are",
            8,
        ),
        (
            "Note > 'x'",
            "operation is not supported: operator '>' not supported for Text type search attribute 'Note'",
            "Note is Text, which > does not go with",
            "it goes with =, !=, IS NULL, IS NOT NULL",
            4,
        ),
        (
            "Amount = '5'",
            'invalid expression: invalid value type for search attribute Amount of type Int: "5" (type: string)',
            'Amount is Int, which "5" is not',
            "write a number, without quotes",
            6,
        ),
        (
            "WorkflowType = 5",
            "invalid expression: invalid value type for search attribute WorkflowType of type Keyword: 5 (type: int64)",
            "WorkflowType is Keyword, which 5 is not",
            "write it in quotes",
            12,
        ),
        (
            "StartTime > '1h'",
            "invalid expression: unable to parse datetime '1h'",
            "'1h' is no time",
            "write it with its zone, such as '2026-01-31T08:00:00Z'; tab in the bar offers times",
            15,
        ),
        (
            "ExecutionDuration > 'x'",
            "invalid expression: invalid duration value for search attribute ExecutionDuration: x",
            "'x' is no duration",
            "write it with its unit, such as '5m' or '1h30m'",
            22,
        ),
        (
            "ExecutionStatus = 'running'",
            "invalid expression: invalid ExecutionStatus value 'running'",
            "there is no status running",
            "did you mean Running? Capitals count",
            26,
        ),
        (
            "WorkflowType = 'x' ORDER BY StartTime",
            "operation is not supported: 'ORDER BY' clause",
            "a list has no ORDER BY",
            "o sorts what is loaded",
            27,
        ),
        (
            "WorkflowType = abc",
            "operation is not supported: column name on the right side of comparison expression"
            ' (did you forget to quote "abc"?)',
            "abc is read as an attribute",
            "text needs quotes: 'abc'",
            18,
        ),
        (
            "WorkflowType == 'x'",
            SYNTAX,
            "this is not understood: = 'x'",
            "expected is a value: text in quotes, a number, true or false",
            14,
        ),
        ("WorkflowType = 'x", SYNTAX, "a quote is not closed: 'x", "end it with '", 17),
        ("(WorkflowType = 'x'", SYNTAX, "a parenthesis is not closed", "end it with )", 19),
        (
            "WorkflowType = 'x' AND",
            SYNTAX,
            "the filter is not finished",
            "expected is the name of an attribute",
            22,
        ),
        (
            "WorkflowType",
            "invalid expression: incomplete expression",
            "the filter is not finished",
            "expected is an operator",
            12,
        ),
        (
            "WorkflowType = 'x'",
            "something else",
            "the filter is refused: something else",
            "tab in the bar shows what may come next",
            None,
        ),
        (
            "WorkflowType = 'x'",
            "malformed SQL query: syntax error at position 39 near '='",
            "the filter is refused: malformed SQL query: syntax error at position 11 near '='",
            "tab in the bar shows what may come next",
            None,
        ),
    ],
)
def test_a_refusal_is_explained(query: str, reason: str, message: str, advice: str, position: int | None) -> None:
    said = f"can't list workflows: invalid query: {reason}"
    assert explain_refusal(said, query, ATTRIBUTES) == (message, advice, position)


def test_other_trouble_is_not_the_filters() -> None:
    assert explain_refusal("can't list workflows: Namespace nowhere is not found", "A = 1", ATTRIBUTES) is None
