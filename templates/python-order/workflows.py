"""Workflows: what happens in which order.

A workflow can be replayed from its history after any crash, and goes on where it was.
So it must do the same again: no I/O, no clock, no random numbers here. Those belong in
activities; `workflow.now()`, `workflow.sleep()` and `workflow.random()` are safe.
"""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

# The sandbox loads this file anew for each workflow; what is harmless passes through.
with workflow.unsafe.imports_passed_through():
    import activities
    from shared import PAYMENT_DECLINED, CancelRequest, Order

# A payment is given up soon: somebody waits for the answer. Without the heartbeat, the
# server would only notice after 30 seconds that the worker is gone.
PAYMENT_OPTIONS = workflow.ActivityConfig(
    start_to_close_timeout=timedelta(seconds=30),
    heartbeat_timeout=timedelta(seconds=5),
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

# The shop's own database: tried again and again, as long as it takes (the default).
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
        """Say where the order is. A query must not change anything."""
        return self._status

    @workflow.run
    async def run(self, order: Order) -> str:
        """Return the payment's id, or `cancelled: <reason>`."""
        await self._set_status(order, "processing")

        self._status = "charging"
        try:
            payment_id = await workflow.execute_activity(
                activities.charge_payment,
                args=[order.user_id, order.amount, order.card],
                **PAYMENT_OPTIONS,
            )
        except ActivityError:
            await self._set_status(order, "payment failed")
            raise
        if self._cancel_request:
            return await self._refund(order, payment_id, self._cancel_request)
        await self._set_status(order, "paid")

        await workflow.execute_activity(
            activities.send_confirmation_email,
            args=[order.email, order.order_id, payment_id],
            **EMAIL_OPTIONS,
        )
        await self._wait_for_cancel(order.cancel_window_seconds)
        if self._cancel_request:
            return await self._refund(order, payment_id, self._cancel_request)
        await self._set_status(order, "completed")
        return payment_id

    async def _wait_for_cancel(self, seconds: float) -> None:
        """Wait for the signal, or for the timer: the server keeps it, days are fine."""
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._cancel_request is not None,
                timeout=timedelta(seconds=seconds),
            )

    async def _refund(
        self, order: Order, payment_id: str, request: CancelRequest
    ) -> str:
        self._status = "refunding"
        await workflow.execute_activity(
            activities.refund_payment, payment_id, **PAYMENT_OPTIONS
        )
        await self._set_status(order, "cancelled")
        return f"cancelled: {request.reason}"

    async def _set_status(self, order: Order, status: str) -> None:
        self._status = status
        await workflow.execute_activity(
            activities.update_order_status,
            args=[order.order_id, status],
            **DATABASE_OPTIONS,
        )


@workflow.defn
class DailyReportWorkflow:
    """Write one report. Started with a cron schedule, it runs again and again."""

    @workflow.run
    async def run(self) -> int:
        """Return the report's number: one more than what the run before returned."""
        number = (workflow.get_last_completion_result(int) or 0) + 1
        await workflow.execute_activity(
            activities.write_daily_report, number, **DATABASE_OPTIONS
        )
        return number
