"""How a list filter is read, as far as it is typed: pure, a table of what may follow what."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

__all__ = ["Expected", "Reading", "read_filter"]


class Expected(Enum):
    """What comes next; the value says it in words."""

    NAME = "the name of an attribute"
    OPERATOR = "an operator"
    NEGATED = "IN, BETWEEN or STARTS_WITH"
    IS = "NULL or NOT NULL"
    IS_NOT = "NULL"
    LIST = "( and the values"
    ITEM = "one of the values: text in quotes, a number, true or false"
    ITEM_END = "a comma, or ) at the end of the values"
    LOW = "the lower value: text in quotes, or a number"
    BETWEEN_AND = "AND and the upper value"
    VALUE = "a value: text in quotes, a number, true or false"
    JOIN = "AND, OR, or the end"


class Reading(NamedTuple):
    """What a text begins with, and how it goes on."""

    expected: Expected
    attribute: str = ""
    """Of the comparison that is being typed, or was typed last."""
    depth: int = 0
    """How many parentheses are open."""
    begun: str = ""
    """The word that is not finished, or what is typed of a quoted value."""
    quote: str = ""
    """Within which quotes it ends."""
    wrong_at: int | None = None
    """Where it goes wrong: what is there is not what is expected."""


_TOKEN = re.compile(
    r"""\s*(?:
        (?P<quoted>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
      | (?P<open>'(?:[^'\\]|\\.|'')*\\?$|"(?:[^"\\]|\\.|"")*\\?$)
      | `(?P<backquoted>[^`]+)`
      | (?P<number>[-+]?\d+(?:\.\d*)?)(?![\w.])
      | (?P<word>[A-Za-z_]\w*)
      | (?P<compare><=|>=|!=|<>|=|<|>)
      | (?P<join>&&|\|\|)
      | (?P<sign>[(),])
    )""",
    re.VERBOSE | re.DOTALL,
)
_E = Expected
_NEXT = {
    (_E.NAME, "("): _E.NAME,
    (_E.NAME, "NOT"): _E.NAME,
    (_E.NAME, "name"): _E.OPERATOR,
    (_E.OPERATOR, "compare"): _E.VALUE,
    (_E.OPERATOR, "STARTS_WITH"): _E.VALUE,
    (_E.OPERATOR, "IN"): _E.LIST,
    (_E.OPERATOR, "BETWEEN"): _E.LOW,
    (_E.OPERATOR, "NOT"): _E.NEGATED,
    (_E.OPERATOR, "IS"): _E.IS,
    (_E.NEGATED, "STARTS_WITH"): _E.VALUE,
    (_E.NEGATED, "IN"): _E.LIST,
    (_E.NEGATED, "BETWEEN"): _E.LOW,
    (_E.IS, "NULL"): _E.JOIN,
    (_E.IS, "NOT"): _E.IS_NOT,
    (_E.IS_NOT, "NULL"): _E.JOIN,
    (_E.LIST, "("): _E.ITEM,
    (_E.ITEM, "value"): _E.ITEM_END,
    (_E.ITEM_END, ","): _E.ITEM,
    (_E.ITEM_END, ")"): _E.JOIN,
    (_E.LOW, "value"): _E.BETWEEN_AND,
    (_E.BETWEEN_AND, "AND"): _E.VALUE,
    (_E.VALUE, "value"): _E.JOIN,
    (_E.JOIN, "AND"): _E.NAME,
    (_E.JOIN, "OR"): _E.NAME,
    (_E.JOIN, ")"): _E.JOIN,
}
_VALUES = frozenset({_E.ITEM, _E.LOW, _E.VALUE})
_JOINS = {"&&": "AND", "||": "OR"}


def read_filter(text: str, *, is_whole: bool = False) -> Reading:
    """Read what is typed of a filter.

    Args:
        is_whole: a word at its very end is finished, too.
    """
    expected, attribute, depth, position = Expected.NAME, "", 0, 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        kind = match.lastgroup if match is not None else None
        if match is None or kind is None:
            return Reading(expected, attribute, depth, wrong_at=_skip_space(text, position))
        token, start = match[kind], _skip_space(text, position)
        if kind == "open":
            wrong_at = None if expected in _VALUES and not is_whole else start
            return Reading(expected, attribute, depth, token[1:], token[0], wrong_at)
        if kind in ("word", "number") and match.end() == len(text) and not is_whole:
            return Reading(expected, attribute, depth, token)
        following = _NEXT.get((expected, _key(expected, kind, token)))
        if following is None or (expected is Expected.JOIN and token == ")" and not depth):
            return Reading(expected, attribute, depth, wrong_at=start)
        if following is Expected.OPERATOR:
            attribute = token
        if expected is Expected.NAME and token == "(":
            depth += 1
        elif expected is Expected.JOIN and token == ")":
            depth -= 1
        expected, position = following, match.end()
    return Reading(expected, attribute, depth)


def _key(expected: Expected, kind: str, token: str) -> str:
    """Return what a token is to the table, where something is expected."""
    word = token.upper()
    if kind == "compare":
        return kind
    if kind == "join":
        return _JOINS[token]
    if kind == "sign":
        return token
    if expected is Expected.NAME and kind in ("word", "backquoted") and (kind == "backquoted" or word != "NOT"):
        return "name"
    if expected in _VALUES and (kind in ("quoted", "number") or word in ("TRUE", "FALSE")):
        return "value"
    return word if kind == "word" else kind


def _skip_space(text: str, position: int) -> int:
    return position + len(text[position:]) - len(text[position:].lstrip())
