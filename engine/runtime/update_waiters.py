"""Who waits for an update: callers of the update RPCs, woken after the commit.

Rules:
- Acceptance, completion and the close of the run are seen in its state; a rejection, or an update that is given up, is
  told by an effect.
- A waiter joins in the step that admitted its update, so it misses nothing that comes after.
- When a run is thrown out of memory, its waiters are woken with None: what was only admitted is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from temporalio.api.enums.v1.update_pb2 import UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
from temporalio.api.failure.v1 import Failure
from temporalio.api.update.v1 import Outcome

from engine.core.effects import AnswerUpdate
from engine.core.errors import ServiceError
from engine.core.run.state import RunState
from engine.core.run.update import AdmittedUpdate, UpdateStatus, find_status

__all__ = ["UpdateWaiter", "UpdateWaiters"]


@dataclass(frozen=True, slots=True, eq=False)
class UpdateWaiter:
    """One caller; `answer` is None when the run was thrown out of memory, or the server stops."""

    update: AdmittedUpdate
    answer: asyncio.Future[UpdateStatus | None]


class UpdateWaiters:
    """The waiters of all runs, by run key."""

    def __init__(self) -> None:
        self._waiters: dict[int, dict[UpdateWaiter, None]] = {}

    def join(self, update: AdmittedUpdate) -> UpdateWaiter:
        """Wait for an update; call `leave` in the end."""
        waiter = UpdateWaiter(update, asyncio.get_running_loop().create_future())
        self._waiters.setdefault(update.run_key, {})[waiter] = None
        return waiter

    def leave(self, waiter: UpdateWaiter) -> None:
        """Wait no longer."""
        if waiter.answer.done() and not waiter.answer.cancelled():
            waiter.answer.exception()  # nobody need be told that it was not read
        waiting = self._waiters.get(waiter.update.run_key)
        if waiting is not None:
            waiting.pop(waiter, None)
            if not waiting:
                del self._waiters[waiter.update.run_key]

    def notify(self, state: RunState) -> None:
        """Wake those whose update has come as far as they wait for."""
        for waiter in self._waiters.get(state.run_key, ()):
            status = find_status(state, waiter.update.update_id)
            if isinstance(status, ServiceError) or (status is not None and status.stage >= waiter.update.stage):
                _answer(waiter, status)

    def answer(self, effect: AnswerUpdate) -> None:
        """Wake those who wait for an update that was rejected or given up."""
        result = effect.result
        if isinstance(result, Failure):
            outcome = Outcome(failure=result)
            status: UpdateStatus | ServiceError = UpdateStatus(
                UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED, outcome
            )
        else:
            status = result
        for waiter in self._waiters.get(effect.run_key, ()):
            if waiter.update.update_id == effect.update_id:
                _answer(waiter, status)

    def clear(self, run_key: int) -> None:
        """Wake everybody who waits for an update of the run."""
        for waiter in self._waiters.get(run_key, ()):
            _answer(waiter, None)

    def clear_all(self) -> None:
        """Wake everybody: the server stops."""
        for run_key in self._waiters:
            self.clear(run_key)


def _answer(waiter: UpdateWaiter, status: UpdateStatus | ServiceError | None) -> None:
    with contextlib.suppress(asyncio.InvalidStateError):
        if isinstance(status, ServiceError):
            waiter.answer.set_exception(status)
        else:
            waiter.answer.set_result(status)
