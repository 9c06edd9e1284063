"""Read a list filter: its names become attributes, its values are read by the attributes' types."""

from __future__ import annotations

from collections.abc import Mapping

from temporalio.api.enums.v1.common_pb2 import IndexedValueType
from temporalio.api.enums.v1.workflow_pb2 import WorkflowExecutionStatus

from engine.core.errors import InvalidArgument, enum_shorthand
from engine.core.visibility.comparable_values import NAMESPACE_DIVISION, keyword_list_form, text_form
from engine.core.visibility.filter_values import FilterError, read_value
from engine.core.visibility.list_filter import (
    IN_NO_DIVISION,
    AllOf,
    AnyOf,
    Attribute,
    Comparison,
    Condition,
    Contains,
    FilterValue,
    IsNull,
    ListFilter,
    Not,
    Range,
)
from engine.core.visibility.query_grammar import QuerySyntaxError, parse_query
from engine.core.visibility.query_nodes import (
    Between,
    Column,
    Compare,
    Is,
    Junction,
    Negation,
    Node,
    Other,
    Parenthesis,
    Query,
)
from engine.core.visibility.search_attributes import (
    PREDEFINED_SEARCH_ATTRIBUTES,
    SYSTEM_SEARCH_ATTRIBUTES,
    SearchAttributeTypes,
)

__all__ = ["read_list_filter"]

_PREFIX = "Temporal"
_GROUPS = ("ExecutionStatus", NAMESPACE_DIVISION)

_TEXT = IndexedValueType.INDEXED_VALUE_TYPE_TEXT
_KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
_KEYWORD_LIST = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST
_WITHOUT_RANGES = (_TEXT, _KEYWORD_LIST, IndexedValueType.INDEXED_VALUE_TYPE_BOOL)
_OPERATORS = frozenset({"=", "!=", "<", ">", "<=", ">=", "in", "not in"})
_OPERATORS_BY_TYPE: Mapping[int, frozenset[str]] = {
    _KEYWORD: _OPERATORS | {"starts_with", "not starts_with"},
    _KEYWORD_LIST: frozenset({"=", "!=", "in", "not in"}),
    _TEXT: frozenset({"=", "!="}),
}


def read_list_filter(query: str, registered: SearchAttributeTypes) -> ListFilter:
    """Read a query that is not blank.

    Args:
        registered: the namespace's own search attributes.

    Raises:
        InvalidArgument: not a query, or one that asks for what can't be asked for.
    """
    try:
        return _Reader(registered).read(parse_query(query))
    except QuerySyntaxError as error:
        raise InvalidArgument(f"invalid query: malformed SQL query: {error}") from None
    except FilterError as error:
        raise InvalidArgument(f"invalid query: {error}") from None


class _Reader:
    """Reads the tree of one query."""

    def __init__(self, registered: SearchAttributeTypes) -> None:
        self._registered = registered
        self._asks_for_division = False

    def read(self, query: Query) -> ListFilter:
        if query.limited:
            raise FilterError("operation is not supported: 'LIMIT' clause")
        condition = None if query.where is None else self._condition(query.where)
        group_by = self._group_by(query)
        for node in query.order_by:
            attribute, _ = self._attribute(node)
            if attribute.value_type == _TEXT:
                raise FilterError("operation is not supported: unable to sort by search attribute type Text")
        if query.order_by:
            raise FilterError("operation is not supported: 'ORDER BY' clause")
        default = () if self._asks_for_division else (IN_NO_DIVISION,)
        return ListFilter(AllOf((*default, condition) if condition is not None else default), group_by)

    def _group_by(self, query: Query) -> Attribute | None:
        if not query.group_by:
            return None
        if len(query.group_by) > 1:
            raise FilterError("operation is not supported: 'GROUP BY' clause supports only a single field")
        attribute, shown = self._attribute(query.group_by[0])
        if attribute.name not in _GROUPS:
            raise FilterError(
                f"operation is not supported: 'GROUP BY' clause is not supported for search attribute {shown}"
            )
        return attribute

    def _condition(self, node: Node) -> Condition:
        while isinstance(node, Parenthesis):
            node = node.node
        match node:
            case Junction():
                return self._junction(node)
            case Negation():
                return Not(self._condition(node.node))
            case Compare():
                return self._comparison(node)
            case Between():
                return self._range(node)
            case Is():
                return self._null_test(node)
            case Column():
                raise FilterError("invalid expression: incomplete expression")
            case Other(type_name="*sqlparser.FuncExpr"):
                raise FilterError("operation is not supported: function expression")
        raise FilterError(f"operation is not supported: expression of type {node.type_name}")

    def _junction(self, node: Junction) -> Condition:
        conditions = []
        for item in node.items:  # no comprehension: it would take a frame for each level of a deep filter
            conditions.append(self._condition(item))
        return AllOf(tuple(conditions)) if node.operator == "AND" else AnyOf(tuple(conditions))

    def _comparison(self, node: Compare) -> Condition:
        attribute, shown = self._attribute(node.left)
        value = read_value(node.right, attribute.name, shown, attribute.value_type)
        operator, value_type = node.operator, attribute.value_type
        if operator not in _OPERATORS_BY_TYPE.get(value_type, _OPERATORS):
            type_name = enum_shorthand(IndexedValueType.DESCRIPTOR, value_type)
            raise FilterError(
                f"operation is not supported: operator '{operator.upper()}' not supported for {type_name} type search"
                f" attribute '{shown}'"
            )
        if "starts_with" in operator and (isinstance(value, tuple) or attribute.name == "ExecutionStatus"):
            raise FilterError(
                f'invalid expression: right-hand side of "{operator}" operator must be a literal string (got:'
                f" {_print(attribute, value)})"
            )
        several = isinstance(value, tuple)
        if value_type in (_TEXT, _KEYWORD_LIST):
            if several and "in" not in operator:
                raise FilterError(f"invalid expression: unexpected value type (expected string, got {node.right})")
            return self._contains(attribute, operator, value)
        if several and "in" not in operator:
            raise FilterError("invalid expression: unexpected value type sqlparser.ValTuple")
        return Comparison(attribute, operator, value)

    def _contains(self, attribute: Attribute, operator: str, value: FilterValue | tuple[FilterValue, ...]) -> Condition:
        keywords = [str(each) for each in (value if isinstance(value, tuple) else (value,))]
        if attribute.value_type == _KEYWORD_LIST:
            forms = [keyword_list_form([keyword]) for keyword in keywords if keyword]
        else:
            forms = [form for form in map(text_form, keywords[0].split(" ")) if form.strip()]
        return Contains(attribute, tuple(forms), negated=operator in ("!=", "not in"))

    def _range(self, node: Between) -> Condition:
        attribute, shown = self._attribute(node.left)
        if attribute.value_type in _WITHOUT_RANGES:
            type_name = enum_shorthand(IndexedValueType.DESCRIPTOR, attribute.value_type)
            raise FilterError(
                f"invalid expression: cannot do range condition on search attribute '{shown}' of type {type_name}"
            )
        low = read_value(node.low, attribute.name, shown, attribute.value_type)
        high = read_value(node.high, attribute.name, shown, attribute.value_type)
        if isinstance(low, tuple) or isinstance(high, tuple):
            raise FilterError("invalid expression: unexpected value type sqlparser.ValTuple")
        return Range(attribute, low, high, node.negated)

    def _null_test(self, node: Is) -> Condition:
        attribute, _ = self._attribute(node.node)
        if node.suffix not in ("null", "not null"):
            raise FilterError("invalid expression: 'IS' operator can only be used as 'IS NULL' or 'IS NOT NULL'")
        return IsNull(attribute, negated=node.suffix == "not null")

    def _attribute(self, node: Node) -> tuple[Attribute, str]:
        """Return the attribute that stands on a left side, and what the query calls it."""
        if not isinstance(node, Column):
            raise FilterError(f"invalid expression: must be a column name but was {node.type_name}")
        attribute = _find_attribute(node.name, self._registered)
        if attribute is None:
            raise FilterError(f"invalid search attribute: {node.name}")
        self._asks_for_division = self._asks_for_division or attribute.name == NAMESPACE_DIVISION
        return attribute, node.name


def _find_attribute(name: str, registered: SearchAttributeTypes) -> Attribute | None:
    """Find an attribute by name; the prefix of the server's own may be left out, or put before those without it."""
    own = name in SYSTEM_SEARCH_ATTRIBUTES or name in PREDEFINED_SEARCH_ATTRIBUTES
    if not own and name in registered:
        return Attribute(name, registered[name])
    if name.removeprefix(_PREFIX) == "ScheduleId":
        return Attribute("WorkflowId", _KEYWORD)
    for candidate in (name, _PREFIX + name, name.removeprefix(_PREFIX)):
        value_type = SYSTEM_SEARCH_ATTRIBUTES.get(candidate) or PREDEFINED_SEARCH_ATTRIBUTES.get(candidate)
        if value_type is not None:
            return Attribute(candidate, value_type)
    return None


def _print(attribute: Attribute, value: FilterValue | tuple[FilterValue, ...]) -> str:
    if isinstance(value, tuple):
        return f"[{' '.join(_print(attribute, each) for each in value)}]"
    if attribute.name == "ExecutionStatus":
        return enum_shorthand(WorkflowExecutionStatus.DESCRIPTOR, int(value))
    return str(value)
