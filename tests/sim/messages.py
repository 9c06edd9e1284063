"""What must hold between those who signal and cancel each other, by all the histories together.

Rules:
- What one run sends another is in one commit with its cause and its answer.
- A run that a reset made sends again what its base run had the answer to only after the reset point.
- What a reset has copied or applied again counts as received where it came first.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from temporalio.api.enums.v1.event_type_pb2 import EventType

from tests.sim.invariants import require
from tests.sim.runs import Run, Runs

__all__ = ["check_messages"]

_SIGNAL = (
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
)
_CANCEL = (
    EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
    EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
)


@dataclass
class _Sent:
    """A signal or a cancellation request in its sender's history; `arrived` if this very run has sent it."""

    initiated: Any
    arrived: bool = False
    answered: bool = False


def check_messages(runs: Runs) -> None:
    """Check every history against those of whom it sent something.

    Raises:
        BrokenInvariantError: they do not fit together.
    """
    _check_signals(runs)
    _check_cancels(runs)


def _read_sent(run: Run, initiated: int, arrived: int, failed: int) -> dict[int, _Sent]:
    """Return what a run has sent by initiated_event_id."""
    sent: dict[int, _Sent] = {}
    for event in run.events:
        if event.event_type == initiated:
            sent[event.event_id] = _Sent(getattr(event, event.WhichOneof("attributes") or ""))
        elif event.event_type in (arrived, failed):
            one = sent.get(getattr(event, event.WhichOneof("attributes") or "").initiated_event_id)
            where = f"{run.where}, event {event.event_id}"
            require(one is not None and not one.answered, f"{where} answers nothing that was sent")
            assert one is not None
            one.answered, one.arrived = True, event.event_type == arrived and not run.copied(event.event_id)
    for event_id, one in sent.items():
        require(one.answered or not run.open, f"{run.where}, event {event_id} has no answer")
    return sent


def _check_signals(runs: Runs) -> None:
    """Every signal that arrived is in exactly one history, by its name; no other is in any."""
    received: dict[tuple[str, str], list[str]] = defaultdict(list)
    for run in runs:
        for event in run.own_events():
            attributes = event.workflow_execution_signaled_event_attributes
            if attributes.HasField("external_workflow_execution"):
                sender = attributes.external_workflow_execution.run_id
                received[sender, attributes.signal_name].append(run.workflow_id)
    for run in runs:
        for event_id, sent in _read_sent(run, *_SIGNAL).items():
            expected = [sent.initiated.workflow_execution.workflow_id] if sent.arrived else []
            found = received.pop((run.run_id, sent.initiated.signal_name), [])
            require(found == expected, f"{run.where}, signal of event {event_id}: {found} got it, not {expected}")
    require(not received, f"signals that nobody has sent: {dict(received)}")


def _check_cancels(runs: Runs) -> None:
    """Every cancellation request has a sender that knows of its arrival; what did not arrive is in no history."""
    received: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for run in runs:
        for event in run.own_events():
            attributes = event.workflow_execution_cancel_requested_event_attributes
            if attributes.external_initiated_event_id:
                sender = attributes.external_workflow_execution.run_id
                received[sender, attributes.external_initiated_event_id].append(run)
    for run in runs:
        for event_id, sent in _read_sent(run, *_CANCEL).items():
            where, target = f"{run.where}, cancellation request of event {event_id}", sent.initiated.workflow_execution
            found = received.pop((run.run_id, event_id), [])
            if not sent.arrived:
                require(not found, f"{where} did not arrive, but is in a history")
                continue
            require([each.workflow_id for each in found] in ([], [target.workflow_id]), f"{where} went elsewhere")
            # Whoever has closed, or was asked before, gets nothing.
            candidates = runs.of_workflow(target.workflow_id)
            there = found or any(not each.open or each.asked_to_cancel() for each in candidates)
            require(there, f"{where} is lost")
    require(not received, f"cancellation requests that nobody has sent: {list(received)}")
