"""User timers: started by a command, fired by their deadline, cancelled by a command."""

from __future__ import annotations

from engine.core.events import timer as events
from engine.core.run import workflow_task
from engine.core.transition import Transition

__all__ = ["fired"]


def fired(t: Transition, event_id: int, key: str) -> None:
    """Fire the timer `key`.

    Emits: events TimerFired, WorkflowTaskScheduled.
    """
    t.add(events.timer_fired(key, event_id))
    workflow_task.ensure_scheduled(t)
