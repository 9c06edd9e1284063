"""Start a workflow if need be, send it an update, and wait until the update has come far enough.

Rule (temporal server multioperation): an update whose run closed without an answer is tried once more, since another
run may be started for it; after that the caller is asked to try again.
"""

from __future__ import annotations

from engine.core.errors import (
    Aborted,
    DeadlineExceeded,
    MultiOperationAborted,
    MultiOperationExecution,
    ServiceError,
    Unavailable,
    UpdateAbortedByClosingWorkflow,
)
from engine.core.inputs import ExecuteMultiOperation
from engine.core.run.update import UpdateStatus
from engine.core.run.update_with_start import UpdateWithStartReply
from engine.runtime.engine import Engine
from engine.runtime.update_waiters import UpdateWaiter
from engine.runtime.update_workflow import ATTEMPTS, wait_for_update

__all__ = ["update_with_start"]


async def update_with_start(
    engine: Engine, item: ExecuteMultiOperation, remaining_seconds: float | None
) -> tuple[UpdateWithStartReply, UpdateStatus]:
    """Find or start the run, and wait for the update.

    Raises:
        MultiOperationExecution: with what became of the start and of the update.
        DeadlineExceeded: nobody answered in time.
    """
    closed = 0
    for _ in range(ATTEMPTS):
        reply, waiter = await _submit(engine, item)
        try:
            status = await wait_for_update(engine, waiter, remaining_seconds)
        except DeadlineExceeded:
            raise
        except UpdateAbortedByClosingWorkflow as error:
            closed += 1
            if reply.start.started:
                raise _failed(reply, error) from None
            if closed > 1:
                raise _failed(reply, Aborted(error.message)) from None
            continue
        except ServiceError as error:
            raise _failed(reply, error) from None
        if status is not None:
            return reply, status
    raise _failed(reply, Unavailable("workflow update was aborted"))


async def _submit(engine: Engine, item: ExecuteMultiOperation) -> tuple[UpdateWithStartReply, UpdateWaiter]:
    reply: tuple[UpdateWithStartReply, UpdateWaiter] = await engine.submit(item)
    return reply


def _failed(reply: UpdateWithStartReply, error: ServiceError) -> MultiOperationExecution:
    return MultiOperationExecution([None if reply.start.started else MultiOperationAborted(), error])
