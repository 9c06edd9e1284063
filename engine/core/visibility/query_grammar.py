"""Parse a query: the part of SQL that can stand in a list filter, in the precedence of MySQL.

The parser is made when the first query comes: it takes longer than all else that a server does before it is ready.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any

from engine.core.visibility.query_nodes import (
    Between,
    Bool,
    Column,
    Compare,
    Is,
    Junction,
    Literal,
    Negation,
    Node,
    Other,
    Parenthesis,
    Query,
    Tuple,
    Unary,
)
from engine.core.visibility.query_tokens import QuerySyntaxError, QueryToken, read_tokens

__all__ = ["MAX_DEPTH", "QuerySyntaxError", "parse_query"]

MAX_DEPTH = 980
"""Of a tree, with each AND and each OR one level; SQLite takes a little more."""

_TOO_DEEP = "max ast depth reached"
_GRAMMAR = """
query: where? group_by? order_by? limit? _SEMICOLON?

where: _WHERE expression
group_by: _GROUP _BY expressions
order_by: _ORDER _BY order (_COMMA order)*
?order: expression (_ASC | _DESC)?
limit: _LIMIT expression ((_COMMA | _OFFSET) expression)?
expressions: expression (_COMMA expression)*

?expression: conjunction | expression OR conjunction -> junction
?conjunction: negation | conjunction AND negation -> junction
?negation: predicate | NOT negation -> negate
?predicate: condition | value | predicate _IS suffix -> test
    | _DEFAULT (_OPEN NAME _CLOSE)? -> default
suffix: NOT? (NULL | TRUE | FALSE)

?condition: value COMPARE value -> compare
    | value NOT? IN (tuple | list_argument) -> compare
    | value NOT? LIKE value (_ESCAPE value)? -> compare
    | value NOT? REGEXP value -> compare
    | value NOT? STARTS_WITH value -> compare
    | value NOT? _BETWEEN value AND value -> between

?value: operand
    | value (ARITHMETIC | MOD | PLUS_OR_MINUS | STAR) operand -> binary
    | value _COLLATE (NAME | STRING) -> collate
?operand: literal | bool | null | column | tuple -> parenthesis | function
    | (PLUS_OR_MINUS | PREFIX) operand -> unary
    | column _ARROW literal -> binary
    | _INTERVAL value NAME -> interval
literal: STRING | HEX | BITS | HEXADECIMAL | FLOAT | INTEGER | ARGUMENT
bool: TRUE | FALSE
null: NULL
column: NAME | NAME _DOT NAME | NAME _DOT NAME _DOT NAME
tuple: _OPEN expressions _CLOSE
list_argument: LIST_ARGUMENT
function: NAME _OPEN arguments? _CLOSE
    | NAME _OPEN _DISTINCT arguments _CLOSE
    | NAME _DOT NAME _OPEN arguments? _CLOSE
    | (FUNCTION_WORD | MOD) _OPEN arguments _CLOSE
    | TIME_FUNCTION (_OPEN _CLOSE)?
arguments: argument (_COMMA argument)*
argument: STAR | expression
"""
_TERMINALS = """
_WHERE _GROUP _BY _ORDER _LIMIT _OFFSET _ASC _DESC _DEFAULT _DISTINCT _IS _BETWEEN _ESCAPE _COLLATE _INTERVAL _OPEN
_CLOSE _COMMA _DOT _SEMICOLON _ARROW AND OR NOT IN LIKE REGEXP STARTS_WITH NULL TRUE FALSE COMPARE ARITHMETIC
PLUS_OR_MINUS STAR PREFIX NAME STRING HEX BITS HEXADECIMAL FLOAT INTEGER ARGUMENT LIST_ARGUMENT TIME_FUNCTION MOD
FUNCTION_WORD
"""


@lru_cache(maxsize=64)
def parse_query(query: str) -> Query:
    """Parse a query that is not blank.

    Raises:
        QuerySyntaxError: it is not SQL that can stand in a filter, or too deep.
    """
    parsed: Query = _parser()(read_tokens(query.strip()))
    if parsed.where is not None and _depth(parsed.where) > MAX_DEPTH:
        raise QuerySyntaxError(_TOO_DEEP)
    return parsed


@cache
def _parser() -> Callable[[list[QueryToken]], Any]:
    """Make the parser, a function of tokens."""
    from lark import Lark, Token, UnexpectedToken
    from lark.lexer import Lexer

    class ReadTokens(Lexer):
        """Hands on tokens that were read already."""

        def __init__(self, configuration: Any) -> None: ...

        def lex(self, tokens: Any) -> Iterator[Token]:  # type: ignore[override]
            for index, token in enumerate(tokens):
                yield Token(token.terminal, token.value, index)

    lark = Lark(
        f"{_GRAMMAR}\n%declare {' '.join(_TERMINALS.split())}",
        start="query",
        parser="lalr",
        lexer=ReadTokens,
        transformer=_TreeBuilder(),
    )

    def parse(tokens: list[QueryToken]) -> Any:
        try:
            return lark.parse(tokens[:-1])
        except UnexpectedToken as error:
            token = tokens[-1] if error.token.type == "$END" else tokens[error.token.start_pos or 0]
            raise token.refuse() from None

    return parse


class _TreeBuilder:
    """What each rule of the grammar becomes, from what its parts became."""

    def query(self, clauses: list[tuple[str, Any]]) -> Query:
        return Query(**dict(clauses))

    def where(self, parts: list[Any]) -> tuple[str, Any]:
        return "where", parts[0]

    def group_by(self, parts: list[Any]) -> tuple[str, Any]:
        return "group_by", parts[0]

    def order_by(self, parts: list[Any]) -> tuple[str, Any]:
        return "order_by", tuple(parts)

    def limit(self, parts: list[Any]) -> tuple[str, Any]:
        return "limited", True

    def expressions(self, parts: list[Any]) -> tuple[Node, ...]:
        return tuple(parts)

    def junction(self, parts: list[Any]) -> Node:
        left, operator, right = parts
        first = left.items if isinstance(left, Junction) and left.operator == operator.type else (left,)
        if len(first) > MAX_DEPTH:
            raise QuerySyntaxError(_TOO_DEEP)
        return Junction(operator.type, (*first, right))

    def negate(self, parts: list[Any]) -> Node:
        return Negation(parts[1])

    def test(self, parts: list[Any]) -> Node:
        return Is(*parts)

    def suffix(self, parts: list[Any]) -> str:
        return " ".join(parts)

    def default(self, parts: list[Any]) -> Node:
        return Other("*sqlparser.Default")

    def compare(self, parts: list[Any]) -> Node:
        words = [part for part in parts[1:] if hasattr(part, "type")]
        return Compare(parts[0], " ".join(words), parts[1 + len(words)])

    def between(self, parts: list[Any]) -> Node:
        left, *negated, low, _, high = parts
        return Between(left, low, high, bool(negated))

    def binary(self, parts: list[Any]) -> Node:
        return Other("*sqlparser.BinaryExpr")

    def collate(self, parts: list[Any]) -> Node:
        return Other("*sqlparser.CollateExpr")

    def interval(self, parts: list[Any]) -> Node:
        return Other("*sqlparser.IntervalExpr")

    def parenthesis(self, parts: list[Any]) -> Node:
        (inner,) = parts
        return Parenthesis(inner.items[0]) if len(inner.items) == 1 else inner

    def unary(self, parts: list[Any]) -> Node:
        operator, operand = str(parts[0]), parts[1]
        if operator in "+-" and isinstance(operand, Literal) and operand.terminal == "INTEGER":
            digits = operand.text.removeprefix("-")
            negative = (operator == "-") != (operand.text != digits)
            return Literal("INTEGER", f"-{digits}" if negative else digits)
        return Unary(operator, operand)

    def literal(self, parts: list[Any]) -> Node:
        return Literal(parts[0].type, str(parts[0]))

    def bool(self, parts: list[Any]) -> Node:
        return Bool(parts[0].type == "TRUE")

    def null(self, parts: list[Any]) -> Node:
        return Other("*sqlparser.NullVal")

    def column(self, parts: list[Any]) -> Node:
        return Column(tuple(map(str, parts)))

    def tuple(self, parts: list[Any]) -> Node:
        return Tuple(parts[0])

    def list_argument(self, parts: list[Any]) -> Node:
        return Other("sqlparser.ListArg")

    def function(self, parts: list[Any]) -> Node:
        return Other("*sqlparser.FuncExpr")

    def arguments(self, parts: list[Any]) -> None: ...

    def argument(self, parts: list[Any]) -> None: ...


def _depth(node: Node) -> int:
    """Return how many levels a tree has, with a level for each AND and each OR."""
    if isinstance(node, Junction):
        deepest = 0
        for item in node.items:
            deepest = max(deepest, _depth(item))
        return len(node.items) - 1 + deepest
    if isinstance(node, Negation | Parenthesis):
        return 1 + _depth(node.node)
    return 1
