"""Orders on a real server, which starts with the tests and keeps nothing."""

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError

import activities
from shared import CancelRequest, Order
from workflows import DailyReportWorkflow, OrderWorkflow


@pytest.fixture
async def task_queue(dx_worker):
    """A worker, as dx.toml has it; a test has its own, and its own namespace."""
    async with dx_worker(
        workflows=[OrderWorkflow, DailyReportWorkflow],
        activities=[
            activities.charge_payment,
            activities.refund_payment,
            activities.send_confirmation_email,
            activities.update_order_status,
            activities.write_daily_report,
        ],
    ) as worker:
        yield worker.task_queue


async def start(dx_client, task_queue, **details):
    order = Order("1", "user-123", 100, "user@example.com", **details)
    return await dx_client.start_workflow(
        OrderWorkflow.run, order, id="order-1", task_queue=task_queue
    )


async def test_an_order_is_charged_and_completed(dx_client, task_queue) -> None:
    handle = await start(dx_client, task_queue)
    assert await handle.result() == "payment-order-1-2"
    assert await handle.query(OrderWorkflow.get_status) == "completed"


async def test_a_payment_that_fails_once_is_tried_again(dx_client, task_queue) -> None:
    handle = await start(dx_client, task_queue, card="flaky")
    assert await handle.result() == "payment-order-1-2"


async def test_a_declined_card_fails_the_order(dx_client, task_queue) -> None:
    handle = await start(dx_client, task_queue, card="declined")
    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()
    # The workflow failed because its activity failed because of this.
    assert isinstance(failure.value.cause, ActivityError)
    assert isinstance(failure.value.cause.cause, ApplicationError)
    assert failure.value.cause.cause.message == "the card was declined"
    assert await handle.query(OrderWorkflow.get_status) == "payment failed"


async def test_a_cancelled_order_is_paid_back(dx_client, task_queue) -> None:
    handle = await start(dx_client, task_queue, cancel_window_seconds=3600)
    await handle.signal(OrderWorkflow.cancel, CancelRequest("ordered twice"))
    assert await handle.result() == "cancelled: ordered twice"
    assert await handle.query(OrderWorkflow.get_status) == "cancelled"


async def test_reports_are_numbered(dx_client, task_queue) -> None:
    number = await dx_client.execute_workflow(
        DailyReportWorkflow.run, id="report", task_queue=task_queue
    )
    assert number == 1
