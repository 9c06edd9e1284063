"""The list filter: what ListWorkflowExecutions and CountWorkflowExecutions are asked for.

Understood are the empty query, and WorkflowId, WorkflowType, TaskQueue and ExecutionStatus, each compared by `=` and
joined by AND. Names have their exact letters (`backquotes` around them are fine), values are quoted by ' or ".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from temporalio.api.enums.v1.workflow_pb2 import WorkflowExecutionStatus

from engine.core.errors import InvalidArgument, enum_shorthand
from engine.core.visibility.search_attributes import (
    SYSTEM_SEARCH_ATTRIBUTES,
    SearchAttributeTypes,
    search_attribute_type,
)

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
      | (?P<number>[0-9]+)(?![\w.])
      | `(?P<quoted_name>[^`]+)`
      | (?P<name>[A-Za-z_]\w*)
      | (?P<equals>=)
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
_UNDERSTOOD = "WorkflowId, WorkflowType, TaskQueue and ExecutionStatus, compared by = and joined by AND"

_TEXTS = {"WorkflowId": "workflow_id", "WorkflowType": "workflow_type", "TaskQueue": "task_queue"}
"""Attributes that are compared as text, and their fields in ListFilter."""

_STATUS_BY_NAME = {
    spelling: value
    for name, value in WorkflowExecutionStatus.items()
    for spelling in (name, enum_shorthand(WorkflowExecutionStatus.DESCRIPTOR, value))
}


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What an execution must be; None asks for nothing. One that `matches_nothing` asked for two values of one."""

    workflow_id: str | None = None
    workflow_type: str | None = None
    task_queue: str | None = None
    status: WorkflowExecutionStatus.ValueType | None = None
    matches_nothing: bool = False


def parse_list_filter(query: str, registered: SearchAttributeTypes) -> ListFilter:
    """Read a query.

    Args:
        registered: the namespace's own search attributes: one that exists is not called unknown.

    Raises:
        InvalidArgument: not a query, or one that asks for more than is understood.
    """
    if not query.strip():
        return ListFilter()
    tokens = _tokens(query)
    asked: dict[str, str | int] = {}
    contradicts = False
    position = 0
    while True:
        name, value = _comparison(tokens[position : position + 3], registered)
        contradicts = contradicts or asked.setdefault(name, value) != value
        position += 3
        if position == len(tokens):
            break
        kind, text = tokens[position]
        if kind != "name" or text.upper() != "AND":
            raise _unsupported()
        position += 1
    status = asked.get("ExecutionStatus")
    texts = {field: str(asked[name]) for name, field in _TEXTS.items() if name in asked}
    return ListFilter(
        **texts,
        status=None if status is None else _status(status),
        matches_nothing=contradicts,
    )


def _tokens(query: str) -> list[tuple[str, str]]:
    """Split the query into (kind, text); the text of a quoted one is what it stands for."""
    query = query.rstrip()
    tokens = []
    position = 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None or match.lastgroup is None:
            raise _unsupported()
        kind, text = match.lastgroup, match[match.lastgroup]
        tokens.append((kind, _unquote(text) if kind == "text" else text))
        position = match.end()
    return tokens


def _unquote(text: str) -> str:
    quote = text[0]
    doubled_or_escaped = re.compile(rf"{quote}{quote}|\\(.)", re.DOTALL)
    return doubled_or_escaped.sub(lambda match: _ESCAPES.get(match[1], match[1]) if match[1] else quote, text[1:-1])


def _comparison(tokens: list[tuple[str, str]], registered: SearchAttributeTypes) -> tuple[str, str | int]:
    """Read `Name = 'value'`; a status comes back as its number."""
    name_kind, name = tokens[0] if tokens else ("", "")
    if name_kind not in ("name", "quoted_name"):
        raise _unsupported()
    if name != "ExecutionStatus" and name not in _TEXTS:
        if name not in SYSTEM_SEARCH_ATTRIBUTES and search_attribute_type(name, registered) is None:
            raise InvalidArgument(f"invalid query: invalid search attribute: {name}")
        raise _unsupported()
    if len(tokens) == 1:
        raise InvalidArgument("invalid query: invalid expression: incomplete expression")
    if len(tokens) < 3 or tokens[1][0] != "equals" or tokens[2][0] == "equals":
        raise _unsupported()
    value_kind, value = tokens[2]
    if value_kind in ("name", "quoted_name"):
        raise InvalidArgument(
            "invalid query: operation is not supported: column name on the right side of comparison expression"
            f' (did you forget to quote "{value}"?)'
        )
    if name == "ExecutionStatus":
        return name, _status_number(value_kind, value)
    if value_kind == "number":
        raise InvalidArgument(
            "invalid query: invalid expression: invalid value type for search attribute"
            f" {name} of type Keyword: {value} (type: int64)"
        )
    return name, value


def _status_number(kind: str, value: str) -> int:
    known = _STATUS_BY_NAME.get(value) if kind == "text" else int(value[:9])
    if known is None or known not in WorkflowExecutionStatus.values():
        raise InvalidArgument(f"invalid query: invalid expression: invalid ExecutionStatus value '{value}'")
    return known


def _status(value: str | int) -> WorkflowExecutionStatus.ValueType:
    return WorkflowExecutionStatus.ValueType(int(value))


def _unsupported() -> InvalidArgument:
    return InvalidArgument(f"invalid query: operation is not supported: only {_UNDERSTOOD} can be asked for")
