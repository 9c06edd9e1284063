"""COMMAND_TYPE_CANCEL_TIMER."""

from __future__ import annotations

from temporalio.api.command.v1 import CancelTimerCommandAttributes
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES as BAD_ATTRIBUTES,
)
from temporalio.api.history.v1 import HistoryEvent

from engine.core.commands.work import CommandWork
from engine.core.events.timer import timer_canceled
from engine.core.run.buffer import take_timer_fired

__all__ = ["apply", "validate"]


def validate(work: CommandWork, attributes: CancelTimerCommandAttributes) -> None:
    """Check the timer's id.

    Raises: FailWorkflowTask(BAD_CANCEL_TIMER_ATTRIBUTES).
    """
    work.check_id_length(BAD_ATTRIBUTES, "TimerId", "CancelTimerCommand", attributes.timer_id)


def apply(work: CommandWork, attributes: CancelTimerCommandAttributes) -> HistoryEvent:
    """Cancel the timer, also one whose firing the workflow has not seen yet: that firing is taken back.

    Emits: event TimerCanceled.
    Raises: FailWorkflowTask(BAD_CANCEL_TIMER_ATTRIBUTES) for a timer that is not there, before any mutation.
    """
    t, timer_id = work.t, attributes.timer_id
    timer = t.state.timers.get(timer_id)
    if timer is not None:
        started_event_id = timer.started_event_id
    else:
        fired = take_timer_fired(t.state, timer_id)
        if fired is None:
            work.refuse_in_this_state(
                BAD_ATTRIBUTES,
                "add-timer-canceled-event",
                f"TimerID: {timer_id}",
            )
        t.buffer_changed = t.buffer_rewritten = True
        started_event_id = fired.timer_fired_event_attributes.started_event_id
    event = t.add(timer_canceled(timer_id, started_event_id, work.workflow_task_completed_event_id, work.identity))
    work.has_buffered_events = work.has_buffered_events and bool(t.state.buffered)
    return event
