"""The approval: a person's answer races against a timer, and the workflow goes on with whichever comes first."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities import send_message
    from shared import Decision, Request, Result, Status


@workflow.defn
class ApprovalWorkflow:
    """Ask, remind, escalate; end with the first decision, or without one."""

    # A signal may be handled before `run` begins; thanks to `workflow.init`, the request is known even then.
    @workflow.init
    def __init__(self, request: Request) -> None:
        self._stage = Status.NEW
        self._may_decide = {request.approver}
        self._decision: Decision | None = None

    @workflow.signal
    def decide(self, decision: Decision) -> None:
        """Decide. Whoever signals gets no answer, so a decision that does not count can only be ignored."""
        is_over = self._decision is not None or self._stage == Status.TIMED_OUT
        if is_over or decision.by not in self._may_decide:
            workflow.logger.info("ignored: %s", decision)
        else:
            self._decision = decision

    @workflow.query
    def get_status(self) -> Status:
        """Say where the request is."""
        if self._decision is None:
            return self._stage
        return Status.APPROVED if self._decision.is_approved else Status.REJECTED

    @workflow.run
    async def run(self, request: Request) -> Result:
        """Return how it ended; that nobody decided is a result like the others, not a failure."""
        await self._ask(request)
        await self._send(request.requester, f"{request.subject}: {self.get_status()}")
        return Result(self.get_status(), self._decision)

    async def _ask(self, request: Request) -> None:
        """Ask until somebody decides, three times at most."""
        asker, approver, subject = request.requester, request.approver, request.subject
        for stage, addressee, text, patience_seconds in (
            (Status.ASKED, approver, f"{asker} asks for {subject}", request.remind_after_seconds),
            (Status.REMINDED, approver, f"{asker} still waits for {subject}", request.escalate_after_seconds),
            (Status.ESCALATED, request.manager, f"{approver} does not answer {asker}", request.give_up_after_seconds),
        ):
            self._may_decide.add(addressee)
            await self._send(addressee, text)
            self._stage = stage
            await self._wait_for_decision(patience_seconds)
            if self._decision is not None:
                return
        self._stage = Status.TIMED_OUT

    async def _wait_for_decision(self, seconds: float) -> None:
        """Wait so long at most; the timer that ends the wait is kept by the server, weeks are fine."""
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._decision is not None, timeout=timedelta(seconds=seconds))

    async def _send(self, recipient: str, text: str) -> None:
        await workflow.execute_activity(
            send_message, args=[recipient, text], start_to_close_timeout=timedelta(seconds=30)
        )
