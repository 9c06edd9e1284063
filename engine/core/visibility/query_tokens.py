"""Cut a query into tokens: SQL's, as MySQL writes it, with comments left out.

Positions are the reference server's: it counts bytes, from the start of the statement that it puts the query into, and
reads one character ahead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.core.visibility.query_words import NAME_WORDS, NO_NAME_WORDS, OPERATOR_WORDS, RESERVED_WORDS

__all__ = ["MAX_NESTING", "QuerySyntaxError", "QueryToken", "is_plain_name", "read_tokens"]

MAX_NESTING = 200
"""Open parentheses and prefix operators, together."""

_BEFORE_QUERY = "select * from table1 "
_ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}

_TOKEN = re.compile(
    r"""(?P<blank>[ \n\r\t]+|(?:--|\#|//)[^\n]*\n?|/\*(?s:.)*?\*/)
      | (?P<text>'(?:[^'\\]|\\(?s:.)|'')*+'|"(?:[^"\\]|\\(?s:.)|"")*+")
      | (?P<HEX>[Xx]'(?:[0-9A-Fa-f]{2})*')
      | (?P<BITS>[Bb]'[01]*')
      | (?P<MISTAKE>[Xx]'[0-9A-Fa-f]*|[Bb]'[01]*)
      | (?P<word>(?:@@[A-Za-z0-9_@.]*|[A-Za-z_@][A-Za-z0-9_@]*))
      | (?P<quoted>`(?:[^`]|``)+`)
      | (?P<HEXADECIMAL>0[xX][0-9A-Fa-f]*)
      | (?P<FLOAT>(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]*)?|[0-9]+[eE][+-]?[0-9]*)
      | (?P<INTEGER>[0-9]+)
      | (?P<LIST_ARGUMENT>::[A-Za-z_@][A-Za-z0-9_@.]*)
      | (?P<ARGUMENT>:[A-Za-z_@][A-Za-z0-9_@.]*|\?)
      | (?P<sign>&&|\|\||<=>|<>|<<|<=|>=|>>|!=|->>|->|[=,;()+*%^~&|.<>!-]|/(?!\*))
    """,
    re.VERBOSE,
)
_UNFINISHED = re.compile(r"""['"`](?P<rest>(?s:.)*)|(?P<comment>/\*(?s:.)*)""")
_LETTER = re.compile(r"[A-Za-z_@]")
_PLAIN_NAME = re.compile(r"[A-Za-z_@][A-Za-z0-9_@]*")

_SIGNS = {
    **dict.fromkeys(("=", "<", ">", "<=", ">=", "!=", "<>", "<=>"), "COMPARE"),
    **dict.fromkeys(("/", "%", "^", "&", "|", "<<", ">>"), "ARITHMETIC"),
    "+": "PLUS_OR_MINUS",
    "-": "PLUS_OR_MINUS",
    "*": "STAR",
    "~": "PREFIX",
    "!": "PREFIX",
    "&&": "AND",
    "||": "OR",
    "->": "_ARROW",
    "->>": "_ARROW",
    ",": "_COMMA",
    ";": "_SEMICOLON",
    "(": "_OPEN",
    ")": "_CLOSE",
    ".": "_DOT",
}
_PREFIXES = frozenset({"NOT", "PLUS_OR_MINUS", "PREFIX", "_INTERVAL"})
_ENDS_OPERAND = frozenset(
    {"NAME", "STRING", "HEX", "BITS", "HEXADECIMAL", "FLOAT", "INTEGER", "ARGUMENT", "NULL", "TRUE", "FALSE", "_CLOSE"}
)


class QuerySyntaxError(Exception):
    """The query is not SQL; the message says where."""


@dataclass(frozen=True, slots=True)
class QueryToken:
    """A token: its terminal, what it stands for, what it looks like in errors, and where it ends (a position)."""

    terminal: str
    value: str
    near: str
    position: int

    def refuse(self, problem: str = "syntax error") -> QuerySyntaxError:
        """Return the error that names this token."""
        near = f" near '{self.near}'" if self.near else ""
        return QuerySyntaxError(f"{problem} at position {self.position}{near}")


def read_tokens(query: str) -> list[QueryToken]:
    """Cut a stripped query into tokens; a WHERE stands before it unless it begins with GROUP BY or ORDER BY.

    Raises:
        QuerySyntaxError: what is no token, or too deep.
    """
    before = _BEFORE_QUERY
    tokens: list[QueryToken] = []
    if not query.lower().startswith(("order by", "group by")):
        before += "where "
        tokens.append(QueryToken("_WHERE", "where", "where", len(before)))
    offset = 0
    end_position = len(before) + 1
    depth = _Depth()
    arguments = 0
    while offset < len(query):
        match = _TOKEN.match(query, offset)
        if match is None:
            tokens.append(_not_a_token(query, offset, end_position))
            break
        text = match[0]
        end_position += len(text.encode())
        offset = match.end()
        if match.lastgroup == "blank":
            continue
        arguments += text == "?"
        token = _token(str(match.lastgroup), text, end_position, arguments)
        if tokens and tokens[-1].terminal == "_DOT" and match.lastgroup == "word" and token.terminal != "NO_NAME_WORD":
            token = QueryToken("NAME", token.value, token.near, end_position)
        if token.terminal in ("INTEGER", "FLOAT", "HEXADECIMAL") and _LETTER.match(query, offset):
            token = QueryToken("MISTAKE", "", text, end_position)
        tokens.append(token)
        depth.count(token)
    end_position = len(before) + len(query.encode()) + 1
    tokens.append(QueryToken("$END", "", "", end_position))
    return tokens


def is_plain_name(name: str) -> bool:
    """Say whether a name needs no backquotes."""
    lowered = name.lower()
    return _PLAIN_NAME.fullmatch(name) is not None and not (
        lowered in OPERATOR_WORDS or lowered in RESERVED_WORDS or lowered in NAME_WORDS or lowered in NO_NAME_WORDS
    )


class _Depth:
    """Counts open parentheses and the prefix operators that wait for their operand."""

    def __init__(self) -> None:
        self._open: list[int] = []
        self._prefixes = 0
        self._after_operand = False
        self._total = 0

    def count(self, token: QueryToken) -> None:
        terminal = token.terminal
        deeper = terminal == "_OPEN" or (terminal in _PREFIXES and not self._after_operand)
        if terminal == "_OPEN":
            self._open.append(self._prefixes)
            self._prefixes = 0
        elif deeper:
            self._prefixes += 1
        else:
            self._total -= self._prefixes
            self._prefixes = 0
            if terminal == "_CLOSE" and self._open:
                self._total -= self._open.pop() + 1
        if deeper:
            self._total += 1
            if self._total == MAX_NESTING:
                raise token.refuse("max nesting level reached")
        self._after_operand = terminal in _ENDS_OPERAND


def _token(kind: str, text: str, position: int, arguments: int) -> QueryToken:
    if kind == "text":
        value = _unescape(text[1:-1], text[0])
        return QueryToken("STRING", value, value, position)
    if kind == "quoted":
        name = text[1:-1].replace("``", "`")
        return QueryToken("NAME", name, name, position)
    if kind == "word":
        return _word(text, position)
    if kind == "sign":
        return QueryToken(_SIGNS[text], "!=" if text == "<>" else text, "", position)
    if kind in ("HEX", "BITS"):
        return QueryToken(kind, text[2:-1], text[2:-1], position)
    if kind == "MISTAKE":
        return QueryToken(kind, "", text[2:], position)
    if text == "?":
        text = f":v{arguments}"
    return QueryToken(kind, text, text, position)


def _word(text: str, position: int) -> QueryToken:
    lowered = text.lower()
    terminal = OPERATOR_WORDS.get(lowered)
    if terminal is not None:
        return QueryToken(terminal, lowered, lowered, position)
    if lowered in RESERVED_WORDS:
        return QueryToken("RESERVED_WORD", lowered, lowered, position)
    if lowered in NO_NAME_WORDS:
        return QueryToken("NO_NAME_WORD", lowered, lowered, position)
    name = lowered if lowered in NAME_WORDS else text
    return QueryToken("NAME", name, name, position)


def _not_a_token(query: str, offset: int, position: int) -> QueryToken:
    unfinished = _UNFINISHED.match(query, offset)
    if unfinished is None:
        first = query[offset]
        return QueryToken("MISTAKE", "", first if first.isascii() else "\ufffd", position + 1)
    end = position + len(query[offset:].encode())
    if unfinished["comment"] is not None:
        return QueryToken("MISTAKE", "", unfinished["comment"], end)
    rest = unfinished["rest"]
    if query[offset] == "`" and rest.startswith("`"):
        return QueryToken("MISTAKE", "", "", position + 2)
    near = rest if query[offset] == "`" else _unescape(rest, query[offset])
    return QueryToken("MISTAKE", "", near, end)


def _unescape(text: str, quote: str) -> str:
    """Return what stands between quotes as it is meant."""
    if "\\" not in text and quote not in text:
        return text
    if re.fullmatch(r"(?:[^\\]|\\(?s:.))*+\\", text):
        text = text[:-1]  # what it escapes is missing
    doubled_or_escaped = re.compile(rf"{quote}{quote}|\\(.)", re.DOTALL)
    return doubled_or_escaped.sub(lambda match: _ESCAPES.get(match[1], match[1]) if match[1] else quote, text)
