"""Whether a worker polls the task queue of a run: what callers hear who waited for one in vain."""

from __future__ import annotations

from engine.core.run.state import RunState
from engine.runtime.engine import Engine

__all__ = ["is_polled", "unpolled_hint"]

# How long nobody may poll a task queue before its workers count as down.
_NO_POLLER_NS = 20_000_000_000


def is_polled(engine: Engine, state: RunState) -> bool:
    """Say whether a worker polls the run's task queue, or did a moment ago."""
    now_ns = engine.clock.system_ns()
    last_poll_ns = engine.task_queues.last_poll_time_ns((state.namespace_id, state.task_queue, False), now_ns)
    return now_ns - last_poll_ns <= _NO_POLLER_NS


def unpolled_hint(engine: Engine, state: RunState) -> str:
    """Return what to add to the message of a time-out: nothing while the task queue is polled."""
    return "" if is_polled(engine, state) else f": nobody polls the task queue {state.task_queue}"
