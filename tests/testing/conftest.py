"""Projects of users, made in a temporary folder, and their tests, run for real."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

WORKFLOWS = """
from datetime import timedelta

from temporalio import activity, workflow


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}"


@activity.defn
def greet_in_a_thread(name: str) -> str:
    return f"Hello, {name}"


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity("greet", name, start_to_close_timeout=timedelta(seconds=5))
"""

# Under which names an async test can be run; the test itself is the same.
PYTEST_ASYNCIO = 'import pytest\n\npytestmark = pytest.mark.asyncio(loop_scope="{scope}")\n'
ANYIO = "import pytest\n\npytestmark = pytest.mark.anyio\n"


@dataclass(frozen=True)
class Outcome:
    """What became of one test: passed, failed, error or skipped, and all that was said about it."""

    result: str
    said: str


@dataclass(frozen=True)
class Session:
    """A run of pytest that has ended."""

    code: int
    output: str
    tests: dict[str, Outcome]

    def passed(self) -> Session:
        """Return self, or fail with what pytest said."""
        assert self.code == 0, self.output
        return self


@dataclass(frozen=True)
class Project:
    """A folder with the tests of a user."""

    folder: Path

    def write(self, **files: str) -> Project:
        """Write Python files, by the names of their modules."""
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text)
        return self

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--junitxml", "report.xml", *words]

    def launch(self, *words: str) -> subprocess.Popen[str]:
        """Start pytest and return at once."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "TEMPORAL"))
        }
        return subprocess.Popen(
            self.command(*words),
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def test(self, *words: str) -> Session:
        """Run pytest to its end."""
        process = self.launch(*words)
        try:
            output, _ = process.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"pytest did not end:\n{process.communicate()[0]}") from None
        return Session(process.returncode, output, self._read_report())

    def _read_report(self) -> dict[str, Outcome]:
        report = self.folder / "report.xml"
        tests: dict[str, Outcome] = {}
        for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
            result, said = "passed", []
            for child in case:
                if child.tag in {"failure", "error", "skipped"}:
                    result = {"failure": "failed"}.get(child.tag, child.tag)
                said.append(child.text or "")
            tests[case.get("name", "")] = Outcome(result, "\n".join(said))
        return tests


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[..., Project]:
    """Make a project whose conftest.py loads the plugin, with a module `workflows`."""

    def make(name: str = "project", *, ini: str = "", conftest: str = "", **files: str) -> Project:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "pytest.ini").write_text(f"[pytest]\njunit_logging = all\n{ini}")
        project = Project(folder)
        loaded = f'pytest_plugins = ["durable_cli.testing"]\n{conftest}'
        return project.write(conftest=loaded, workflows=WORKFLOWS, **files)

    return make
