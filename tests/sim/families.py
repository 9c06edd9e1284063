"""What must hold between parents and children, by all the histories together.

Rules:
- A child is told of by the runs of its parent that have its initiated event: the one that started it, and those that a
  reset has made of it later. Its end is told to the last of them, the first time that its chain ends.
- Where a run was not open when it was reset, its children may have ended in between: nobody has heard of that.
- Only the run that started a child closes it by the parent close policy, and not when it is reset.
- The reset of another chain ends a child like a termination.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.enums.v1.workflow_pb2 import (
    PARENT_CLOSE_POLICY_ABANDON,
    PARENT_CLOSE_POLICY_REQUEST_CANCEL,
    PARENT_CLOSE_POLICY_TERMINATE,
)
from temporalio.api.history.v1 import HistoryEvent

from engine.core.events.child_workflow import CHILD_CLOSES
from tests.sim.invariants import require
from tests.sim.runs import Run, Runs

__all__ = ["check_families"]

_BY_POLICY = "by parent close policy"


@dataclass
class _Child:
    """What a parent's history says of a child."""

    initiated: HistoryEvent
    started: HistoryEvent | None = None
    failed: HistoryEvent | None = None
    closed: HistoryEvent | None = None


def check_families(runs: Runs) -> None:
    """Check every history against those of its relatives.

    Raises:
        BrokenInvariantError: they do not fit together.
    """
    started_by: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for run in runs:
        parent = run.started.parent_workflow_execution
        if parent.run_id and run.started.first_execution_run_id == run.run_id:
            started_by[parent.run_id, run.started.parent_initiated_event_id].append(run)
    orphans = set(started_by)
    for parent in runs:
        for initiated_event_id, child in _read_children(parent).items():
            orphans.discard((parent.run_id, initiated_event_id))
            holders = runs.holders(parent, initiated_event_id)
            firsts: list[Run] = []
            for holder in holders:
                firsts += started_by.get((holder.run_id, initiated_event_id), [])
                if firsts and holder.knows_nothing_later:
                    break  # it may have started the child although its base run had
            _check_child(runs, holders, child, firsts)
    require(not orphans, f"children that no parent has initiated: {orphans}")


def _read_children(run: Run) -> dict[int, _Child]:
    children: dict[int, _Child] = {}
    closes = {row[0]: row[2] for row in CHILD_CLOSES.values()}
    for event in run.events:
        kind, where = event.event_type, f"{run.where}, event {event.event_id}"
        if kind == EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            children[event.event_id] = _Child(event)
        elif kind == EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
            child = children.get(event.child_workflow_execution_started_event_attributes.initiated_event_id)
            require(child is not None and not (child.started or child.failed), f"{where}: starts no initiated child")
            assert child is not None
            child.started = event
        elif kind == EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
            child = children.get(event.start_child_workflow_execution_failed_event_attributes.initiated_event_id)
            require(child is not None and not (child.started or child.failed), f"{where}: fails no initiated child")
            assert child is not None
            child.failed = event
        elif kind in closes:
            attributes = getattr(event, closes[kind])
            child = children.get(attributes.initiated_event_id)
            require(child and child.started and not child.closed, f"{where}: closes no started child")
            assert child is not None
            assert child.started is not None
            if child.started.event_id:
                require(attributes.started_event_id == child.started.event_id, f"{where}: wrong started_event_id")
            child.closed = event
    return children


def _check_child(runs: Runs, holders: list[Run], child: _Child, firsts: list[Run]) -> None:
    """Check one child of one run.

    Args:
        holders: the run, and those before it that have the initiated event.
        firsts: the first runs that name one of them as their parent.
    """
    parent = holders[0]
    where = f"{parent.where}, child of event {child.initiated.event_id}"
    require(not parent.open or child.started or child.failed, f"{where} was neither started nor refused")
    if child.started is None:
        require(not firsts, f"{where} runs, but its parent has not seen it start")
        return
    execution = child.started.child_workflow_execution_started_event_attributes.workflow_execution
    require([first.run_id for first in firsts] == [execution.run_id], f"{where}: another run has started")
    starter = runs.by_run_id[firsts[0].started.parent_workflow_execution.run_id]
    chain = runs.chain(execution.run_id)
    for run in chain:
        _check_kinship(starter, child, run)
    heard_all = all(map(runs.took_over, holders[: holders.index(starter)]))
    ends = runs.ends(execution.run_id)
    if child.closed is not None:
        _check_told(where, child.closed, ends if not heard_all else ends[:1])
    elif parent.open:
        require(not ends or not heard_all, f"{where} has closed and its parent was not told")
    elif starter is parent:
        _check_policy(where, runs, parent, child, chain)


def _check_kinship(starter: Run, child: _Child, run: Run) -> None:
    initiated = child.initiated.start_child_workflow_execution_initiated_event_attributes
    started, root = run.started, starter.started.root_workflow_execution
    require(started.workflow_id == initiated.workflow_id, f"{run.where} is a child by another id")
    require(started.parent_workflow_execution.workflow_id == starter.workflow_id, f"{run.where}: wrong parent")
    require(started.parent_workflow_execution.run_id == starter.run_id, f"{run.where}: its chain changes the parent")
    require(started.root_workflow_execution.run_id == (root.run_id or starter.run_id), f"{run.where}: wrong root")


def _check_told(where: str, closed: HistoryEvent, ends: list[Run]) -> None:
    """Check what a parent was told of a child's end; `ends` are those that it may have heard of."""
    told_run_id = getattr(closed, closed.WhichOneof("attributes") or "").workflow_execution.run_id
    told = next((run for run in ends if run.run_id == told_run_id), None)
    require(told is not None, f"{where}: its parent was told that {told_run_id} has closed, of {len(ends)} ends")
    assert told is not None
    event_type = CHILD_CLOSES[told.close.event_type][0]
    require(closed.event_type == event_type, f"{where}: its parent was told of another end")
    require(not _is_by_policy(told), f"{where}: its parent was told how it closed the child itself")


def _check_policy(where: str, runs: Runs, parent: Run, child: _Child, chain: list[Run]) -> None:
    """Check what became of a child that was open when the run that had started it closed."""
    policy = child.initiated.start_child_workflow_execution_initiated_event_attributes.parent_close_policy
    if runs.was_taken_over(parent):
        policy = PARENT_CLOSE_POLICY_ABANDON
    terminated = any(_is_by_policy(run) for run in chain)
    if policy == PARENT_CLOSE_POLICY_TERMINATE:
        require(terminated, f"{where} was not terminated by its policy")
    elif policy == PARENT_CLOSE_POLICY_REQUEST_CANCEL:
        require(any(run.asked_to_cancel() for run in chain), f"{where} was not asked to cancel")
    require(policy == PARENT_CLOSE_POLICY_TERMINATE or not terminated, f"{where} was terminated by its policy")
    if policy == PARENT_CLOSE_POLICY_ABANDON:
        by_parent = [
            event.event_id
            for run in chain
            for event in run.events
            if event.workflow_execution_cancel_requested_event_attributes.external_workflow_execution.run_id
            == parent.run_id
            and not event.workflow_execution_cancel_requested_event_attributes.external_initiated_event_id
        ]
        require(not by_parent, f"{where} was asked to cancel by its policy")


def _is_by_policy(run: Run) -> bool:
    return not run.open and run.close.workflow_execution_terminated_event_attributes.reason == _BY_POLICY
