"""What may come next in a list filter: pure, so that it is tried out with plain text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from durable_cli.tui.filter.reading import Expected, Reading, read_filter

__all__ = ["ATTRIBUTES", "OPERATORS", "STATUSES", "Choice", "complete", "find_choices", "merge_attributes"]

# The attributes that every server has, by their types, those first that are asked for most.
ATTRIBUTES = {
    "WorkflowId": "Keyword",
    "WorkflowType": "Keyword",
    "ExecutionStatus": "Status",
    "TaskQueue": "Keyword",
    "RunId": "Keyword",
    "StartTime": "Datetime",
    "CloseTime": "Datetime",
    "ExecutionTime": "Datetime",
    "ExecutionDuration": "Duration",
    "HistoryLength": "Int",
    "HistorySizeBytes": "Int",
    "StateTransitionCount": "Int",
    "ParentWorkflowId": "Keyword",
    "RootWorkflowId": "Keyword",
    "BuildIds": "KeywordList",
}
STATUSES = ("Running", "Completed", "Failed", "Canceled", "Terminated", "ContinuedAsNew", "TimedOut", "Paused")

_EQUAL = ("=", "!=")
_ORDER = (">", ">=", "<", "<=")
_LIST = ("IN", "NOT IN")
_RANGE = ("BETWEEN", "NOT BETWEEN")
_START = ("STARTS_WITH", "NOT STARTS_WITH")
_NULL = ("IS NULL", "IS NOT NULL")
OPERATORS: Mapping[str, Sequence[str]] = {
    "Keyword": (*_EQUAL, *_START, *_LIST, *_RANGE, *_ORDER, *_NULL),
    "Status": (*_EQUAL, *_LIST),
    "Text": (*_EQUAL, *_NULL),
    "KeywordList": (*_EQUAL, *_LIST, *_NULL),
    "Int": (*_EQUAL, *_ORDER, *_LIST, *_RANGE, *_NULL),
    "Double": (*_EQUAL, *_ORDER, *_LIST, *_RANGE, *_NULL),
    "Datetime": (*_ORDER, *_RANGE, *_EQUAL, *_LIST, *_NULL),
    "Duration": (*_ORDER, *_RANGE, *_EQUAL, *_LIST, *_NULL),
    "Bool": (*_EQUAL, *_NULL),
}
"""What each type of attribute is compared by."""

_DURATIONS = ("10s", "1m", "1h", "1d", "1h30m")
_WITH_VALUE = frozenset({Expected.VALUE, Expected.ITEM, Expected.LOW})


class Choice(NamedTuple):
    """Something that may come next: what is written for it, and what that means."""

    text: str
    meaning: str = ""


def merge_attributes(told: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes of a server by what it has told; without that, those that every server has."""
    usual = {name: kind for name, kind in ATTRIBUTES.items() if not told or name in told}
    return {**usual, **{name: told[name] for name in sorted(told) if name not in usual}}


def complete(text: str, choice: Choice) -> str:
    """Return the text with what is chosen at its end."""
    reading = read_filter(text)
    before = text[: len(text) - len(reading.begun)]
    is_close = not before or before[-1] in " (" or choice.text[0] in ",)" or reading.begun or reading.quote
    return f"{before}{'' if is_close else ' '}{choice.text}"


def find_choices(
    text: str, attributes: Mapping[str, str], values: Mapping[str, Sequence[str]], now: datetime
) -> Sequence[Choice]:
    """Return what may come next, the likeliest first; nothing where the text went wrong.

    Args:
        attributes: types by name.
        values: values that were seen, by attribute, such as workflow types.
    """
    reading = read_filter(text)
    if reading.wrong_at is not None:
        return ()
    known = {name.lower(): name for name in attributes}
    name = known.get(reading.attribute.lower(), "")
    kind = attributes.get(name, "")
    if reading.expected in _WITH_VALUE:
        choices = _values(reading, kind, values.get(name, ()), now)
    else:
        choices = _words(reading, kind, attributes)
    begun = reading.begun.lower()
    found = [choice for choice in choices if choice.text.lower().startswith(begun)]
    longer = [choice for choice in found if choice.text.strip() != reading.begun]
    if longer or not found or not begun:
        return longer
    # The word is whole: what follows comes after it.
    following = find_choices(f"{text} ", attributes, values, now)
    return [Choice(f"{reading.begun} {choice.text}", choice.meaning) for choice in following]


def _words(reading: Reading, kind: str, attributes: Mapping[str, str]) -> Iterable[Choice]:
    match reading.expected:
        case Expected.NAME:
            yield from (Choice(f"{name} ", kind) for name, kind in attributes.items())
            yield from (Choice("NOT "), Choice("("))
        case Expected.OPERATOR:
            for operator in OPERATORS.get(kind, OPERATORS["Keyword"]):
                yield Choice(f"{operator} (" if operator.endswith("IN") else f"{operator} ")
        case Expected.NEGATED:
            for operator in OPERATORS.get(kind, OPERATORS["Keyword"]):
                if operator.startswith("NOT "):
                    word = operator.removeprefix("NOT ")
                    yield Choice(f"{word} (" if word == "IN" else f"{word} ")
        case Expected.IS:
            yield from (Choice("NULL "), Choice("NOT NULL "))
        case Expected.IS_NOT:
            yield Choice("NULL ")
        case Expected.LIST:
            yield Choice("(")
        case Expected.ITEM_END:
            yield from (Choice(", "), Choice(") "))
        case Expected.BETWEEN_AND:
            yield Choice("AND ")
        case _:
            yield from (Choice("AND "), Choice("OR "))
            if reading.depth:
                yield Choice(") ")


def _values(reading: Reading, kind: str, seen: Sequence[str], now: datetime) -> Iterable[Choice]:
    quote = reading.quote or "'"
    opening = "" if reading.quote else quote
    match kind:
        case "Int" | "Double":
            return
        case "Bool":
            if not reading.quote:
                yield from (Choice("true "), Choice("false "))
            return
        case "Datetime":
            texts = _times(now)
        case "Duration":
            texts = [(each, "") for each in _DURATIONS]
        case "Status":
            texts = [(each, "") for each in STATUSES]
        case _:
            texts = [(each.replace("\\", "\\\\").replace(quote, quote * 2), "") for each in seen]
    for text, meaning in texts:
        yield Choice(f"{opening}{text}{quote}", meaning)


def _times(now: datetime) -> list[tuple[str, str]]:
    midnight = now.astimezone().replace(hour=0, minute=0, second=0)
    moments = (
        (now - timedelta(hours=1), "an hour ago"),
        (midnight, "today"),
        (now - timedelta(days=1), "a day ago"),
        (now - timedelta(days=7), "a week ago"),
        (now, "now"),
    )
    return [(f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", meaning) for moment, meaning in moments]
