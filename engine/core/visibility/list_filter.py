"""The list filter: which runs a list or a count is asked for.

It holds no SQL: store/list_filter_sql.py makes some of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.visibility.comparable_values import NAMESPACE_DIVISION
from engine.core.visibility.search_attributes import (
    PREDEFINED_SEARCH_ATTRIBUTES,
    SYSTEM_SEARCH_ATTRIBUTES,
    SearchAttributeTypes,
)

__all__ = [
    "IN_NO_DIVISION",
    "AllOf",
    "AnyOf",
    "Attribute",
    "Comparison",
    "Condition",
    "Contains",
    "FilterValue",
    "IsNull",
    "ListFilter",
    "Not",
    "Range",
    "parse_list_filter",
    "system",
]

FilterValue = str | int | float | bool
"""A value to compare with; a time is nanoseconds since 1970, a status its number, a duration nanoseconds."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A search attribute: its name, and its IndexedValueType."""

    name: str
    value_type: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """An attribute compared with a value; after `in` and `not in` with several."""

    attribute: Attribute
    operator: str
    value: FilterValue | tuple[FilterValue, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """A Text or a KeywordList that has one of `forms` in its form; `negated`: none of them, or no value at all."""

    attribute: Attribute
    forms: tuple[str, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Range:
    """An attribute from `low` to `high`, both included; `negated`: outside of it."""

    attribute: Attribute
    low: FilterValue
    high: FilterValue
    negated: bool


@dataclass(frozen=True, slots=True)
class IsNull:
    """An attribute without a value; `negated`: with one."""

    attribute: Attribute
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition; unknown stays unknown."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    """Conditions joined by AND."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Conditions joined by OR."""

    conditions: tuple[Condition, ...]


Condition = Comparison | Contains | Range | IsNull | Not | AllOf | AnyOf
"""What a run must be, in the three-valued logic of SQL: a comparison with nothing is neither true nor false."""


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What runs must be, and the attribute that a count is grouped by."""

    condition: Condition
    group_by: Attribute | None = None


IN_NO_DIVISION = IsNull(Attribute(NAMESPACE_DIVISION, PREDEFINED_SEARCH_ATTRIBUTES[NAMESPACE_DIVISION]))
"""What every run must be, unless the filter says something about divisions."""


def system(name: str) -> Attribute:
    """Return one of the server's own attributes."""
    return Attribute(name, SYSTEM_SEARCH_ATTRIBUTES[name])


def parse_list_filter(query: str, registered: SearchAttributeTypes) -> ListFilter:
    """Read a query.

    Args:
        registered: the namespace's own search attributes.

    Raises:
        InvalidArgument: not a query, or one that asks for what can't be asked for.
    """
    if not query.strip():
        return ListFilter(AllOf((IN_NO_DIVISION,)))
    # Who reads a filter is loaded when the first one comes: see query_grammar.py.
    from engine.core.visibility.filter_reader import read_list_filter

    return read_list_filter(query, registered)
