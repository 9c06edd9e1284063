"""Every table that replaces a branch is total: nothing of its enum is forgotten, nothing else is in it."""

from __future__ import annotations

from typing import get_args

from temporalio.api.enums.v1 import CommandType, EventType

from engine.core import dispatch
from engine.core.commands import CLOSING, HANDLERS, UNSERVED
from engine.core.effects import Effect
from engine.core.inputs import Input
from engine.core.run import buffer, deadlines
from engine.core.run.deadlines import DeadlineKind
from engine.core.run.evolve import EVOLVE
from engine.runtime.several_runs import SEVERAL_RUNS, SeveralRuns


def test_every_command_type_is_handled_or_refused() -> None:
    named = set(CommandType.values()) - {CommandType.COMMAND_TYPE_UNSPECIFIED}
    assert set(HANDLERS) | set(UNSERVED) == named
    assert not set(HANDLERS) & set(UNSERVED)
    assert set(HANDLERS) >= CLOSING


def test_every_handled_command_names_its_own_attributes() -> None:
    for command_type, handler in HANDLERS.items():
        name = CommandType.Name(command_type).removeprefix("COMMAND_TYPE_").lower()  # type: ignore[arg-type]
        assert handler.attributes_field == f"{name}_command_attributes"


def test_every_input_has_a_handler() -> None:
    assert set(dispatch.HANDLERS) | set(SEVERAL_RUNS) == set(get_args(Input))
    assert not set(dispatch.HANDLERS) & set(SEVERAL_RUNS)
    assert set(SEVERAL_RUNS) == set(get_args(SeveralRuns))


def test_events_are_folded_by_their_own_entry() -> None:
    assert set(EVOLVE) <= set(EventType.values()) - {EventType.EVENT_TYPE_UNSPECIFIED}


def test_every_closing_event_closes_and_is_never_buffered() -> None:
    closing = {
        EventType.Value(f"EVENT_TYPE_WORKFLOW_EXECUTION_{how}")
        for how in ("COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED", "CANCELED", "CONTINUED_AS_NEW")
    }
    assert closing <= set(EVOLVE)
    assert closing <= buffer.NEVER_BUFFERED


def test_every_deadline_kind_has_a_handler_and_a_due_time() -> None:
    assert set(dispatch.ON_DEADLINE) == set(DeadlineKind)
    assert set(deadlines._CURRENT_DUE) == set(DeadlineKind)


def test_every_input_and_effect_is_a_value() -> None:
    for each in (*get_args(Input), *get_args(Effect)):
        assert issubclass(each, tuple)
