"""Rules for all suites: how long each may take, in which order they run, and which skips are not accepted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

TESTS_FOLDER = Path(__file__).parent

# The seconds that the tests of a suite may take, added up, on two cores, both busy. The slowest come first: they
# start first, so that nothing long is left for one process at the end. `make sim`, `make conformance` and
# `make bench` run longer, by hand.
BUDGET_SECONDS = {
    "templates": 480,  # each is installed
    "examples": 420,  # npm fetches the TypeScript SDK
    "dev": 720,
    "tui": 900,  # each screen is drawn in every theme and size
    "testing": 360,
    "store": 240,
    "differential": 300,
    "cli": 360,
    "service": 240,
    "bench": 120,
    "packaging": 240,
    "sim": 300,
    "core": 90,
    "conformance": 60,
    "runtime": 30,
    "architecture": 60,
}

_spent_seconds: Counter[str] = Counter()


def suite_of(nodeid: str) -> str:
    """Return the folder of tests/ that a test is in."""
    return nodeid.split("/")[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow suites first; within a suite the order stays."""
    order = {suite: place for place, suite in enumerate(BUDGET_SECONDS)}
    items.sort(key=lambda item: order.get(suite_of(item.nodeid), len(order)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that was skipped although `DX_TEST_REQUIRED` names one of its markers."""
    report = yield
    required = set(os.environ.get("DX_TEST_REQUIRED", "").split())
    if report.skipped and not hasattr(report, "wasxfail"):
        unmet = sorted(required & {marker.name for marker in item.iter_markers()})
        if unmet:
            report.outcome = "failed"
            report.longrepr = f"skipped, but {unmet[0]} tests are required here: {report.longrepr}"
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up what each suite takes."""
    _spent_seconds[suite_of(report.nodeid)] += report.duration


def over_budget() -> dict[str, float]:
    """Return the suites that took longer than they may, with their seconds."""
    return {suite: spent for suite, spent in _spent_seconds.items() if spent > BUDGET_SECONDS.get(suite, 0)}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the suites' times in CI, and elsewhere those that took too long."""
    in_ci = "CI" in os.environ
    late = over_budget()
    shown = _spent_seconds if in_ci else late
    for suite, spent in sorted(shown.items(), key=lambda pair: -pair[1]):
        verdict = "  TOO LONG" if suite in late else ""
        terminalreporter.write_line(f"{suite:<14}{spent:6.0f} s of {BUDGET_SECONDS.get(suite, 0)} s{verdict}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI, a suite over its budget fails the run; a user's slower machine only hears of it."""
    if "CI" in os.environ and over_budget() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
