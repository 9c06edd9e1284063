"""What holds for the project as a whole: its contracts, its folders, the budgets of its suites."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import BUDGET_SECONDS, TESTS_FOLDER, pytest_runtest_makereport

from .source import PROJECT_FOLDER
from .test_source import tracked_files

TOP_FOLDERS = {"durable_cli", "engine", "templates", "tests", "examples", ".ci"}
CONSTRAINT = re.compile(r"[a-z0-9-]+==[^ ]+( ; .+)?")


def test_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=PROJECT_FOLDER, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout


def test_no_other_top_level_folder() -> None:
    found = {path.relative_to(PROJECT_FOLDER).parts[0] for path in tracked_files() if path.parent != PROJECT_FOLDER}
    assert found <= TOP_FOLDERS


def test_every_suite_has_a_time_budget() -> None:
    suites = {path.relative_to(TESTS_FOLDER).parts[0] for path in TESTS_FOLDER.rglob("test_*.py")}
    assert suites <= set(BUDGET_SECONDS)


def test_constraints_are_exact_and_name_no_host() -> None:
    lines = (PROJECT_FOLDER / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 20
    assert [line for line in pins if not CONSTRAINT.fullmatch(line)] == []
    assert not [line for line in lines if "://" in line or "--" in line]


def test_npm_locks_name_no_host() -> None:
    locks = [path for path in tracked_files() if path.name == "package-lock.json"]
    assert locks
    for lock in locks:
        packages = json.loads(lock.read_text())["packages"]
        assert not [name for name, package in packages.items() if "resolved" in package]
        assert all("integrity" in package for name, package in packages.items() if name)


def test_a_required_test_may_not_be_skipped(tmp_path: Path) -> None:
    """The rule of tests/conftest.py, in a run of its own."""
    assert pytest_runtest_makereport
    (tmp_path / "tests" / "suite").mkdir(parents=True)
    (tmp_path / "tests" / "conftest.py").write_text((TESTS_FOLDER / "conftest.py").read_text())
    (tmp_path / "tests" / "suite" / "test_it.py").write_text(
        "import pytest\n\n@pytest.mark.needs_node\ndef test_it():\n    pytest.skip('no Node.js')\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    needs_node: needs Node.js\n")
    for required, code, closing in (("", 0, "1 skipped"), ("needs_node", 1, "1 failed")):
        result = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
            cwd=tmp_path,
            env={"PATH": "", "DX_TEST_REQUIRED": required},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (result.returncode, closing in result.stdout) == (code, True), result.stdout + result.stderr
