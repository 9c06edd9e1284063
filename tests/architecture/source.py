"""The shipped source, parsed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
SHIPPED_FOLDERS = ("engine", "durable_cli")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class SourceFile:
    """A Python file: its path from the project's folder, its lines and its tree."""

    path: Path
    lines: list[str]
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.as_posix()


@cache
def shipped_files() -> tuple[SourceFile, ...]:
    """Return every Python file of the packages that are installed."""
    files = []
    for folder in SHIPPED_FOLDERS:
        for path in sorted((PROJECT_FOLDER / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            files.append(SourceFile(path.relative_to(PROJECT_FOLDER), text.splitlines(), ast.parse(text)))
    return tuple(files)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return every function, however deep."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def public_definitions(tree: ast.Module) -> Iterator[Definition]:
    """Return the module's public functions and classes, and what the public classes without a base define.

    A method of a class with a base implements what the base documents.
    """
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef) and not node.bases:
                for member in node.body:
                    if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and not member.name.startswith("_"):
                        yield member


@cache
def protocol_methods() -> frozenset[str]:
    """Return the names of the methods that the source's protocols document, for all that implement them."""
    return frozenset(
        member.name
        for file in shipped_files()
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Protocol" for base in node.bases)
        for member in node.body
        if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(member)
    )


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines from the `def` to the end, without the docstring."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    docstring = node.body[0] if ast.get_docstring(node) else None
    return total - ((docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0)
