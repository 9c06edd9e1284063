"""Read a value of a list filter as its attribute's type wants it."""

from __future__ import annotations

import json
import math
import re
from datetime import date
from decimal import Decimal

from temporalio.api.enums.v1.common_pb2 import IndexedValueType
from temporalio.api.enums.v1.workflow_pb2 import WorkflowExecutionStatus

from engine.core.errors import enum_shorthand
from engine.core.visibility.list_filter import FilterValue
from engine.core.visibility.query_nodes import Bool, Column, Literal, Node, Other, Tuple, Unary
from engine.core.visibility.search_attribute_values import print_go

__all__ = ["FilterError", "parse_duration_ns", "parse_time_ns", "read_value"]

_GO_TYPES = {str: "string", int: "int64", float: "float64", bool: "bool"}
_STATUS_BY_NAME = {
    spelling: value
    for name, value in WorkflowExecutionStatus.items()
    for spelling in (name, enum_shorthand(WorkflowExecutionStatus.DESCRIPTOR, value))
}
_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]+))?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_DAYS_BEFORE_1970 = date(1970, 1, 1).toordinal()
_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
_DURATION_PART = re.compile(rf"([0-9]+\.?[0-9]*|\.[0-9]+)({'|'.join(_UNIT_NS)})")
_CLOCK_DURATION = re.compile(r"\s*\+?([0-9]+):\+?([0-9]+):\+?([0-9]+)")

_NUMBERS = (IndexedValueType.INDEXED_VALUE_TYPE_INT, IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE)


class FilterError(Exception):
    """The filter can't be; the message says why."""


def read_value(node: Node, attribute: str, shown: str, value_type: int) -> FilterValue | tuple[FilterValue, ...]:
    """Read what stands on the right side.

    Args:
        attribute: the name of the attribute that it is compared with.
        shown: the name that the filter calls it by.

    Raises:
        FilterError: no value, or one of another type.
    """
    if isinstance(node, Tuple):
        return tuple(_single_value(item, attribute, shown, value_type) for item in node.items)
    return _single_value(node, attribute, shown, value_type)


def _single_value(node: Node, attribute: str, shown: str, value_type: int) -> FilterValue:
    if isinstance(node, Bool):
        if value_type != IndexedValueType.INDEXED_VALUE_TYPE_BOOL:
            raise _wrong_type(node.value, shown, value_type)
        return node.value
    if isinstance(node, Unary):
        value: FilterValue = _signed(node)
    elif isinstance(node, Literal):
        value = node.text if node.terminal == "STRING" else _number(node)
    elif isinstance(node, Column):
        raise FilterError(
            "operation is not supported: column name on the right side of comparison expression"
            f" (did you forget to quote {json.dumps(str(node), ensure_ascii=False)}?)"
        )
    elif isinstance(node, Other) and node.type_name == "*sqlparser.FuncExpr":
        raise FilterError("operation is not supported: nested func")
    else:
        if isinstance(node, Tuple):
            read_value(node, attribute, shown, value_type)  # what is wrong inside of it is said first
        raise FilterError(f"invalid expression: unexpected value type {node.type_name}")
    if attribute == "ExecutionStatus":
        return _status(value)
    if attribute == "ExecutionDuration":
        return _duration(value)
    return _checked(value, shown, value_type)


def parse_time_ns(text: str) -> int | None:
    """Return the nanoseconds since 1970 of an RFC 3339 time, or None if it is none."""
    parts = _TIME.fullmatch(text)
    if parts is None:
        return None
    year, month, day, hour, minute, second = map(int, parts.groups()[:6])
    fraction, sign, offset_hours, offset_minutes = parts.groups()[6:]
    if hour > 23 or minute > 59 or second > 59:
        return None
    try:
        # Year 0 is a leap year, and not in the calendar of `date`.
        days = date(year or 400, month, day).toordinal() - (0 if year else date(400, 1, 1).toordinal() + 365)
    except ValueError:
        return None
    seconds = (days - _DAYS_BEFORE_1970) * 86_400 + hour * 3600 + minute * 60 + second
    if sign:
        if int(offset_hours) > 24 or int(offset_minutes) > 60:
            return None
        offset = int(offset_hours) * 3600 + int(offset_minutes) * 60
        seconds += offset if sign == "-" else -offset
    return seconds * 1_000_000_000 + int((fraction or "")[:9].ljust(9, "0"))


def parse_duration_ns(text: str) -> int | None:
    """Return the nanoseconds of `90`, `1h30m`, `1.5d` or `01:30:00`, or None."""
    if re.fullmatch(r"[+-]?[0-9]+", text):
        return _in_range(int(text))
    unsigned = text[1:] if text.startswith(("+", "-")) else text
    if unsigned == "0":
        return 0
    parts = list(_DURATION_PART.finditer(unsigned))
    if parts and "".join(part[0] for part in parts) == unsigned:
        total = sum(int(Decimal(part[1]) * _UNIT_NS[part[2]]) for part in parts)
        return _in_range(-total if text.startswith("-") else total)
    clock = _CLOCK_DURATION.match(text)
    if clock is None or int(clock[2]) > 59 or int(clock[3]) > 59:
        return None
    return _in_range((int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])) * 1_000_000_000)


def _signed(node: Unary) -> int | float:
    if node.operator not in "+-":
        operator = "binary " if "binary" in node.operator else node.operator
        raise FilterError(f'operation is not supported: unary operator "{operator}"')
    if not isinstance(node.operand, Literal) or node.operand.terminal == "STRING":
        shown = json.dumps(str(node), ensure_ascii=False)
        raise FilterError(f"invalid expression: unary operator not supported in {shown}")
    number = _number(node.operand)
    return -number if node.operator == "-" else number


def _number(node: Literal) -> int | float:
    try:
        if node.terminal in ("HEXADECIMAL", "ARGUMENT"):
            raise ValueError(node.text)
        if node.terminal != "FLOAT" and _in_range(int(node.text)) is not None:
            return int(node.text)
        number = float(node.text)
        if not math.isfinite(number):
            raise ValueError(node.text)
    except ValueError:
        shown = json.dumps(str(node), ensure_ascii=False)
        raise FilterError(f"invalid expression: unable to parse value {shown}") from None
    return number


def _status(value: FilterValue) -> int:
    if isinstance(value, float):
        raise FilterError("invalid expression: unexpected value type float64 for search attribute ExecutionStatus")
    known = _STATUS_BY_NAME.get(value) if isinstance(value, str) else value
    if known is None or known not in WorkflowExecutionStatus.values():
        shown = f"'{value}'" if isinstance(value, str) else value
        raise FilterError(f"invalid expression: invalid ExecutionStatus value {shown}")
    return known


def _duration(value: FilterValue) -> int:
    if isinstance(value, float):
        raise FilterError("invalid expression: unexpected value type float64 for search attribute ExecutionDuration")
    if isinstance(value, int):
        return value
    duration_ns = parse_duration_ns(value)
    if duration_ns is None:
        raise FilterError(f"invalid expression: invalid duration value for search attribute ExecutionDuration: {value}")
    return duration_ns


def _checked(value: FilterValue, shown: str, value_type: int) -> FilterValue:
    if value_type == IndexedValueType.INDEXED_VALUE_TYPE_DATETIME and not isinstance(value, float):
        time_ns = value if isinstance(value, int) else parse_time_ns(value)
        if time_ns is None:
            raise FilterError(f"invalid expression: unable to parse datetime '{value}'")
        return time_ns
    expected = (int, float) if value_type in _NUMBERS else str
    if value_type == IndexedValueType.INDEXED_VALUE_TYPE_BOOL or not isinstance(value, expected):
        raise _wrong_type(value, shown, value_type)
    if value_type == IndexedValueType.INDEXED_VALUE_TYPE_TEXT and not str(value).strip(" "):
        raise FilterError(f"invalid expression: no tokens found filtering on Text type search attribute {shown}")
    return value


def _wrong_type(value: FilterValue, shown: str, value_type: int) -> FilterError:
    printed = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else print_go(value)
    if type(value) is int:
        printed = str(value)
    type_name = enum_shorthand(IndexedValueType.DESCRIPTOR, value_type)
    return FilterError(
        f"invalid expression: invalid value type for search attribute {shown} of type {type_name}: {printed}"
        f" (type: {_GO_TYPES[type(value)]})"
    )


def _in_range(number: int) -> int | None:
    return number if _MIN_INT <= number <= _MAX_INT else None
