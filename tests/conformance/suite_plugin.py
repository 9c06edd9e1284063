"""Run inside the suite's own pytest: start the chosen server, report each test as it happens, end one that hangs.

This file is copied beside the suite's tests and imports nothing of this project.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import temporalio.service
from temporalio.testing import WorkflowEnvironment

LAUNCHER = os.environ["CONFORMANCE_LAUNCHER"]
EVENTS = Path(os.environ["CONFORMANCE_EVENTS"])
FAILURES = Path(os.environ["CONFORMANCE_FAILURES"])
TEST_SECONDS = float(os.environ["CONFORMANCE_TEST_SECONDS"])
CLEANUP_SECONDS = TEST_SECONDS / 4


class RunningTest:
    """The test that runs now, and what has been seen of it."""

    def __init__(self, item: pytest.Item) -> None:
        self.item = item
        self.outcome = "passed"
        self.reason = ""
        self.seconds = 0.0
        self.rpcs: set[str] = set()
        self.hangs = False


running: RunningTest | None = None


def write_event(name: str, **values: Any) -> None:
    """Add a line to the events, so that it is there whatever ends this process."""
    with EVENTS.open("a") as events:
        events.write(json.dumps({"event": name, **values}) + "\n")


def write_finished(test: RunningTest) -> None:
    """Say how the test went."""
    write_event(
        "finished",
        test=test.item.nodeid,
        outcome=test.outcome,
        seconds=round(test.seconds, 2),
        reason=test.reason,
        rpcs=sorted(test.rpcs),
    )


def pytest_configure() -> None:
    """Let the suite's local servers be the chosen one, and note what its clients call."""
    start_local = WorkflowEnvironment.start_local.__func__
    rpc_call = temporalio.service._BridgeServiceClient._rpc_call

    async def start_chosen(cls: type[WorkflowEnvironment], **options: Any) -> WorkflowEnvironment:
        return await start_local(cls, **{**options, "dev_server_existing_path": LAUNCHER})

    async def noted_call(self: Any, rpc: str, *arguments: Any, **options: Any) -> Any:
        if running:
            running.rpcs.add(rpc)
        return await rpc_call(self, rpc, *arguments, **options)

    WorkflowEnvironment.start_local = classmethod(start_chosen)
    temporalio.service._BridgeServiceClient._rpc_call = noted_call
    signal.signal(signal.SIGALRM, on_alarm)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what an earlier process of this file has begun."""
    lines = [json.loads(line) for line in EVENTS.read_text().splitlines()]
    begun = {line["test"] for line in lines if line["event"] == "started"}
    items[:] = [item for item in items if item.nodeid not in begun]
    write_event("collected", tests=[item.nodeid for item in items])


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Say that a file can't be imported."""
    if report.failed:
        write_event("uncollectable", reason=report.longreprtext.strip().splitlines()[-1])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Time the test, and leave the process after one that hung: what it left behind would disturb the others."""
    global running
    running = test = RunningTest(item)
    write_event("started", test=item.nodeid)
    signal.setitimer(signal.ITIMER_REAL, TEST_SECONDS)
    result = yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    running = None
    write_finished(test)
    if test.hangs:
        os._exit(1)
    return result


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add one phase (setup, call, teardown) to what is known of the test."""
    assert running
    running.seconds += report.duration
    if report.failed:
        if running.outcome != "failed":
            running.reason = short_reason(report)
        running.outcome = "failed"
        write_failure(report)
    elif report.skipped and running.outcome == "passed":
        running.outcome = "skipped"
        running.reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else "expected to fail"


def short_reason(report: pytest.TestReport) -> str:
    """Return the first line of what the test raised."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else report.longreprtext.strip() or "failed"
    return text.splitlines()[0]


def write_failure(report: pytest.TestReport) -> None:
    """Add the traceback and the captured output to the file of failures."""
    with FAILURES.open("a") as failures:
        failures.write(f"\n======== {report.nodeid} ({report.when})\n{report.longreprtext}\n")
        for title, text in report.sections:
            failures.write(f"-------- {title}\n{text}\n")


def on_alarm(_signal: int, _frame: object) -> None:
    """Fail the test that takes too long; when that does not end it, end the process."""
    if not running:
        return
    if running.hangs:
        running.outcome, running.seconds = "failed", TEST_SECONDS
        running.reason = running.reason or "hangs, and can't be interrupted"
        write_finished(running)
        os._exit(1)
    running.hangs = True
    signal.setitimer(signal.ITIMER_REAL, CLEANUP_SECONDS)
    pytest.fail(f"hangs: {where_it_waits(running.item)}", pytrace=False)


def where_it_waits(item: pytest.Item) -> str:
    """Return file and line at which the coroutine of the test waits."""
    name = getattr(item, "originalname", item.name)
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return "not in a coroutine"
    for task in tasks:
        coroutine: Any = task.get_coro()
        if getattr(coroutine, "cr_code", None) and coroutine.cr_code.co_name == name:
            return innermost_line(coroutine)
    return "not in its own coroutine"


def innermost_line(coroutine: Any) -> str:
    """Follow what awaits what, as far as the suite's own code goes."""
    place = ""
    while coroutine is not None and getattr(coroutine, "cr_frame", None):
        frame = coroutine.cr_frame
        if f"{os.sep}tests{os.sep}" in frame.f_code.co_filename:
            place = f"{os.path.relpath(frame.f_code.co_filename)}:{frame.f_lineno}"
        coroutine = coroutine.cr_await
    return place
