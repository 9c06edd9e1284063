"""The examples are ordinary user code: they import nothing of dx."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.examples.conftest import EXAMPLES


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("*.py")), ids=lambda file: file.name)
def test_example_imports_nothing_of_dx(file: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.partition(".")[0])
    assert imported.isdisjoint({"engine", "durable_cli"})


def test_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (EXAMPLES / "order-typescript" / "package-lock.json").read_text()
