"""What a query says, as a tree, before anybody asked what its names mean."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.core.visibility.query_tokens import is_plain_name

__all__ = [
    "Between", "Bool", "Column", "Compare", "Is", "Junction", "Literal", "Negation", "Node", "Other", "Parenthesis",
    "Query", "Tuple", "Unary",
]  # fmt: skip

_ENCODED = {"\0": "\\0", "'": "\\'", '"': '\\"', "\b": "\\b", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1a": "\\Z"}
_ENCODED["\\"] = "\\\\"
_SHOWN_LITERALS = {"HEX": "X'{}'", "BITS": "B'{}'"}


@dataclass(frozen=True, slots=True)
class Literal:
    """A string or a number: its terminal and its text."""

    terminal: str
    text: str
    type_name = "*sqlparser.SQLVal"

    def __str__(self) -> str:
        if self.terminal == "STRING":
            return f"'{''.join(_ENCODED.get(letter, letter) for letter in self.text)}'"
        return _SHOWN_LITERALS.get(self.terminal, "{}").format(self.text)


@dataclass(frozen=True, slots=True)
class Bool:
    """TRUE or FALSE."""

    value: bool
    type_name = "sqlparser.BoolVal"

    def __str__(self) -> str:
        return "true" if self.value else "false"


@dataclass(frozen=True, slots=True)
class Column:
    """A name, perhaps of several parts."""

    parts: tuple[str, ...]
    type_name = "*sqlparser.ColName"

    @property
    def name(self) -> str:
        return ".".join(self.parts).replace("`", "")

    def __str__(self) -> str:
        return ".".join(part if is_plain_name(part) else f"`{part.replace('`', '``')}`" for part in self.parts)


@dataclass(frozen=True, slots=True)
class Parenthesis:
    """A node in parentheses."""

    node: Node
    type_name = "*sqlparser.ParenExpr"

    def __str__(self) -> str:
        return f"({self.node})"


@dataclass(frozen=True, slots=True)
class Tuple:
    """Several nodes in parentheses, or what stands after IN."""

    items: tuple[Node, ...]
    type_name = "sqlparser.ValTuple"

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.items))})"


@dataclass(frozen=True, slots=True)
class Unary:
    """A prefix operator and its operand."""

    operator: str
    operand: Node
    type_name = "*sqlparser.UnaryExpr"

    def __str__(self) -> str:
        return f"{self.operator}{' ' if isinstance(self.operand, Unary) else ''}{self.operand}"


@dataclass(frozen=True, slots=True)
class Junction:
    """Nodes joined by AND or by OR."""

    operator: str
    items: tuple[Node, ...]

    @property
    def type_name(self) -> str:
        return "*sqlparser.AndExpr" if self.operator == "AND" else "*sqlparser.OrExpr"

    def __str__(self) -> str:
        return f" {self.operator.lower()} ".join(map(str, self.items))


@dataclass(frozen=True, slots=True)
class Negation:
    """NOT and its operand."""

    node: Node
    type_name = "*sqlparser.NotExpr"

    def __str__(self) -> str:
        return f"not {self.node}"


@dataclass(frozen=True, slots=True)
class Compare:
    """Two nodes and the operator between them, in lower case."""

    left: Node
    operator: str
    right: Node
    type_name = "*sqlparser.ComparisonExpr"

    def __str__(self) -> str:
        return f"{self.left} {self.operator} {self.right}"


@dataclass(frozen=True, slots=True)
class Between:
    """[NOT] BETWEEN."""

    left: Node
    low: Node
    high: Node
    negated: bool
    type_name = "*sqlparser.RangeCond"

    def __str__(self) -> str:
        return f"{self.left}{' not' if self.negated else ''} between {self.low} and {self.high}"


@dataclass(frozen=True, slots=True)
class Is:
    """IS and what follows: null, true, false, or NOT and one of them."""

    node: Node
    suffix: str
    type_name = "*sqlparser.IsExpr"

    def __str__(self) -> str:
        return f"{self.node} is {self.suffix}"


@dataclass(frozen=True, slots=True)
class Other:
    """SQL that is read, but that no filter may hold."""

    type_name: str

    def __str__(self) -> str:
        return "..."


Node = (
    Literal | Bool | Column | Parenthesis | Tuple | Unary | Junction | Negation | Compare | Between | Is | Other
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """The clauses of a query."""

    where: Node | None = None
    group_by: tuple[Node, ...] = field(default=())
    order_by: tuple[Node, ...] = field(default=())
    limited: bool = False
