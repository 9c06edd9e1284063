"""Workflows: what happens in which order. They are deterministic, and so can be replayed after any crash."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    import activities
    from shared import PAYMENT_DECLINED, REPORT_TASK_QUEUE, CancelRequest, DatasetSummary, OrderInput

# A payment is tried three times, and quickly given up: somebody waits for the answer. The heartbeat tells the server
# within two seconds that the worker is gone, where start_to_close alone would take thirty.
PAYMENT_OPTIONS = workflow.ActivityConfig(
    start_to_close_timeout=timedelta(seconds=30),
    heartbeat_timeout=timedelta(seconds=2),
    retry_policy=RetryPolicy(
        maximum_attempts=3,
        initial_interval=timedelta(seconds=2),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(seconds=30),
        non_retryable_error_types=[PAYMENT_DECLINED],
    ),
)

# An e-mail may be late: ten attempts, minutes apart, but not after ten minutes.
EMAIL_OPTIONS = workflow.ActivityConfig(
    start_to_close_timeout=timedelta(seconds=60),
    schedule_to_close_timeout=timedelta(minutes=10),
    retry_policy=RetryPolicy(
        maximum_attempts=10,
        initial_interval=timedelta(seconds=5),
        backoff_coefficient=1.5,
        maximum_interval=timedelta(minutes=5),
    ),
)

# The shop's own database: the server's default retry policy, as long as it takes.
DATABASE_OPTIONS = workflow.ActivityConfig(start_to_close_timeout=timedelta(seconds=30))


@workflow.defn
class OrderWorkflow:
    """Charge, confirm, complete; refund when the customer cancels in time."""

    def __init__(self) -> None:
        self._status = "started"
        self._cancel_request: CancelRequest | None = None

    @workflow.signal
    def cancel(self, request: CancelRequest) -> None:
        """Ask for the cancellation; what was paid is paid back."""
        self._cancel_request = request

    @workflow.query
    def get_status(self) -> str:
        """Say where the order is."""
        return self._status

    @workflow.run
    async def run(self, order: OrderInput) -> str:
        """Return the payment's id, or `cancelled: <reason>`."""
        await self._set_status(order, "processing")

        self._status = "charging"
        try:
            payment_id = await workflow.execute_activity(
                activities.charge_payment, args=[order.user_id, order.amount, order.card], **PAYMENT_OPTIONS
            )
        except ActivityError:
            await self._set_status(order, "payment failed")
            raise
        if self._cancel_request:
            return await self._refund(order, payment_id, self._cancel_request)
        await self._set_status(order, "paid")

        self._status = "confirming"
        await workflow.execute_activity(
            activities.send_confirmation_email, args=[order.email, order.order_id, payment_id], **EMAIL_OPTIONS
        )
        self._status = "confirmed"
        if await self._is_cancelled_within(order.cancel_window_seconds):
            return await self._refund(order, payment_id, self._cancel_request)
        await self._set_status(order, "completed")
        return payment_id

    async def _is_cancelled_within(self, seconds: float) -> bool:
        """Wait for the cancel signal; the timer that ends the wait is kept by the server, days are fine."""
        try:
            await workflow.wait_condition(lambda: self._cancel_request is not None, timeout=timedelta(seconds=seconds))
        except TimeoutError:
            return False
        return True

    async def _refund(self, order: OrderInput, payment_id: str, request: CancelRequest) -> str:
        self._status = "refunding"
        await workflow.execute_activity(activities.refund_payment, payment_id, **PAYMENT_OPTIONS)
        await self._set_status(order, "cancelled")
        return f"cancelled: {request.reason}"

    async def _set_status(self, order: OrderInput, status: str) -> None:
        self._status = status
        await workflow.execute_activity(
            activities.update_order_status, args=[order.order_id, status], **DATABASE_OPTIONS
        )


@workflow.defn
class DailyReportWorkflow:
    """Write one report. Started with a cron schedule, the server runs it again and again."""

    @workflow.run
    async def run(self) -> int:
        """Return the report's number; each run goes on from the result of the run before."""
        last_number = workflow.get_last_completion_result(int) or 0
        number = last_number + 1
        await workflow.execute_activity(activities.write_daily_report, number, **DATABASE_OPTIONS)
        return number


@workflow.defn
class DatasetWorkflow:
    """Process a large dataset in one long activity."""

    @workflow.run
    async def run(self, dataset_id: str) -> DatasetSummary:
        """Return the activity's summary; it has a task queue of its own, so that its load and crashes stay there."""
        return await workflow.execute_activity(
            activities.process_large_dataset,
            dataset_id,
            task_queue=REPORT_TASK_QUEUE,
            start_to_close_timeout=timedelta(hours=2),
            heartbeat_timeout=timedelta(seconds=1),
        )
