"""Runs that outgrow a limit: nothing more happens to them, they end.

Rules (temporal server workflow/context.go):
- A change is looked at as a whole, before it is written: one that leaves an open run with too many events, or too much
  state, is thrown away. A history that is too large already ends with the next change, whatever it is.
- The run is terminated instead, and whoever asked for the change is told why.
- A run's first change is never too much.
"""

from __future__ import annotations

from engine.core.policy.limits import Limits
from engine.core.run.state import RunState

__all__ = ["find_reason"]

_ACTIVITY_BYTES = 300
_TIMER_BYTES = 60
_CHILD_BYTES = 200


def find_reason(state: RunState, limits: Limits, *, more_events: int = 0) -> str:
    """Return why the run must end, or nothing.

    Args:
        more_events: how many events are about to be added.
    """
    if state.history_size_bytes > limits.history_size_error_bytes:
        return "Workflow history size exceeds limit."
    if state.next_event_id - 1 + more_events > limits.history_count_error:
        return "Workflow history count exceeds limit."
    if _state_size_bytes(state) > limits.state_size_error_bytes:
        return "Workflow mutable state size exceeds limit."
    return ""


def _state_size_bytes(state: RunState) -> int:
    """Estimate what the reference server would store of the run beside its history."""
    return (
        state.progress_size_bytes
        + _ACTIVITY_BYTES * len(state.activities)
        + _TIMER_BYTES * len(state.timers)
        + _CHILD_BYTES * len(state.children)
    )
