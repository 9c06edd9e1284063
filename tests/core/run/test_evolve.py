"""Folding events: total, and never disturbed by what it does not know."""

from __future__ import annotations

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from engine.core.errors import InvariantViolated
from engine.core.events import timer, workflow_execution
from engine.core.run.evolve import EVOLVE, evolve
from engine.core.run.state import RunState
from engine.core.transition import Transition
from tests.core.support.core import Core
from tests.core.support.messages import complete_workflow


@pytest.mark.parametrize("event_type", sorted(EventType.values()))
def test_every_event_type_folds_into_an_empty_state(event_type: int) -> None:
    state = RunState(1, "namespace-id", "default", "workflow", "run")
    evolve(state, HistoryEvent(event_id=5, event_type=event_type))  # type: ignore[arg-type]
    if event_type not in EVOLVE:
        assert state == RunState(1, "namespace-id", "default", "workflow", "run")


def test_nothing_comes_after_the_close() -> None:
    core = Core()
    run = core.start()
    run.complete(complete_workflow())
    t = Transition(core.context, run.state)
    with pytest.raises(InvariantViolated, match="event after the close"):
        t.add(workflow_execution.workflow_execution_signaled("late", None, "", None, ""))


def test_a_firing_that_nobody_waits_for_changes_nothing() -> None:
    run = Core().start()
    before = dict(run.state.timers)
    evolve(run.state, timer.timer_fired("unknown", 5))
    assert run.state.timers == before
