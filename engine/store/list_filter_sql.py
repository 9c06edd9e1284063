"""Turn a list filter into a condition of SQL on the table `runs`: its values are parameters, always."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from temporalio.api.enums.v1.common_pb2 import IndexedValueType

from engine.core.visibility.comparable_values import json_path
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
)
from engine.store.schema import OPEN_CLOSE_TIME_NS

__all__ = ["compile_condition", "compile_group", "names_workflow_ids"]

Sql = tuple[str, list[object]]
"""A piece of SQL and its parameters."""

_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1
_LONGEST_PREFIX = 10_000
"""No value is as long, and SQLite takes no pattern of more than 50,000 bytes."""

_NANOS_PER_MICROSECOND = 1000
_DATETIME = IndexedValueType.INDEXED_VALUE_TYPE_DATETIME


def _once_closed(expression: str) -> str:
    """What the list shows of closed runs only."""
    return f"CASE close_time_ns WHEN {OPEN_CLOSE_TIME_NS} THEN NULL ELSE {expression} END"


_COLUMNS: Mapping[str, str] = {
    "WorkflowId": "workflow_id",
    "RunId": "run_id",
    "WorkflowType": "workflow_type",
    "StartTime": "start_time_ns",
    "ExecutionTime": "execution_time_ns",
    "CloseTime": f"nullif(close_time_ns, {OPEN_CLOSE_TIME_NS})",
    "ExecutionStatus": "status",
    "TaskQueue": "task_queue",
    "HistoryLength": _once_closed("next_event_id - 1"),
    "ExecutionDuration": _once_closed("max(0, close_time_ns - execution_time_ns)"),
    "StateTransitionCount": _once_closed("state_transition_count"),
    "HistorySizeBytes": _once_closed("history_size_bytes"),
    "ParentWorkflowId": "parent_workflow_id",
    "ParentRunId": "parent_run_id",
    "RootWorkflowId": "coalesce(root_workflow_id, workflow_id)",
    "RootRunId": "coalesce(root_run_id, run_id)",
    "TemporalNamespaceDivision": "namespace_division",
}


def compile_condition(condition: Condition) -> Sql:
    """Return the SQL of a condition."""
    compiled: Sql = _COMPILERS[type(condition)](condition)
    return compiled


def compile_group(attribute: Attribute) -> str:
    """Return the SQL of what a count is grouped by."""
    return _COLUMNS[attribute.name]


def names_workflow_ids(condition: Condition) -> bool:
    """Say whether only runs of certain workflow ids can match."""
    if isinstance(condition, AllOf):
        return any(names_workflow_ids(each) for each in condition.conditions)
    return (
        isinstance(condition, Comparison)
        and condition.attribute.name == "WorkflowId"
        and condition.operator in ("=", "in")
    )


def _operand(attribute: Attribute) -> Sql:
    column = _COLUMNS.get(attribute.name)
    if column is not None:
        return column, []
    return "json_extract(attribute_values, ?)", [json_path(attribute.name)]


def _parameter(attribute: Attribute, value: object) -> object:
    if isinstance(value, int):
        if attribute.value_type == _DATETIME and attribute.name not in _COLUMNS:
            value //= _NANOS_PER_MICROSECOND
        return min(max(value, _MIN_INT), _MAX_INT)
    return value


def _comparison(condition: Comparison) -> Sql:
    left, parameters = _operand(condition.attribute)
    operator, value = condition.operator, condition.value
    if isinstance(value, tuple):
        # One parameter, since SQLite takes only so many.
        values = json.dumps([_parameter(condition.attribute, item) for item in value], ensure_ascii=False)
        return f"{left} {operator} (SELECT value FROM json_each(?))", [*parameters, values]
    if operator.endswith("starts_with"):
        like = operator.replace("starts_with", "like")
        return f"{left} {like} ? ESCAPE '!'", [*parameters, f"{_escape(str(value)[:_LONGEST_PREFIX])}%"]
    return f"{left} {operator} ?", [*parameters, _parameter(condition.attribute, value)]


def _contains(condition: Contains) -> Sql:
    left, parameters = _operand(condition.attribute)
    if len(condition.forms) == 1:
        found, parameters = f"instr({left}, ?)", [*parameters, condition.forms[0]]
    else:
        found = f"(SELECT max(instr({left}, value)) FROM json_each(?))"
        parameters = [*parameters, json.dumps(condition.forms, ensure_ascii=False)]
    # An attribute without a value contains nothing: that is false, not unknown.
    return f"{'NOT ' if condition.negated else ''}coalesce({found}, 0)", parameters


def _range(condition: Range) -> Sql:
    left, parameters = _operand(condition.attribute)
    bounds = [_parameter(condition.attribute, bound) for bound in (condition.low, condition.high)]
    return f"{left} {'NOT ' if condition.negated else ''}BETWEEN ? AND ?", parameters + bounds


def _is_null(condition: IsNull) -> Sql:
    left, parameters = _operand(condition.attribute)
    return f"{left} IS {'NOT ' if condition.negated else ''}NULL", parameters


def _not(condition: Not) -> Sql:
    inner, parameters = compile_condition(condition.condition)
    return f"NOT ({inner})", parameters


def _all_of(condition: AllOf) -> Sql:
    return _join(" AND ", condition.conditions)


def _any_of(condition: AnyOf) -> Sql:
    return _join(" OR ", condition.conditions)


def _join(word: str, conditions: Sequence[Condition]) -> Sql:
    pieces: list[str] = []
    parameters: list[object] = []
    for condition in conditions:
        piece, its_parameters = compile_condition(condition)
        pieces.append(f"({piece})" if isinstance(condition, AllOf | AnyOf) else piece)
        parameters += its_parameters
    return word.join(pieces) or "1", parameters


def _escape(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


_COMPILERS: Mapping[type, Callable[..., Sql]] = {
    Comparison: _comparison,
    Contains: _contains,
    Range: _range,
    IsNull: _is_null,
    Not: _not,
    AllOf: _all_of,
    AnyOf: _any_of,
}
