"""COMMAND_TYPE_START_TIMER."""

from __future__ import annotations

from temporalio.api.command.v1 import StartTimerCommandAttributes
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES as BAD_ATTRIBUTES,
)
from temporalio.api.enums.v1.failed_cause_pb2 import WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID
from temporalio.api.history.v1 import HistoryEvent

from engine.core.commands.work import CommandWork
from engine.core.errors import FailWorkflowTask
from engine.core.events.timer import timer_started
from engine.core.policy.durations import cap_duration
from engine.core.run.deadlines import DeadlineKind, push

__all__ = ["apply", "validate"]

_COMMAND = "StartTimerCommand"


def validate(work: CommandWork, attributes: StartTimerCommandAttributes) -> None:
    """Check the timer's id and duration.

    Raises: FailWorkflowTask(BAD_START_TIMER_ATTRIBUTES | START_TIMER_DUPLICATE_ID).
    """
    timer_id = attributes.timer_id
    work.check_id_length(BAD_ATTRIBUTES, "TimerId", _COMMAND, timer_id)
    if problem := cap_duration(attributes.start_to_fire_timeout):
        raise FailWorkflowTask(
            BAD_ATTRIBUTES, f"An invalid StartToFireTimeout is set on {_COMMAND}: {problem}. TimerId={timer_id}"
        )
    if timer_id in work.t.state.timers:
        work.refuse_in_this_state(
            WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID,
            "add-timer-started-event",
            f"TimerID: {timer_id}",
        )


def apply(work: CommandWork, attributes: StartTimerCommandAttributes) -> HistoryEvent:
    """Start the timer.

    Emits: event TimerStarted; its deadline.
    """
    t = work.t
    timeout = attributes.start_to_fire_timeout if attributes.HasField("start_to_fire_timeout") else None
    event = t.add(timer_started(attributes.timer_id, timeout, work.workflow_task_completed_event_id))
    timer = t.state.timers[attributes.timer_id]
    push(t.state, timer.expiry_time_ns, DeadlineKind.USER_TIMER, event.event_id, 0, timer.timer_id)
    return event
