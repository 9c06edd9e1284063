"""Who waits for a run's history to grow: futures woken after the commit."""

from __future__ import annotations

import asyncio

from engine.core.run.state import RunState

__all__ = ["HistoryWaiters"]


class HistoryWaiters:
    """Long-polls of GetWorkflowExecutionHistory, by run."""

    def __init__(self) -> None:
        self._waiters: dict[int, list[tuple[int, bool, asyncio.Future[None]]]] = {}

    async def wait(self, state: RunState, next_event_id: int, timeout_seconds: float, *, close_only: bool) -> None:
        """Return when the run has an event with this id (or is closed), or after `timeout_seconds`.

        Args:
            close_only: wake only for the close.
        """
        if not state.running or (not close_only and state.next_event_id > next_event_id):
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (next_event_id, close_only, future)
        self._waiters.setdefault(state.run_key, []).append(entry)
        handle = asyncio.get_running_loop().call_later(timeout_seconds, _wake, future)
        try:
            await future
        finally:
            handle.cancel()
            waiting = self._waiters.get(state.run_key)
            if waiting is not None and entry in waiting:
                waiting.remove(entry)
                if not waiting:
                    del self._waiters[state.run_key]

    def notify(self, state: RunState) -> None:
        """Wake those whose event is there now."""
        waiting = self._waiters.get(state.run_key)
        if waiting is None:
            return
        closed = not state.running
        for next_event_id, close_only, future in waiting:
            if closed or (not close_only and state.next_event_id > next_event_id):
                _wake(future)

    def wake(self, run_key: int) -> None:
        """Wake everybody who waits for the run: they look at it again."""
        for _, _, future in self._waiters.get(run_key, ()):
            _wake(future)

    def wake_all(self) -> None:
        """Wake everybody: the server stops."""
        for run_key in self._waiters:
            self.wake(run_key)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
