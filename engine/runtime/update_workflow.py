"""Send an update to a workflow, or look for one, and wait until it has come far enough.

Rules (temporal server updateworkflow, pollupdate, Update.WaitLifecycleStage):
- A wait ends at the stage that the caller asks for, or after the server's own time limit with the stage that is
  reached; a caller whose deadline comes first hears nothing.
- An update that was lost, since it was in memory only, is admitted again; its id tells it from another one.
"""

from __future__ import annotations

import asyncio

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1.update_pb2 import (
    UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED,
    UpdateWorkflowExecutionLifecycleStage,
)
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.update.v1 import Outcome

from engine.core.errors import DeadlineExceeded, NotFound, ServiceError, Unavailable
from engine.core.inputs import UpdateWorkflowExecution
from engine.core.namespace import Namespace
from engine.core.run.state import RunState
from engine.core.run.update import AdmittedUpdate, UpdateStatus, find_status
from engine.runtime.engine import Engine
from engine.runtime.polled import unpolled_hint
from engine.runtime.update_waiters import UpdateWaiter
from engine.store.runs import load_updates

__all__ = ["ATTEMPTS", "poll_update", "update_workflow", "wait_for_update"]

ATTEMPTS = 8


async def update_workflow(
    engine: Engine, item: UpdateWorkflowExecution, remaining_seconds: float | None
) -> tuple[AdmittedUpdate, UpdateStatus]:
    """Admit an update and wait for it.

    Args:
        remaining_seconds: until the caller's deadline; None without one.
    Raises:
        ServiceError: what the run refuses, or what becomes of the update when its run closes.
        DeadlineExceeded: nobody answered in time.
        Unavailable: it was lost again and again.
    """
    for _ in range(ATTEMPTS):
        waiter: UpdateWaiter = await engine.submit(item)
        status = await wait_for_update(engine, waiter, remaining_seconds)
        if status is not None:
            return waiter.update, status
    raise Unavailable("workflow update was aborted")


async def poll_update(
    engine: Engine,
    namespace: Namespace,
    execution: WorkflowExecution,
    update_id: str,
    stage: UpdateWorkflowExecutionLifecycleStage.ValueType,
    remaining_seconds: float | None,
) -> tuple[AdmittedUpdate, UpdateStatus]:
    """Wait for an update that is there.

    Raises:
        NotFound: no such workflow, run or update; rejected updates are not kept.
        DeadlineExceeded: nobody answered in time.
    """
    for _ in range(ATTEMPTS):
        state = engine.get_run(namespace, execution)
        if get_status(engine, state, update_id) is None:
            raise NotFound(f'update "{update_id}" not found')
        update = AdmittedUpdate(state.run_key, state.workflow_id, state.run_id, update_id, stage)
        status = await wait_for_update(engine, engine.update_waiters.join(update), remaining_seconds)
        if status is not None:
            return update, status
    raise Unavailable("workflow update was aborted")


async def wait_for_update(engine: Engine, waiter: UpdateWaiter, remaining_seconds: float | None) -> UpdateStatus | None:
    """Wait until the update has come as far as its caller wants; None when it was lost."""
    update = waiter.update
    limit_seconds = engine.limits.history_long_poll_interval_ns / 1e9
    timeout_seconds = limit_seconds if remaining_seconds is None else min(limit_seconds, remaining_seconds)
    try:
        if not waiter.answer.done():
            status = _find_status(engine, update)
            if status is None or status.stage >= update.stage:
                return status
        return _with_outcome(engine, update, await asyncio.wait_for(waiter.answer, timeout_seconds))
    except TimeoutError:
        if timeout_seconds < limit_seconds:
            state = engine.find_run(update.run_key)
            hint = "" if state is None else unpolled_hint(engine, state)
            raise DeadlineExceeded("context deadline exceeded" + hint) from None
        return _find_status(engine, update) or UpdateStatus(UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED)
    finally:
        engine.update_waiters.leave(waiter)


def get_status(engine: Engine, state: RunState, update_id: str) -> UpdateStatus | ServiceError | None:
    """Return how far an update of a run has come, without the outcome; see `find_status`."""
    load_updates(engine.database.writer, state)
    return find_status(state, update_id)


def _find_status(engine: Engine, update: AdmittedUpdate) -> UpdateStatus | None:
    state = engine.find_run(update.run_key)
    if state is None:
        return None
    status = get_status(engine, state, update.update_id)
    if isinstance(status, ServiceError):
        raise status
    return _with_outcome(engine, update, status)


def _with_outcome(engine: Engine, update: AdmittedUpdate, status: UpdateStatus | None) -> UpdateStatus | None:
    """Return `status` with the outcome, read from its event."""
    if status is None or status.outcome is not None or not status.completed_event_id:
        return status
    state = engine.find_run(update.run_key)
    if state is None:
        return None
    event_id = status.completed_event_id
    (blob,) = engine.load_history(state, event_id, event_id + 1)
    outcome: Outcome = HistoryEvent.FromString(blob).workflow_execution_update_completed_event_attributes.outcome
    return UpdateStatus(status.stage, outcome, event_id)
