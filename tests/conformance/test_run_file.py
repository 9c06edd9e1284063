"""Run a file of a small suite as a file of the SDK's is run: hanging and dying tests end nothing but themselves."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from .environment import copy_suite
from .run_file import Setting, run_file

FILE = "tests/test_small.py"
SMALL_SUITE = """
import asyncio
import os
import threading

import pytest
from temporalio.testing import WorkflowEnvironment


async def wait_forever():
    await asyncio.Event().wait()


async def test_hangs():
    await wait_forever()


def test_passes_after_a_hang():
    pass


def test_ends_its_process():
    os._exit(3)


def test_swallows_the_interruption():
    while True:
        try:
            threading.Event().wait()
        except BaseException:
            pass


def test_fails():
    print("what it printed")
    raise ValueError("no\\nmore")


def test_is_skipped():
    pytest.skip("needs more")


async def test_starts_a_server():
    await WorkflowEnvironment.start_local(dev_server_download_version="none")
"""


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    suite = tmp_path / "suite"
    (suite / "tests").mkdir(parents=True)
    (suite / "tests" / "__init__.py").write_text("")
    (suite / FILE).write_text(SMALL_SUITE)
    (suite / "pyproject.toml").write_text('[tool.pytest.ini_options]\nasyncio_mode = "auto"\n')
    copy_suite(suite, tmp_path / "copy")
    launcher = tmp_path / "launcher"
    launcher.write_text('#!/bin/sh\necho "$@" >"$CONFORMANCE_SERVER_LOG"\n')
    launcher.chmod(0o755)
    return Setting(Path(sys.executable), tmp_path / "copy", launcher, tmp_path / "logs", 3, 120, "not starts_a_server")


def test_tests_that_hang_or_die_do_not_stop_the_others(setting: Setting) -> None:
    results = asyncio.run(run_file(FILE, setting))
    found = {test.removeprefix(f"{FILE}::"): (result.outcome, result.reason) for test, result in results.items()}
    assert found == {
        "test_hangs": ("failed", "Failed: hangs: tests/test_small.py:11"),
        "test_passes_after_a_hang": ("passed", ""),
        "test_ends_its_process": ("failed", "its process ended"),
        "test_swallows_the_interruption": ("failed", "hangs, and can't be interrupted"),
        "test_fails": ("failed", "ValueError: no"),
        "test_is_skipped": ("skipped", "Skipped: needs more"),
    }
    failures = (setting.logs / "tests-test_small.failures.txt").read_text()
    assert "======== tests/test_small.py::test_fails (call)" in failures
    assert "what it printed" in failures


def test_the_suite_s_local_server_is_the_chosen_one(setting: Setting) -> None:
    asyncio.run(run_file(FILE, replace(setting, test_seconds=20, keyword="starts_a_server")))
    flags = (setting.logs / "tests-test_small.server.txt").read_text()
    assert flags.startswith("server start-dev --port ")


def test_a_file_that_cannot_be_imported_has_failed(setting: Setting) -> None:
    (setting.folder / FILE).write_text("import nothing_of_that_name\n")
    results = asyncio.run(run_file(FILE, setting))
    assert results[FILE].outcome == "failed"
    assert "nothing_of_that_name" in results[FILE].reason
