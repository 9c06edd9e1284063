"""The approval: a person's answer races against a timer.

A workflow can be replayed from its history after any crash, and goes on where it was.
So it must do the same again: no I/O, no clock, no random numbers here. Those belong in
activities; `workflow.now()`, `workflow.sleep()` and `workflow.random()` are safe.
"""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

# The sandbox loads this file anew for each workflow; what is harmless passes through.
with workflow.unsafe.imports_passed_through():
    from activities import send_message
    from shared import Decision, Request, Result, Status


@workflow.defn
class ApprovalWorkflow:
    """Ask, remind, give up; end with the first answer, or without one."""

    # An update can be handled before `run` begins. Thanks to `workflow.init`, the
    # request is known even then.
    @workflow.init
    def __init__(self, request: Request) -> None:
        self._request = request
        self._status = Status.ASKED
        self._result: Result | None = None

    @workflow.query
    def get_status(self) -> Status:
        """Say where the request is. A query must not change anything."""
        return self._status

    @workflow.update
    async def decide(self, decision: Decision) -> Status:
        """Approve or reject. Unlike a signal, an update answers whoever sent it."""
        self._end(Status.APPROVED if decision.approve else Status.REJECTED, decision.by)
        return self._status

    @decide.validator
    def validate_decide(self, decision: Decision) -> None:
        """Refuse what does not count: it leaves no trace in the history."""
        if self._result:
            raise ApplicationError(f"the request is {self._status} already")
        if decision.by != self._request.approver:
            raise ApplicationError(f"{decision.by} was not asked")

    @workflow.signal
    def withdraw(self) -> None:
        """Take the request back. A signal gets no answer: one too late is ignored."""
        if not self._result:
            self._end(Status.WITHDRAWN, self._request.requester)

    @workflow.run
    async def run(self, request: Request) -> Result:
        """Return how it ended. That nobody decided is a result, too, not a failure."""
        await self._send(request.approver, f"may {request.requester} have this?")
        await self._wait(request.remind_after_seconds)
        if not self._result:
            self._status = Status.REMINDED
            await self._send(request.approver, f"{request.requester} still waits")
            await self._wait(request.give_up_after_seconds)
        result = self._result or self._end(Status.TIMED_OUT, "")
        await self._send(request.requester, f"this is {result.status}")
        # Whoever waits for the answer to an update shall get it.
        await workflow.wait_condition(workflow.all_handlers_finished)
        return result

    def _end(self, status: Status, by: str) -> Result:
        self._status = status
        self._result = Result(status, by)
        return self._result

    async def _wait(self, seconds: float) -> None:
        """Wait for the end, or for the timer: the server keeps it, weeks are fine."""
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._result is not None, timeout=timedelta(seconds=seconds)
            )

    async def _send(self, recipient: str, text: str) -> None:
        await workflow.execute_activity(
            send_message,
            args=[recipient, f"{self._request.subject}: {text}"],
            start_to_close_timeout=timedelta(seconds=30),
        )
