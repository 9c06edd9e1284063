"""The harness itself: what it makes of a run's events, what it leaves out, what it counts. No server is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from .environment import TEST_PACKAGES, CannotRunError, check_suite, copy_suite, requirements
from .report import compare, counts_by_file, print_report, verdict
from .results import Result, Versions, load, merge, read_events, results_of, save, select, unstarted
from .selection import DEFAULT_FILES, reason_to_leave_out

FILE = "tests/test_a.py"
PASSED = Result("passed", 0.5, "", ("start_workflow_execution",))


def event(name: str, **values: Any) -> dict[str, Any]:
    return {"event": name, **values}


def finished(test: str, outcome: str = "passed", reason: str = "") -> dict[str, Any]:
    return event("finished", test=test, outcome=outcome, seconds=0.5, reason=reason, rpcs=["start_workflow_execution"])


def test_every_collected_test_has_a_result() -> None:
    tests = [f"{FILE}::{name}" for name in ("one", "two", "three", "four")]
    events = [
        event("collected", tests=tests),
        event("started", test=tests[0]),
        finished(tests[0]),
        event("started", test=tests[1]),
        event("collected", tests=tests[2:]),
        event("started", test=tests[2]),
        finished(tests[2], "skipped", "needs more"),
    ]
    assert unstarted(events) == [tests[3]]
    assert results_of(FILE, events, "not run") == {
        tests[0]: PASSED,
        tests[1]: Result("failed", reason="its process ended"),
        tests[2]: Result("skipped", 0.5, "needs more", ("start_workflow_execution",)),
        tests[3]: Result("failed", reason="not run"),
    }


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([], "no test was collected"),
        ([event("uncollectable", reason="ImportError: no x"), event("collected", tests=[])], "ImportError: no x"),
    ],
)
def test_a_file_without_tests_has_failed(events: list[dict[str, Any]], reason: str) -> None:
    assert results_of(FILE, events, "not run") == {FILE: Result("failed", reason=reason)}


def test_an_event_that_was_cut_off_is_none() -> None:
    line = json.dumps(event("started", test="a")) + "\n"
    assert read_events([line, line[:12]]) == [event("started", test="a")]


@pytest.mark.parametrize(
    ("test", "rpcs", "reason"),
    [
        ("tests/test_client.py::test_a", ["start_workflow_execution", "update_schedule"], "schedules"),
        ("tests/test_client.py::test_a", ["list_schedules"], "schedules"),
        ("tests/test_client.py::test_a", ["update_worker_build_id_compatibility"], "worker versioning and deployments"),
        ("tests/test_client.py::test_a", ["describe_worker_deployment"], "worker versioning and deployments"),
        ("tests/test_client.py::test_a", ["create_nexus_endpoint"], "Nexus"),
        ("tests/test_client.py::test_a", ["start_activity_execution"], "standalone activities"),
        ("tests/test_client.py::test_a", ["respond_activity_task_completed", "reset_workflow_execution"], None),
        ("tests/test_client.py::test_a", ["describe_worker", "describe_task_queue", "execute_multi_operation"], None),
        ("tests/test_activity.py::test_a", [], "standalone activities"),
        ("tests/nexus/test_workflow_caller.py::test_a", [], "Nexus"),
        ("tests/worker/test_activity.py::test_a", [], None),
    ],
)
def test_what_is_left_out(test: str, rpcs: list[str], reason: str | None) -> None:
    assert reason_to_leave_out(test, rpcs) == reason


def test_no_default_file_is_left_out() -> None:
    assert not [file for file in DEFAULT_FILES if reason_to_leave_out(file, [])]


def example() -> tuple[dict[str, Result], dict[str, Result]]:
    reference = {
        f"{FILE}::same": PASSED,
        f"{FILE}::missing": PASSED,
        f"{FILE}::skipped": PASSED,
        f"{FILE}::absent": PASSED,
        f"{FILE}::broken": Result("failed", reason="no network"),
        f"{FILE}::schedule": Result("passed", rpcs=("create_schedule",)),
    }
    ours = {
        f"{FILE}::same": PASSED,
        f"{FILE}::missing": Result("failed", reason="RPCError: [x] not served"),
        f"{FILE}::skipped": Result("skipped", reason="not here"),
        f"{FILE}::broken": PASSED,
        f"{FILE}::schedule": Result("failed", reason="UNIMPLEMENTED"),
    }
    return reference, ours


def test_only_what_passes_on_the_reference_is_counted() -> None:
    comparison = compare(*example())
    assert comparison.left_out == {f"{FILE}::schedule": "schedules"}
    assert comparison.missing == [f"{FILE}::missing", f"{FILE}::skipped", f"{FILE}::absent"]
    assert verdict(comparison) == "1 of 4 tests that pass on the reference server pass on ours: 25.0 %"
    assert counts_by_file(comparison.ours) == {FILE: {"passed": 2, "failed": 1, "skipped": 1}}


def test_one_server_alone_is_only_counted() -> None:
    reference, ours = example()
    assert verdict(compare(reference, None)) == "4 passed, 1 failed, 0 skipped"
    assert verdict(compare(None, ours)) == "2 passed, 2 failed, 1 skipped"


def test_report_names_what_is_missing_and_why() -> None:
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    print_report(compare(*example()), console)
    text = console.export_text()
    assert "test_a.py" in text
    assert "4/1/0" in text
    assert "1 of 4" in text
    assert f"  {FILE}::missing: RPCError: [x] not served\n" in text
    assert f"  {FILE}::skipped: skipped: not here\n" in text
    assert f"  {FILE}::absent: is not there\n" in text
    assert f"1 left out:\n  {FILE}::schedule: schedules\n" in text


def test_results_survive_a_file(tmp_path: Path) -> None:
    versions = Versions("abc", "1.2.3", "server 4")
    save(tmp_path / "results.json", versions, {"a::b": PASSED})
    assert load(tmp_path / "results.json") == (versions, {"a::b": PASSED})


def test_new_results_replace_those_of_their_files() -> None:
    failed = Result("failed")
    known = {"a.py::one": failed, "a.py::gone": failed, "b.py::one": failed}
    found = {"a.py::one": PASSED, "c.py::one": PASSED}
    assert merge(known, found, whole_files=True) == {"b.py::one": failed, "a.py::one": PASSED, "c.py::one": PASSED}
    assert merge(known, found, whole_files=False) == {**known, "a.py::one": PASSED}
    assert select(known, ["a.py"], None) == {"a.py::one": failed, "a.py::gone": failed}
    assert select(known, ["a.py"], ["a.py::gone", "b.py::one"]) == {"a.py::gone": failed}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "suite"
    (folder / "tests" / "__pycache__").mkdir(parents=True)
    (folder / "temporalio").mkdir()
    (folder / "tests" / "conftest.py").write_text("")
    (folder / "pyproject.toml").write_text('[project]\nversion = "1.31.2"\n')
    packages = "".join(f'[[package]]\nname = "{name}"\nversion = "7.1"\n' for name in TEST_PACKAGES)
    (folder / "uv.lock").write_text(f'{packages}[[package]]\nname = "other"\nversion = "1"\n')
    return folder


def test_requirements_are_the_coming_sdk_and_the_locked_versions(suite: Path) -> None:
    wanted = requirements(suite, None)
    assert wanted[0] == "temporalio>1.31.2,<1.33"
    assert "pytest-asyncio==7.1" in wanted
    assert not [requirement for requirement in wanted if "other" in requirement]
    assert requirements(suite, "1.30.0")[0] == "temporalio==1.30.0"


def test_the_sdk_s_sources_are_not_copied(suite: Path, tmp_path: Path) -> None:
    copy_suite(suite, tmp_path / "copy")
    copied = {str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*")}
    assert copied == {"tests", "tests/conftest.py", "pyproject.toml", "suite_plugin.py"}


def test_another_folder_is_no_suite(suite: Path) -> None:
    check_suite(suite)
    with pytest.raises(CannotRunError, match="no checkout"):
        check_suite(suite / "tests")
