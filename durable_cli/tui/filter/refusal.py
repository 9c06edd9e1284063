"""Why a server refuses a list filter, in words, with what to do: pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from durable_cli.filter_place import count_from_filter
from durable_cli.tui.filter.completion import OPERATORS, STATUSES
from durable_cli.tui.filter.reading import read_filter

__all__ = ["Refusal", "explain_refusal"]

INVALID = "invalid query: "
_SHOWN_CHARACTERS = 24


class Refusal(NamedTuple):
    """What is wrong, what to do, and where in the filter it is, as far as that is known."""

    message: str
    advice: str
    position: int | None = None


def explain_refusal(said: str, query: str, attributes: Mapping[str, str]) -> Refusal | None:
    """Explain what a server said of a filter; None when it says nothing of one.

    Args:
        attributes: the server's attributes by their types.
    """
    _, found, reason = said.partition(INVALID)
    if not found:
        return None
    for pattern, explain in _EXPLANATIONS:
        match = pattern.search(reason)
        if match is not None:
            return explain(match, query, attributes)
    wrong = _explain_form(query)
    said = count_from_filter(reason, query)
    return wrong or Refusal(f"the filter is refused: {said}", "tab in the bar shows what may come next")


def _unknown_attribute(match: re.Match[str], query: str, attributes: Mapping[str, str]) -> Refusal:
    name = match["name"]
    advice = _did_you_mean(name, attributes) or "tab in the bar shows those that there are"
    return Refusal(f"this namespace has no attribute {name}", advice, _find(query, name))


def _wrong_operator(match: re.Match[str], query: str, attributes: Mapping[str, str]) -> Refusal:
    name, kind, operator = match["name"], match["kind"], match["operator"]
    taken = ", ".join(OPERATORS.get(kind, ()))
    return Refusal(f"{name} is {kind}, which {operator} does not go with", f"it goes with {taken}", _find(query, name))


def _wrong_type(match: re.Match[str], query: str, attributes: Mapping[str, str]) -> Refusal:
    name, kind = match["name"], match["kind"]
    how = {
        "Int": "write a number, without quotes",
        "Double": "write a number, without quotes",
        "Bool": "write true or false, without quotes",
    }.get(kind, "write it in quotes")
    return Refusal(f"{name} is {kind}, which {match['value']} is not", how, _find(query, name))


def _wrong_time(match: re.Match[str], query: str, attributes: Mapping[str, str]) -> Refusal:
    advice = "write it with its zone, such as '2026-01-31T08:00:00Z'; tab in the bar offers times"
    return Refusal(f"{match['value']!r} is no time", advice, _find_last(query, match["value"]))


def _wrong_duration(match: re.Match[str], query: str, attributes: Mapping[str, str]) -> Refusal:
    value = match["value"].strip()
    return Refusal(
        f"{value!r} is no duration", "write it with its unit, such as '5m' or '1h30m'", _find_last(query, value)
    )


def _wrong_status(match: re.Match[str], query: str, attributes: Mapping[str, str]) -> Refusal:
    value = match["value"]
    advice = _did_you_mean(value, STATUSES) or f"there are {', '.join(STATUSES)}"
    return Refusal(f"there is no status {value}", advice, _find_last(query, value))


def _no_clause(match: re.Match[str], query: str, attributes: Mapping[str, str]) -> Refusal:
    clause = match["clause"]
    advice = "o sorts what is loaded" if clause == "ORDER BY" else "leave it out: the list loads more as one goes down"
    return Refusal(f"a list has no {clause}", advice, _find(query, clause))


def _needs_quotes(match: re.Match[str], query: str, attributes: Mapping[str, str]) -> Refusal:
    value = match["value"]
    return Refusal(f"{value} is read as an attribute", f"text needs quotes: '{value}'", _find_last(query, value))


_EXPLANATIONS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str, Mapping[str, str]], Refusal]], ...] = (
    (re.compile(r"invalid search attribute: (?P<name>.+)"), _unknown_attribute),
    (
        re.compile(
            r"operator '(?P<operator>[^']+)' not supported for (?P<kind>\w+) type search attribute '(?P<name>[^']+)'"
        ),
        _wrong_operator,
    ),
    (
        re.compile(
            r"invalid value type for search attribute (?P<name>.+) of type (?P<kind>\w+): (?P<value>.+) \(type: \w+\)"
        ),
        _wrong_type,
    ),
    (re.compile(r"unable to parse datetime '(?P<value>.*)'"), _wrong_time),
    (re.compile(r"invalid duration value for search attribute \w+: (?P<value>.*)"), _wrong_duration),
    (re.compile(r"invalid ExecutionStatus value '(?P<value>.*)'"), _wrong_status),
    (re.compile(r"'(?P<clause>ORDER BY|LIMIT|GROUP BY)' clause"), _no_clause),
    (re.compile(r'did you forget to quote "(?P<value>.*)"'), _needs_quotes),
)


def _explain_form(query: str) -> Refusal | None:
    """Say where the filter is not written as one is, as far as we can tell."""
    reading = read_filter(query, is_whole=True)
    if reading.wrong_at is not None:
        rest = query[reading.wrong_at :]
        if rest[:1] in ("'", '"') and rest.count(rest[0]) == 1:
            return Refusal(f"a quote is not closed: {_shorten(rest)}", f"end it with {rest[0]}", len(query))
        return Refusal(
            f"this is not understood: {_shorten(rest)}", f"expected is {reading.expected.value}", reading.wrong_at
        )
    if reading.expected.name != "JOIN":
        return Refusal("the filter is not finished", f"expected is {reading.expected.value}", len(query))
    if reading.depth:
        return Refusal("a parenthesis is not closed", "end it with )", len(query))
    return None


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), by_lower, n=1)
    return f"did you mean {by_lower[found[0]]}? Capitals count" if found else ""


def _find(query: str, words: str) -> int | None:
    position = query.lower().find(words.lower())
    return position + len(words) if position >= 0 else None


def _find_last(query: str, value: str) -> int | None:
    position = query.rfind(value)
    return position + len(value) if position >= 0 else None


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
