"""One installation of dx for all that make projects with it, and the choice of templates."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from durable_cli.scaffold.catalogue import TEMPLATES
from tests.support.server_process import PROJECT_FOLDER
from tests.templates.installation import Installation

AT_ONCE = 3


@pytest.fixture(scope="package")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel of dx, installed."""
    return Installation.make(tmp_path_factory.mktemp("installation"))


def choose_templates(turn: int) -> set[str]:
    """Return the templates that are installed and run in a turn: three of them, and all of them in turn."""
    names = [template.name for template in TEMPLATES]
    turns = -(-len(names) // AT_ONCE)
    return set(names[turn % turns :: turns])


def count_commits() -> int:
    """Return how many commits led here; outside a repository 0."""
    command = ["git", "rev-list", "--count", "HEAD"]
    counted = subprocess.run(command, cwd=PROJECT_FOLDER, capture_output=True, text=True, check=False)
    return int(counted.stdout) if counted.returncode == 0 else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out the templates whose turn it is not, unless all are wanted; a marker says of which one a test is."""
    if os.environ.get("DX_TEST_TEMPLATES") == "all":
        return
    chosen = choose_templates(count_commits())
    folder = Path(__file__).parent
    for item in list(items):
        marker = item.get_closest_marker("template") if folder in item.path.parents else None
        if marker and marker.args[0] not in chosen:
            items.remove(item)
