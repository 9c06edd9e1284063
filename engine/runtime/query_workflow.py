"""Ask a worker: with the run's next workflow task where one is pending, else by a query task of its own.

Rules (temporal server queryworkflow):
- A query sees every event that came before it. A pending workflow task may carry such events, so the query rides on it.
- A query task goes to the sticky worker first; if that does not answer in its schedule-to-start time, the stickiness
  is given up and any worker of the normal queue gets the whole history.
- A query leaves no trace in the history.
"""

from __future__ import annotations

import asyncio

from temporalio.api.enums.v1.failed_cause_pb2 import (
    RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW,
    RESOURCE_EXHAUSTED_SCOPE_NAMESPACE,
)
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult

from engine.core.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    QueryFailed,
    ResourceExhausted,
    ServiceError,
    WorkflowNotReady,
)
from engine.core.inputs import ResetStickyTaskQueue, RunRef
from engine.core.run.state import RunState
from engine.core.run.time_skipping import current_time_ns
from engine.runtime.engine import Engine
from engine.runtime.polled import is_polled, unpolled_hint
from engine.runtime.queries import PendingQuery, QueryTask, is_answered

__all__ = ["query_workflow"]

MAXIMUM_SECONDS = 30.0
"""A query that no worker has answered by then has failed, however long its caller would wait."""

_FAILING_TASK_ATTEMPTS = 3
# This much before the end it is looked at.
_LAST_SECONDS = 1.0


async def query_workflow(
    engine: Engine, state: RunState, query: WorkflowQuery, timeout_seconds: float
) -> WorkflowQueryResult:
    """Return the worker's answer.

    Raises:
        WorkflowNotReady: there is no workflow task to ask with, or the run's tasks keep failing.
        ResourceExhausted: another query waits for the same workflow task already.
        QueryFailed: the worker could not answer.
        FailedPrecondition: nobody polls the task queue.
        DeadlineExceeded: nobody answered in time.
    """
    _check_can_be_asked(engine, state, timeout_seconds)
    until = engine.loop.time() + timeout_seconds
    pending = PendingQuery(state.run_key, engine.env.new_id(), query, engine.loop.create_future())
    try:
        if state.completed_any_workflow_task and (not state.running or state.workflow_task is None):
            result = None
        else:
            if engine.queries.buffered_count(state.run_key) >= engine.limits.buffered_queries:
                raise ResourceExhausted(
                    RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW,
                    "consistent query buffer is full, this may be caused by too many queries and workflow not able to "
                    "process query fast enough",
                    RESOURCE_EXHAUSTED_SCOPE_NAMESPACE,
                )
            engine.queries.buffer(pending)
            result = await _wait(engine, state, pending, until)
            engine.queries.forget(pending)
        if result is None:
            result = await _ask_directly(engine, pending, until)
    finally:
        engine.queries.forget(pending)
    if is_answered(result):
        return result
    raise QueryFailed(result.error_message, result.failure if result.HasField("failure") else None)


def _check_can_be_asked(engine: Engine, state: RunState, timeout_seconds: float) -> None:
    if not state.running and not state.completed_any_workflow_task:
        raise WorkflowNotReady("Workflow execution closed before WorkflowTaskStarted event")
    if state.pending_first_workflow_task_backoff:
        wait_ns = state.execution_time_ns - current_time_ns(engine.env, state)
        if wait_ns > timeout_seconds * 1e9:
            raise WorkflowNotReady("Workflow task is not scheduled yet.")
    if state.workflow_task_attempt >= _FAILING_TASK_ATTEMPTS:
        raise WorkflowNotReady("Unable to query workflow due to Workflow Task in failed state.")


async def _ask_directly(engine: Engine, pending: PendingQuery, until: float) -> WorkflowQueryResult:
    state = engine.find_run(pending.run_key)
    if state is None:
        raise WorkflowNotReady("the workflow execution was deleted")
    sticky_key = (state.namespace_id, state.sticky_task_queue, False)
    if state.sticky_task_queue and engine.task_queues.sticky_alive(sticky_key, engine.clock.system_ns()):
        sticky_until = engine.loop.time() + state.sticky_schedule_to_start_timeout_ns / 1e9
        result = await _offer(engine, state, pending, min(sticky_until, until), sticky=True)
        if result is not None:
            return result
    if state.running and state.sticky_task_queue:
        await _reset_stickiness(engine, state)
    result = await _offer(engine, state, pending, until, sticky=False)
    if result is None:
        raise _timed_out(engine, state)
    return result


async def _offer(
    engine: Engine, state: RunState, pending: PendingQuery, until: float, *, sticky: bool
) -> WorkflowQueryResult | None:
    """Send the query to a task queue and wait; None when the time is over."""
    task_queue = state.sticky_task_queue if sticky else state.task_queue
    pending.future = engine.loop.create_future()
    engine.queries.send_directly(pending)
    task = QueryTask(
        pending=pending,
        future=pending.future,
        workflow_id=state.workflow_id,
        run_id=state.run_id,
        workflow_type=state.workflow_type,
        task_queue=state.task_queue,
        previous_started_event_id=state.previous_started_event_id,
        next_event_id=state.next_event_id,
        sticky=sticky,
    )
    engine.offer_query((state.namespace_id, task_queue, False), task)
    try:
        if not sticky:
            await asyncio.wait((pending.future,), timeout=max(0.0, until - _LAST_SECONDS - engine.loop.time()))
            if not pending.future.done() and not is_polled(engine, state):
                raise FailedPrecondition("no poller seen for task queue recently, worker may be down")
        return await _wait(engine, state, pending, until)
    except DeadlineExceeded:
        return None
    finally:
        pending.future.cancel()


async def _wait(engine: Engine, state: RunState, pending: PendingQuery, until: float) -> WorkflowQueryResult | None:
    try:
        return await asyncio.wait_for(pending.future, max(0.0, until - engine.loop.time()))
    except TimeoutError:
        raise _timed_out(engine, state) from None


def _timed_out(engine: Engine, state: RunState) -> DeadlineExceeded:
    return DeadlineExceeded("query timed out before a worker could process it" + unpolled_hint(engine, state))


async def _reset_stickiness(engine: Engine, state: RunState) -> None:
    try:
        await engine.submit(ResetStickyTaskQueue(RunRef(state.namespace_id, run_key=state.run_key)))
    except ServiceError:
        return  # closed in the meantime: there is nothing to reset
