"""The order example does what it teaches, in both languages: results, statuses, attempts, timeouts."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType, RetryState
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from tests.examples.conftest import EXAMPLES, Walk
from tests.examples.processes import run
from tests.support.server_process import find_free_port

pytestmark = pytest.mark.timeout(400)


def workflow_id(walk: Walk, name: str) -> str:
    """Return the id that the walk printed for a scenario."""
    return re.search(rf"started ({name}-[0-9a-f]+)\b", walk.output).group(1)  # type: ignore[union-attr]


async def get_handle(walk: Walk, name: str) -> WorkflowHandle[Any, Any]:
    """Return the handle of a scenario's workflow."""
    client = await Client.connect(walk.server.address)
    return client.get_workflow_handle(workflow_id(walk, name))


async def load_events(walk: Walk, name: str) -> list[HistoryEvent]:
    """Return the history of a scenario's workflow."""
    return list((await (await get_handle(walk, name)).fetch_history()).events)


def scheduled_activities(events: list[HistoryEvent]) -> dict[str, HistoryEvent]:
    """Return the first ActivityTaskScheduled of each activity type, the names in the Python spelling."""
    scheduled: dict[str, HistoryEvent] = {}
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            scheduled.setdefault(snake_case(event.activity_task_scheduled_event_attributes.activity_type.name), event)
    return scheduled


def started_after(events: list[HistoryEvent], scheduled: HistoryEvent) -> HistoryEvent:
    """Return the ActivityTaskStarted that belongs to a scheduled activity."""
    return next(
        event
        for event in events
        if event.activity_task_started_event_attributes.scheduled_event_id == scheduled.event_id
    )


def snake_case(name: str) -> str:
    """`chargePayment` and `charge_payment` are the same activity."""
    return re.sub("([A-Z])", r"_\1", name).lower()


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("order-completed", WorkflowExecutionStatus.COMPLETED),
        ("order-retried", WorkflowExecutionStatus.COMPLETED),
        ("order-declined", WorkflowExecutionStatus.FAILED),
        ("order-cancelled", WorkflowExecutionStatus.COMPLETED),
        ("daily-report", WorkflowExecutionStatus.TERMINATED),
        ("dataset", WorkflowExecutionStatus.COMPLETED),
    ],
)
async def test_every_scenario_ends_in_its_status(walk: Walk, name: str, status: WorkflowExecutionStatus) -> None:
    assert (await (await get_handle(walk, name)).describe()).status == status


async def test_completed_order_returns_its_payment(walk: Walk) -> None:
    events = await load_events(walk, "order-completed")
    result = await (await get_handle(walk, "order-completed")).result()
    assert re.fullmatch(r"payment-[0-9a-f]{10}", result)
    assert f"  result: {result}\n" in walk.output
    assert "  status at the end: completed\n" in walk.output
    types = [
        snake_case(event.activity_task_scheduled_event_attributes.activity_type.name)
        for event in events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    ]
    assert types == [
        "update_order_status",
        "charge_payment",
        "update_order_status",
        "send_confirmation_email",
        "update_order_status",
    ]


async def test_each_activity_has_its_own_timeouts_and_retries(walk: Walk) -> None:
    scheduled = scheduled_activities(await load_events(walk, "order-completed"))
    payment = scheduled["charge_payment"].activity_task_scheduled_event_attributes
    email = scheduled["send_confirmation_email"].activity_task_scheduled_event_attributes
    assert payment.start_to_close_timeout.ToTimedelta() == timedelta(seconds=30)
    assert payment.retry_policy.maximum_attempts == 3
    assert payment.retry_policy.initial_interval.ToTimedelta() == timedelta(seconds=2)
    assert list(payment.retry_policy.non_retryable_error_types) == ["PaymentDeclinedError"]
    assert email.start_to_close_timeout.ToTimedelta() == timedelta(seconds=60)
    assert email.schedule_to_close_timeout.ToTimedelta() == timedelta(minutes=10)
    assert email.retry_policy.maximum_attempts == 10
    assert email.retry_policy.backoff_coefficient == 1.5
    assert email.retry_policy.maximum_interval.ToTimedelta() == timedelta(minutes=5)


async def test_flaky_payment_succeeds_at_its_second_attempt(walk: Walk) -> None:
    events = await load_events(walk, "order-retried")
    scheduled = scheduled_activities(events)["charge_payment"]
    started = started_after(events, scheduled)
    attributes = started.activity_task_started_event_attributes
    assert attributes.attempt == 2
    assert attributes.last_failure.application_failure_info.type == "PaymentGatewayError"
    waited = started.event_time.ToDatetime() - scheduled.event_time.ToDatetime()
    assert timedelta(seconds=2) <= waited < timedelta(seconds=6)


async def test_declined_payment_is_not_retried(walk: Walk) -> None:
    events = await load_events(walk, "order-declined")
    scheduled = scheduled_activities(events)["charge_payment"]
    assert started_after(events, scheduled).activity_task_started_event_attributes.attempt == 1
    [failed] = [event for event in events if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED]
    attributes = failed.activity_task_failed_event_attributes
    assert attributes.failure.application_failure_info.type == "PaymentDeclinedError"
    assert attributes.retry_state == RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE
    assert "  failed: PaymentDeclinedError: the card was declined\n" in walk.output


async def test_cancelled_order_is_refunded_and_not_confirmed(walk: Walk) -> None:
    assert await (await get_handle(walk, "order-cancelled")).result() == "cancelled: ordered twice"
    scheduled = scheduled_activities(await load_events(walk, "order-cancelled"))
    assert "refund_payment" in scheduled
    assert "send_confirmation_email" not in scheduled


async def test_report_runs_again_and_counts_on(walk: Walk) -> None:
    runs = re.findall(r"run (\S+) wrote report (\d+)", walk.output)
    assert [number for _, number in runs] == ["1", "2"]
    client = await Client.connect(walk.server.address)
    for run_id, _ in runs:
        handle = client.get_workflow_handle(workflow_id(walk, "daily-report"), run_id=run_id)
        assert (await handle.describe()).status == WorkflowExecutionStatus.COMPLETED


async def test_dataset_resumes_at_the_last_heartbeat_after_the_crash(walk: Walk) -> None:
    result = await (await get_handle(walk, "dataset")).result()
    summary = {snake_case(name): value for name, value in result.items()}
    last_heartbeat = int(re.search(r"last heartbeat: (\d+) items", walk.output).group(1))  # type: ignore[union-attr]
    assert summary["attempt"] == 2
    assert 10 <= last_heartbeat <= summary["resumed_at_item"] < summary["items_total"] == 40
    events = await load_events(walk, "dataset")
    started = started_after(events, scheduled_activities(events)["process_large_dataset"])
    failure = started.activity_task_started_event_attributes.last_failure
    assert failure.HasField("timeout_failure_info")


def test_ledger_knows_every_completed_activity_once(python_walk: Walk) -> None:
    completed = [
        (line["workflow_id"], line["activity_id"])
        for line in python_walk.ledger
        if line["stage"] == "completed"
        if not line["workflow_id"].startswith("daily-report")  # each of its runs counts its activities from 1
    ]
    assert len(completed) == len(set(completed)) == 17
    refunds = [line["subject"] for line in python_walk.ledger if line["activity"] == "refund_payment"]
    charges = [
        line["subject"]
        for line in python_walk.ledger
        if line["activity"] == "charge_payment" and line["workflow_id"] == workflow_id(python_walk, "order-cancelled")
    ]
    assert set(refunds) == set(charges)


@pytest.mark.parametrize("file", ["main.py", "worker.py"])
def test_missing_server_is_one_line_and_a_hint(file: str) -> None:
    folder = EXAMPLES / "order"
    address = f"127.0.0.1:{find_free_port()}"
    done = run([sys.executable, file], cwd=folder, timeout_seconds=60, environment={"TEMPORAL_ADDRESS": address})
    assert done.returncode == 1
    assert done.stderr.startswith(f"no server at {address}: ")
    assert "\n\nhint: start one with `dx server start-dev`" in done.stderr
    assert "Traceback" not in done.stderr
