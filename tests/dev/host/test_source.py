"""What runs in the user's interpreter needs nothing but the SDK, and no newer Python than that may be."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from durable_cli.dev import host

FILES = sorted(Path(host.__file__).parent.glob("*.py"))
OLDEST_PYTHON = (3, 10)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_only_the_standard_library_and_the_sdk_are_imported(file: Path) -> None:
    tree = ast.parse(file.read_text(), feature_version=OLDEST_PYTHON)
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level != 1:
            imported.add((node.module or "").partition(".")[0])
    assert imported <= {*sys.stdlib_module_names, "temporalio"}
