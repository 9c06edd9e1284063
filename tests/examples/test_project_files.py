"""The dx.toml of an example serves what its own worker serves."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from durable_cli.dev.project.load import load_project
from tests.examples.conftest import EXAMPLES

PROJECTS = sorted(path.parent for path in EXAMPLES.glob("*/dx.toml"))

# Prints the names, in the code, of what the modules define and a worker can serve.
LIST_DEFINITIONS = """\
import importlib, json, sys
found = set()
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    for key, value in vars(module).items():
        if getattr(value, "__module__", None) == name and (
            hasattr(value, "__temporal_workflow_definition") or hasattr(value, "__temporal_activity_definition")
        ):
            found.add(key)
print(json.dumps(sorted(found)))
"""


def test_every_example_has_one() -> None:
    assert sorted(path for path in EXAMPLES.iterdir() if (path / "README.md").exists()) == PROJECTS


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda folder: folder.name)
def test_it_serves_the_examples_queues(folder: Path) -> None:
    (shared,) = folder.glob("**/shared.*")
    queues = re.findall(r'TASK_QUEUE = ["\'](.+?)["\']', shared.read_text())
    workers = load_project(folder).worker.values()
    if all(worker.is_python for worker in workers):
        assert [worker.task_queue for worker in workers] == queues
    else:
        assert {worker.task_queue for worker in workers} <= set(queues)


@pytest.mark.parametrize(
    "folder", [folder for folder in PROJECTS if (folder / "worker.py").exists()], ids=lambda folder: folder.name
)
def test_it_serves_what_worker_py_serves(folder: Path) -> None:
    source = (folder / "worker.py").read_text()
    for worker in load_project(folder).worker.values():
        done = subprocess.run(
            [sys.executable, "-c", LIST_DEFINITIONS, *worker.workflows, *worker.activities],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        definitions = json.loads(done.stdout)
        assert definitions
        assert [name for name in definitions if not re.search(rf"\b{name}\b", source)] == []
