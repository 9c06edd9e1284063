"""Every table that replaces a branch is total: nothing of its enum is forgotten, nothing else is in it."""

from __future__ import annotations

from typing import get_args

from temporalio.api.enums.v1 import CommandType, EventType

from engine.core import dispatch, inputs
from engine.core.commands import CLOSING, HANDLERS, UNSERVED
from engine.core.effects import Effect
from engine.core.events.child_workflow import CHILD_CLOSES
from engine.core.inputs import Input
from engine.core.run import buffer, deadlines
from engine.core.run.deadlines import DeadlineKind
from engine.core.run.evolve import EVOLVE

ENDS = ("COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED", "CANCELED")
# A start is addressed to a workflow id, not to a run that is there: engine/core/run/start.py.
STARTS = {
    inputs.StartWorkflowExecution,
    inputs.StartChildWorkflowExecution,
    inputs.SignalWithStartWorkflowExecution,
}


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
    assert set(dispatch.HANDLERS) | STARTS == set(get_args(Input))
    assert not set(dispatch.HANDLERS) & STARTS


def test_events_are_folded_by_their_own_entry() -> None:
    assert set(EVOLVE) <= set(EventType.values()) - {EventType.EVENT_TYPE_UNSPECIFIED}


def _events_of(kind: str, ends: tuple[str, ...] = ENDS) -> set[int]:
    return {EventType.Value(f"EVENT_TYPE_{kind}_{how}") for how in ends}


def test_every_closing_event_closes_and_is_never_buffered() -> None:
    closing = _events_of("WORKFLOW_EXECUTION", (*ENDS, "CONTINUED_AS_NEW"))
    assert closing <= set(EVOLVE)
    assert closing <= buffer.NEVER_BUFFERED


def test_every_close_that_can_end_a_chain_is_told_to_the_parent() -> None:
    assert set(CHILD_CLOSES) == _events_of("WORKFLOW_EXECUTION")
    assert {row[0] for row in CHILD_CLOSES.values()} == _events_of("CHILD_WORKFLOW_EXECUTION")
    assert set(buffer._CHILD_CLOSES) == _events_of("CHILD_WORKFLOW_EXECUTION")
    assert set(buffer._CHILD_CLOSES) <= set(EVOLVE)
    assert set(buffer._CHILD_CLOSES) <= buffer._FLUSHED_LAST


def test_every_command_to_another_run_has_its_answer() -> None:
    answered = {
        CommandType.Value(f"COMMAND_TYPE_{name}_WORKFLOW_EXECUTION")
        for name in ("START_CHILD", "SIGNAL_EXTERNAL", "REQUEST_CANCEL_EXTERNAL")
    }
    assert set(dispatch.ON_ANSWER) == answered
    assert answered <= set(HANDLERS)


def test_every_deadline_kind_has_a_handler_and_a_due_time() -> None:
    assert set(dispatch.ON_DEADLINE) == set(DeadlineKind)
    assert set(deadlines._CURRENT_DUE) == set(DeadlineKind)


def test_every_effect_is_frozen() -> None:
    for effect in get_args(Effect):
        assert effect.__dataclass_params__.frozen


def test_every_input_is_frozen() -> None:
    for item in get_args(Input):
        assert item.__dataclass_params__.frozen
