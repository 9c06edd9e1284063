"""What the demo claims, checked against the shop's ledger and the order's history."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LedgerLine = dict[str, Any]
Event = dict[str, Any]

EXPECTED_ACTIVITIES = [
    "update_order_status",
    "charge_payment",
    "update_order_status",
    "send_confirmation_email",
    "refund_payment",
    "update_order_status",
]


@dataclass
class Check:
    """A claim, whether it holds, and what was seen."""

    claim: str
    holds: bool
    evidence: str


def check_all(
    ledger: list[LedgerLine],
    events_before_crash: list[Event],
    events: list[Event],
    *,
    server_killed_time: datetime,
    result: object,
    expected_result: object,
) -> list[Check]:
    """Check every claim of the demo.

    Args:
        ledger: What the outside world saw.
        events_before_crash: The history as it was when the server was killed.
        events: The history at the end.
        server_killed_time: When the server was killed.
        result: The workflow's result.
        expected_result: What it should be.
    """
    return [
        _check_completions(ledger),
        _check_retry(ledger),
        _check_email(ledger, server_killed_time),
        _check_refund(ledger),
        _check_history_kept(events_before_crash, events),
        _check_history_complete(events),
        Check("the workflow ended with the expected result", result == expected_result, repr(result)),
    ]


def _check_completions(ledger: list[LedgerLine]) -> Check:
    completed = [line for line in ledger if line["stage"] == "completed"]
    times_completed = Counter((line["activity"], line["activity_id"]) for line in completed)
    twice = [f"{activity} {times} times" for (activity, _), times in times_completed.items() if times > 1]
    holds = [line["activity"] for line in completed] == EXPECTED_ACTIVITIES and not twice
    evidence = ", ".join(twice) or f"{len(completed)} completions of {len(times_completed)} activities"
    return Check("every activity completed exactly once, in order", holds, evidence)


def _check_retry(ledger: list[LedgerLine]) -> Check:
    started = [line for line in ledger if line["activity"] == "charge_payment" and line["stage"] == "started"]
    completed = [line for line in ledger if line["activity"] == "charge_payment" and line["stage"] == "completed"]
    holds = (
        [line["attempt"] for line in started] == [1, 2]
        and [line["attempt"] for line in completed] == [2]
        and started[0]["worker_pid"] != started[1]["worker_pid"]
    )
    evidence = ", ".join(f"attempt {line['attempt']} by worker {line['worker_pid']}" for line in started)
    return Check("the charge whose worker was killed was tried again by the next one", holds, evidence)


def _check_email(ledger: list[LedgerLine], server_killed_time: datetime) -> Check:
    lines = [line for line in ledger if line["activity"] == "send_confirmation_email"]
    sent_once = [line["stage"] for line in lines] == ["started", "completed"]
    in_the_dark = sent_once and datetime.fromisoformat(lines[-1]["time"]) > server_killed_time
    evidence = "while the server was dead" if in_the_dark else ", ".join(line["stage"] for line in lines)
    return Check("the e-mail was sent once", sent_once, evidence)


def _check_refund(ledger: list[LedgerLine]) -> Check:
    payment_ids = {line["subject"] for line in ledger if line["activity"] in ("charge_payment", "refund_payment")}
    return Check("what was refunded is what was charged", len(payment_ids) == 1, ", ".join(sorted(payment_ids)))


def _check_history_kept(before: list[Event], events: list[Event]) -> Check:
    kept = sum(1 for old, new in zip(before, events, strict=False) if old == new)
    holds = bool(before) and kept == len(before)
    return Check("every event from before the server's crash is still there", holds, f"{kept} of {len(before)} events")


def _check_history_complete(events: list[Event]) -> Check:
    ids_have_no_gap = [int(event["eventId"]) for event in events] == list(range(1, len(events) + 1))
    types = Counter(event["eventType"] for event in events)
    holds = (
        ids_have_no_gap
        and types["EVENT_TYPE_ACTIVITY_TASK_SCHEDULED"] == len(EXPECTED_ACTIVITIES)
        and types["EVENT_TYPE_ACTIVITY_TASK_COMPLETED"] == len(EXPECTED_ACTIVITIES)
        and types["EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED"] == 1
        and events[-1]["eventType"] == "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"
    )
    evidence = f"events 1 to {len(events)}, {types['EVENT_TYPE_ACTIVITY_TASK_COMPLETED']} activities completed"
    return Check("the history has no gap, and each activity in it once", holds, evidence)
