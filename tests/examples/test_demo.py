"""The demo passes on a real server, and its checks can say no."""

from __future__ import annotations

import importlib.util
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.examples.conftest import EXAMPLES
from tests.examples.processes import run

KILLED = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)


@pytest.mark.skipif(os.environ.get("DX_TEST_SERVER") == "reference", reason="the demo starts its own dx server")
@pytest.mark.timeout(200)
def test_demo_survives_both_kills(tmp_path: Path) -> None:
    done = run(
        [sys.executable, str(EXAMPLES / "order" / "demo.py")],
        cwd=tmp_path,
        timeout_seconds=150,
        environment={"TMPDIR": str(tmp_path), "TEMPORAL_ADDRESS": "127.0.0.1:1", "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.rstrip().splitlines()
    assert lines[-1].startswith("VERDICT: PASS: two crashes, no completed activity ran twice, nothing was lost (")
    assert done.stdout.count("SIGKILL") == 2
    assert "✗" not in done.stdout
    assert done.stdout.count("✓ charge_payment") == 1
    assert "WorkflowExecutionCompleted" in done.stdout
    assert "Traceback" not in done.stderr
    assert list(tmp_path.glob("dx-demo-*")) == []


def test_demo_without_dx_fails_with_a_verdict(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    (broken / "durable_cli").mkdir(parents=True)
    (broken / "durable_cli" / "__main__.py").write_text("raise SystemExit('this dx does not start')\n")
    (broken / "durable_cli" / "__init__.py").touch()
    done = run(
        [sys.executable, str(EXAMPLES / "order" / "demo.py")],
        cwd=tmp_path,
        timeout_seconds=60,
        environment={"TMPDIR": str(tmp_path), "PYTHONPATH": str(broken)},
    )
    assert done.returncode == 1
    assert "this dx does not start" in done.stdout
    assert done.stdout.rstrip().splitlines()[-1].startswith("VERDICT: FAIL: ")
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def demo_checks() -> ModuleType:
    """Load the demo's checks; the examples are scripts, not a package."""
    spec = importlib.util.spec_from_file_location("demo_checks", EXAMPLES / "order" / "demo_checks.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def ledger_line(activity_id: str, activity: str, stage: str, attempt: int = 1, worker_pid: int = 2) -> dict[str, Any]:
    """Return a line as the outside world writes it."""
    return {
        "time": (KILLED + timedelta(seconds=1)).isoformat(),
        "stage": stage,
        "activity": activity,
        "subject": "payment-1",
        "workflow_id": "order-1001",
        "activity_id": activity_id,
        "attempt": attempt,
        "worker_pid": worker_pid,
    }


def good_ledger() -> list[dict[str, Any]]:
    """Return the ledger of a demo where all went well."""
    return [
        ledger_line("1", "update_order_status", "started", worker_pid=1),
        ledger_line("1", "update_order_status", "completed", worker_pid=1),
        ledger_line("2", "charge_payment", "started", worker_pid=1),
        ledger_line("2", "charge_payment", "started", attempt=2),
        ledger_line("2", "charge_payment", "completed", attempt=2),
        ledger_line("3", "update_order_status", "started"),
        ledger_line("3", "update_order_status", "completed"),
        ledger_line("4", "send_confirmation_email", "started"),
        ledger_line("4", "send_confirmation_email", "completed"),
        ledger_line("5", "refund_payment", "started"),
        ledger_line("5", "refund_payment", "completed"),
        ledger_line("6", "update_order_status", "started"),
        ledger_line("6", "update_order_status", "completed"),
    ]


def good_events() -> list[dict[str, Any]]:
    """Return a history with the events that the checks look at."""
    types = ["WORKFLOW_EXECUTION_STARTED"]
    types += ["ACTIVITY_TASK_SCHEDULED", "ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_COMPLETED"] * 6
    types += ["WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_EXECUTION_COMPLETED"]
    return [{"eventId": str(number), "eventType": f"EVENT_TYPE_{name}"} for number, name in enumerate(types, start=1)]


def failed_claims(demo_checks: ModuleType, **changes: Any) -> list[str]:
    """Return the claims that do not hold for a good demo with these changes."""
    arguments = {
        "ledger": good_ledger(),
        "events_before_crash": good_events()[:10],
        "events": good_events(),
        "server_killed_time": KILLED,
        "result": "cancelled: ordered twice",
        "expected_result": "cancelled: ordered twice",
    } | changes
    return [check.claim for check in demo_checks.check_all(**arguments) if not check.holds]


def test_checks_hold_for_a_good_demo(demo_checks: ModuleType) -> None:
    assert failed_claims(demo_checks) == []


def test_checks_notice_an_activity_that_completed_twice(demo_checks: ModuleType) -> None:
    email = ledger_line("4", "send_confirmation_email", "completed", attempt=2)
    ledger = good_ledger()
    assert failed_claims(demo_checks, ledger=[*ledger[:9], email, *ledger[9:]]) == [
        "every activity completed exactly once, in order",
        "the e-mail was sent once",
    ]


def test_checks_notice_a_lost_activity(demo_checks: ModuleType) -> None:
    assert failed_claims(demo_checks, ledger=good_ledger()[:-2]) == ["every activity completed exactly once, in order"]


def test_checks_notice_a_charge_that_was_not_retried(demo_checks: ModuleType) -> None:
    ledger = [line for line in good_ledger() if line["attempt"] == 1]
    assert "the charge whose worker was killed was tried again by the next one" in failed_claims(
        demo_checks, ledger=ledger
    )


def test_checks_notice_another_refund(demo_checks: ModuleType) -> None:
    ledger = good_ledger()
    for line in ledger:
        if line["activity"] == "refund_payment":
            line["subject"] = "payment-2"
    assert failed_claims(demo_checks, ledger=ledger) == ["what was refunded is what was charged"]


def test_checks_notice_a_changed_event(demo_checks: ModuleType) -> None:
    before = good_events()[:10]
    before[4] = before[4] | {"eventType": "EVENT_TYPE_TIMER_STARTED"}
    assert failed_claims(demo_checks, events_before_crash=before) == [
        "every event from before the server's crash is still there"
    ]


def test_checks_notice_a_history_that_was_cut_off(demo_checks: ModuleType) -> None:
    assert failed_claims(demo_checks, events=good_events()[:8]) == [
        "every event from before the server's crash is still there",
        "the history has no gap, and each activity in it once",
    ]


def test_checks_notice_another_result(demo_checks: ModuleType) -> None:
    assert failed_claims(demo_checks, result="payment-1") == ["the workflow ended with the expected result"]
