"""Finds the event and the command that do not go together, when the SDK's core says that a replay is not the same.

The core says which event it was only for some mismatches, and never which line of code. Its commands become events in
the order in which they are issued, so both are walked side by side, as the core does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.api.history.v1 import HistoryEvent

from . import commands, snapshot
from .tracing import Place, Step, Trace

_MESSAGE = re.compile(r'message: "((?:[^"\\]|\\.)*)"')
_EVENT_ID = re.compile(r"HistoryEvent\(id: (\d+)")
_QUOTED = re.compile(r"'([^']*)'")
_CHANGE_VERSION = "TemporalChangeVersion"
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
# Pairs that cancel each other out when both are issued in one workflow task: neither becomes an event.
_CANCELS = {
    "cancel_timer": "start_timer",
    "request_cancel_activity": "schedule_activity",
    "request_cancel_local_activity": "schedule_local_activity",
    "cancel_child_workflow_execution": "start_child_workflow_execution",
    "cancel_signal_workflow": "signal_external_workflow_execution",
    "request_cancel_nexus_operation": "schedule_nexus_operation",
}
# The core matches these by their ids, not by the order.
_MATCHED_BY_ID = ("WORKFLOW_EXECUTION_UPDATE_ACCEPTED", "WORKFLOW_EXECUTION_UPDATE_COMPLETED")


def messages_of(failure: BaseException) -> list[str]:
    """Return the messages in what the replayer raises: that of the failure, then those of its causes."""
    found = [_unescape(text) for text in _MESSAGE.findall(str(failure))]
    return found or [str(failure)]


@dataclass(frozen=True)
class Pair:
    """An event beside the step that should have made it; either may be missing."""

    event: HistoryEvent | None
    step: Step | None


def find(events: Sequence[HistoryEvent], trace: Trace, message: str) -> Pair:
    """Return the first event and step that do not go together."""
    steps = _own_steps(trace.steps)
    own_events = [event for event in events if _is_made_by_a_step(event)]
    named = _EVENT_ID.search(message)
    if named is not None:
        event = next(event for event in events if event.event_id == int(named[1]))
        earlier = _walk([other for other in own_events if other.event_id < event.event_id], steps)
        by_order = earlier.event is None and commands.event_name(event) not in _MATCHED_BY_ID
        return Pair(event, earlier.step if by_order else None)
    if "local activity" in message and len(types := _QUOTED.findall(message)) == 2:
        return _find_local_activity(events, trace.steps, *types)
    return _walk(own_events, steps)


def to_json(pair: Pair, trace: Trace, definition: Place) -> dict[str, Any]:
    """Return the fields of a mismatch that tell event, command and line."""
    places = list(pair.step.places) if pair.step is not None else []
    event, step = pair.event, pair.step
    if event is not None and commands.event_name(event) in _MATCHED_BY_ID:
        places = [definition]
    elif not places:
        # A command that ends the workflow has no line on the stack; without any command, the workflow waits.
        places = [trace.run_place or definition]
    file, line = places[0]
    return {
        "event_id": event.event_id if event is not None else None,
        "event_type": commands.event_type(event) if event is not None else "",
        "event_summary": commands.event_summary(event) if event is not None else "",
        "command_type": commands.command_type(step.command) if step is not None else "",
        "command_summary": commands.command_summary(step.command) if step is not None else "",
        "file": file,
        "line": line,
        "source": snapshot.excerpt(file, line),
        "callers": places[1:],
    }


def _walk(events: Sequence[HistoryEvent], steps: Sequence[Step]) -> Pair:
    """Go along both, and return where they part; after the last event, no event and the step that comes next."""
    position = 0
    for event in events:
        while position < len(steps) and _may_be_left_out(steps[position], event):
            position += 1
        step = steps[position] if position < len(steps) else None
        if step is None or not _go_together(event, step.command):
            return Pair(event, step)
        position += 1
    return Pair(None, steps[position] if position < len(steps) else None)


def _find_local_activity(
    events: Sequence[HistoryEvent], steps: Sequence[Step], recorded_type: str, new_type: str
) -> Pair:
    """Return the first of those types; markers come in the order in which local activities end."""
    subject = f"local activity {recorded_type}"
    return Pair(
        next((event for event in events if commands.event_subject(event) == subject), None),
        next(
            (
                step
                for step in steps
                if step.variant == "schedule_local_activity" and step.content.activity_type == new_type
            ),
            None,
        ),
    )


def _is_made_by_a_step(event: HistoryEvent) -> bool:
    attributes = event.upsert_workflow_search_attributes_event_attributes
    return (
        commands.event_name(event) in commands.COMMAND_EVENTS
        and event.marker_recorded_event_attributes.marker_name != commands.LOCAL_ACTIVITY_MARKER
        # The core itself notes patches there.
        and _CHANGE_VERSION not in attributes.search_attributes.indexed_fields
    )


def _own_steps(steps: Sequence[Step]) -> list[Step]:
    """Return the steps that become events, in the order of the history."""
    issued = {_key(step, step.variant) for step in steps}
    undone = set()
    for step in steps:
        started = _CANCELS.get(step.variant)
        if started is not None and _key(step, started) in issued:
            undone |= {_key(step, started), _key(step, step.variant)}
    return [
        step
        for step in steps
        if commands.becomes_event(step.command) is not None
        and step.variant != "schedule_local_activity"
        and _key(step, step.variant) not in undone
    ]


def _key(step: Step, variant: str) -> tuple[int, str, int | None]:
    sequence = getattr(step.content, "seq", None)
    return step.activation, variant, getattr(step.content, "child_workflow_seq", None) if sequence is None else sequence


def _may_be_left_out(step: Step, event: HistoryEvent) -> bool:
    """Say whether a step is a patch that this history was made without."""
    return step.variant == "set_patch_marker" and commands.patch_of(event) != step.content.patch_id


def _go_together(event: HistoryEvent, command: Any) -> bool:
    if commands.becomes_event(command) != commands.event_name(event):
        return False
    # The core compares the types of activities and children and the ids of patches; not times, inputs or messages.
    compared = ("ACTIVITY_TASK_SCHEDULED", "START_CHILD_WORKFLOW_EXECUTION_INITIATED", "MARKER_RECORDED")
    return commands.event_name(event) not in compared or commands.event_subject(event) == commands.command_subject(
        command
    )


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text)
