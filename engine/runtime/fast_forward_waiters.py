"""Who waits for the end of a fast-forward: polls by workflow id, since the next run of a chain goes on with it."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from temporalio.api.workflowservice.v1 import PollWorkflowExecutionTimeSkippingResponse

from engine.core.run.fast_forward import find_poll_result, poll_timed_out
from engine.core.run.state import RunState

__all__ = ["FastForwardWaiters"]


class _Waiter(NamedTuple):
    fast_forward_id: str
    target_ns: int
    answer: asyncio.Future[PollWorkflowExecutionTimeSkippingResponse | None]


class FastForwardWaiters:
    """The waiting polls of all workflows."""

    def __init__(self) -> None:
        self._waiters: dict[tuple[str, str], list[_Waiter]] = {}

    async def poll(
        self, state: RunState, fast_forward_id: str, timeout_seconds: float
    ) -> PollWorkflowExecutionTimeSkippingResponse:
        """Return what has become of the fast-forward, after `timeout_seconds` at the latest."""
        result = find_poll_result(state, fast_forward_id)
        if result is not None:
            return result
        skipping = state.time_skipping
        assert skipping is not None, "without time skipping there is no fast-forward to wait for"
        loop = asyncio.get_running_loop()
        waiter = _Waiter(fast_forward_id, skipping.fast_forward_target_ns, loop.create_future())
        timed_out = poll_timed_out(state)
        key = (state.namespace_id, state.workflow_id)
        self._waiters.setdefault(key, []).append(waiter)
        handle = loop.call_later(timeout_seconds, _answer, waiter, None)
        try:
            return await waiter.answer or timed_out
        finally:
            handle.cancel()
            waiting = self._waiters[key]
            waiting.remove(waiter)
            if not waiting:
                del self._waiters[key]

    def notify(self, state: RunState) -> None:
        """Answer those whose fast-forward has come to an end."""
        for waiter in self._waiters.get((state.namespace_id, state.workflow_id), ()):
            result = find_poll_result(state, waiter.fast_forward_id, waiter.target_ns)
            if result is not None:
                _answer(waiter, result)

    def answer_all(self) -> None:
        """Answer everybody that it is not over: the server stops."""
        for waiting in self._waiters.values():
            for waiter in waiting:
                _answer(waiter, None)


def _answer(waiter: _Waiter, result: PollWorkflowExecutionTimeSkippingResponse | None) -> None:
    if not waiter.answer.done():
        waiter.answer.set_result(result)
