"""When a run skips time: at the end of each transition that leaves it with nothing to do but wait.

Rules (temporal server workflow/timeskipping.go):
- Work holds time back: a workflow task, also a speculative one, an activity but for one between its attempts, a child,
  a signal or request to cancel another workflow.
- Time jumps to what comes first: a timer, the next attempt of an activity, the end of a start delay or backoff; once
  the run has had a workflow task, the end of its time. It never jumps over a fast-forward's target.
- A fast-forward whose target comes by itself ends whatever the run does.
- Times are stored as 64-bit nanoseconds: a run does not skip to where its next timeout would not fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.core.events.workflow_execution import workflow_execution_time_skipping_transitioned
from engine.core.policy.durations import MAX_DURATION_NS
from engine.core.run.state import RunState

if TYPE_CHECKING:
    from engine.core.transition import Transition

__all__ = ["fast_forward_due", "skip_idle_time"]

_LATEST_TARGET_NS = 2**63 - 1 - MAX_DURATION_NS


def skip_idle_time(t: Transition) -> None:
    """Skip to what the run waits for, if it does nothing else.

    Emits: event WorkflowExecutionTimeSkippingTransitioned.
    """
    state, skipping = t.state, t.state.time_skipping
    if skipping is None or not skipping.enabled or not state.running or _works(state, t.now_ns):
        return
    target_ns = min(_skip_targets(state), default=0)
    if skipping.fast_forward_pending and not 0 < target_ns < skipping.fast_forward_target_ns:
        target_ns = skipping.fast_forward_target_ns
    if t.now_ns < target_ns <= _LATEST_TARGET_NS:
        disables = skipping.fast_forward_pending and target_ns == skipping.fast_forward_target_ns
        _add_transitioned(t, target_ns, disabled_after_fast_forward=disables)


def fast_forward_due(t: Transition, event_id: int, key: str) -> None:
    """End the fast-forward: its target has come without a skip.

    Emits: event WorkflowExecutionTimeSkippingTransitioned.
    """
    _add_transitioned(t, 0, disabled_after_fast_forward=True)


def _add_transitioned(t: Transition, target_ns: int, *, disabled_after_fast_forward: bool) -> None:
    wall_clock_time_ns = t.now_ns - t.state.skipped_ns
    t.add(workflow_execution_time_skipping_transitioned(target_ns, wall_clock_time_ns, disabled_after_fast_forward))


def _works(state: RunState, now_ns: int) -> bool:
    return (
        state.workflow_task is not None
        or bool(state.children or state.external_signals or state.external_cancels)
        or any(
            not activity.backing_off or activity.attempt_scheduled_time_ns <= now_ns
            for activity in state.activities.values()
        )
    )


def _skip_targets(state: RunState) -> Iterator[int]:
    for timer in state.timers.values():
        yield timer.expiry_time_ns
    for activity in state.activities.values():
        yield activity.attempt_scheduled_time_ns
    if state.pending_first_workflow_task_backoff:
        yield state.execution_time_ns
    elif state.had_workflow_task:
        yield from filter(None, (state.run_expiration_time_ns, state.execution_expiration_time_ns))
