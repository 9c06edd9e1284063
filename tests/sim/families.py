"""What must hold between runs: parents and children, and those who signal and cancel each other.

Rules:
- What one run sends another is in one commit with its cause and its answer. So after every step a child of an open
  parent is either pending there and open itself, or its end is in the parent's history or buffer.
- A parent's close has done by then what the parent close policies say.
- A reset makes other families: the new run has children that are not its own, the base run's may go on without it, and
  a child whose end its parent has seen may begin again. What does not hold of those is not asked of them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.enums.v1.workflow_pb2 import (
    PARENT_CLOSE_POLICY_ABANDON,
    PARENT_CLOSE_POLICY_REQUEST_CANCEL,
    PARENT_CLOSE_POLICY_TERMINATE,
)
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes

from engine.core.events.child_workflow import CHILD_CLOSES
from engine.core.run.state import ChildInfo, RunState
from engine.store.runs import load_run
from tests.sim.invariants import load_histories, require

__all__ = ["check_families", "check_relatives"]

_BY_POLICY = "by parent close policy"


def check_relatives(connection: Any, run: RunState) -> None:
    """Check a run that was just written against its parent and its children."""
    where = f"run {run.run_key}"
    if run.running:
        require(not run.external_signals, f"{where}: a signal to another workflow was not sent")
        require(not run.external_cancels, f"{where}: a cancellation request to another workflow was not sent")
        for child in run.children.values():
            require(child.started is not None, f"{where}: the child {child.workflow_id} was not started")
            chain = _own_chain(connection, run, child)
            require(
                not chain or chain[-1].running, f"{where} waits for the child {child.workflow_id}, which has closed"
            )
    elif not run.reset_run_id:
        _check_policies(connection, where, run)
    if run.started.HasField("parent_workflow_execution"):
        _check_parent(connection, where, run)


def _check_parent(connection: Any, where: str, run: RunState) -> None:
    parent_run_id = run.started.parent_workflow_execution.run_id
    row = connection.execute("SELECT run_key, status FROM runs WHERE run_id = ?", (parent_run_id,)).fetchone()
    require(row is not None, f"{where}: there is no run {parent_run_id}, its parent")
    chain = _chain(connection, run.workflow_id, run.started.first_execution_run_id)
    if row[1] != 1 or run.run_key != chain[-1].run_key:
        return
    parent = load_run(connection, row[0])
    assert parent is not None
    if parent.made_by_reset:
        return
    child = parent.children.get(run.started.parent_initiated_event_id)
    if not run.running:
        require(child is None, f"{where} has closed, but its open parent has not been told")
    elif not any(each.made_by_reset for each in chain):
        require(child is not None, f"{where} is open, but its open parent does not wait for it")
        assert child is not None
        require(child.started_run_id == run.started.first_execution_run_id, f"{where}: its parent has another child")


def _check_policies(connection: Any, where: str, parent: RunState) -> None:
    """Check what the close of a parent, just committed, has done to the children that it left."""
    for child in parent.children.values():
        if child.started is None or not (chain := _own_chain(connection, parent, child)):
            continue
        if child.parent_close_policy == PARENT_CLOSE_POLICY_TERMINATE:
            require(not chain[-1].running, f"{where} has closed, but its child {child.workflow_id} goes on")
        elif child.parent_close_policy == PARENT_CLOSE_POLICY_REQUEST_CANCEL and chain[-1].running:
            require(
                _cancel_requested(connection, chain),
                f"{where} has closed, but its child {child.workflow_id} was not asked to cancel",
            )


def _cancel_requested(connection: Any, chain: list[_Link]) -> bool:
    """Say whether a run of a chain was asked to cancel."""
    marks = ", ".join("?" * len(chain))
    sql = f"SELECT 1 FROM events WHERE event_type = ? AND run_key IN ({marks})"
    asked = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
    if connection.execute(sql, (asked, *(run.run_key for run in chain))).fetchone() is not None:
        return True
    last = load_run(connection, chain[-1].run_key)
    assert last is not None
    return last.cancel_requested  # in its buffer


@dataclass
class _Link:
    """A run of a chain."""

    run_key: int
    run_id: str
    running: bool
    started: WorkflowExecutionStartedEventAttributes

    @property
    def made_by_reset(self) -> bool:
        return self.started.original_execution_run_id != self.run_id


def _own_chain(connection: Any, parent: RunState, child: ChildInfo) -> list[_Link]:
    """Return the chain of a child that `parent` itself has started; none for one that it has from before its reset."""
    chain = _chain(connection, child.workflow_id, child.started_run_id)
    return chain if chain[0].started.parent_workflow_execution == parent.execution else []


def _chain(connection: Any, workflow_id: str, first_run_id: str) -> list[_Link]:
    """Return the runs of a chain and those that resets have made of them, the newest last."""
    rows = connection.execute(
        "SELECT run_key, run_id, status, data FROM runs JOIN events USING (run_key) "
        "WHERE workflow_id = ? AND event_id = 1 ORDER BY run_key",
        (workflow_id,),
    )
    chain = []
    for run_key, run_id, status, data in rows.fetchall():
        if first_run_id.encode() in data:
            started = HistoryEvent.FromString(data).workflow_execution_started_event_attributes
            if started.first_execution_run_id == first_run_id:
                chain.append(_Link(run_key, run_id, status == 1, started))
    require(chain, f"there is no run {first_run_id} of {workflow_id}")
    return chain


# Everything, by the histories alone.


@dataclass
class _Child:
    """What a parent's history says of a child."""

    initiated: HistoryEvent
    started: HistoryEvent | None = None
    failed: HistoryEvent | None = None
    closed: HistoryEvent | None = None


@dataclass
class _Sent:
    """A signal or a cancellation request in its sender's history, and whether it has arrived from there."""

    initiated: Any
    arrived: bool = False


@dataclass
class _Run:
    """A run with its events, the buffered ones at the end; `copied` is the last one that a reset took over."""

    where: str
    workflow_id: str
    run_id: str
    events: list[HistoryEvent]
    open: bool
    reset_run_id: str
    children: dict[int, _Child] = field(default_factory=dict)
    signals: dict[int, _Sent] = field(default_factory=dict)
    cancels: dict[int, _Sent] = field(default_factory=dict)

    @property
    def started(self) -> Any:
        return self.events[0].workflow_execution_started_event_attributes

    @property
    def close(self) -> HistoryEvent:
        return self.events[-1]

    @property
    def made_by_reset(self) -> bool:
        return bool(self.started.original_execution_run_id != self.run_id)

    @property
    def own_events(self) -> list[HistoryEvent]:
        """The events that did not come from the base run of a reset."""
        made = [
            event.event_id
            for event in self.events
            if event.workflow_task_failed_event_attributes.new_run_id == self.run_id
        ]
        return self.events[made[-1] :] if made else self.events

    @property
    def was_reset(self) -> bool:
        return bool(self.reset_run_id)

    def asked_to_cancel(self) -> bool:
        asked = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
        return any(event.event_type == asked for event in self.events)


def check_families(connection: Any) -> None:
    """Check every history against those of its relatives, and of those it sent something.

    Raises:
        BrokenInvariantError: they do not fit together.
    """
    runs = _load(connection)
    for run in runs.values():
        _read_children(run)
        _read_sent(run)
    of_parent: dict[tuple[str, int], list[_Run]] = defaultdict(list)
    for run in runs.values():
        parent = run.started.parent_workflow_execution
        if parent.run_id and run.started.first_execution_run_id == run.run_id and not run.made_by_reset:
            of_parent[parent.run_id, run.started.parent_initiated_event_id].append(run)
    for run in runs.values():
        for initiated_event_id, child in run.children.items():
            _check_child(runs, run, child, of_parent.pop((run.run_id, initiated_event_id), []))
    require(not of_parent, f"children that no parent has initiated: {list(of_parent)}")
    _check_signals(runs)
    _check_cancels(runs)


def _load(connection: Any) -> dict[str, _Run]:
    histories = load_histories(connection)
    sql = "SELECT data FROM buffered_events WHERE run_key = ? ORDER BY position"
    columns = "run_key, workflow_id, run_id, status, reset_run_id"
    rows = connection.execute(f"SELECT {columns} FROM runs ORDER BY run_key").fetchall()
    runs = {}
    for run_key, workflow_id, run_id, status, reset_run_id in rows:
        buffered = [HistoryEvent.FromString(data) for (data,) in connection.execute(sql, (run_key,))]
        events = histories[run_key] + (buffered if status == 1 else [])
        runs[run_id] = _Run(f"run {run_key}", workflow_id, run_id, events, status == 1, reset_run_id)
    return runs


def _read_children(run: _Run) -> None:
    closes = {row[0]: row[2] for row in CHILD_CLOSES.values()}
    for event in run.events:
        kind, where = event.event_type, f"{run.where}, event {event.event_id}"
        if kind == EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            run.children[event.event_id] = _Child(event)
        elif kind == EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
            child = run.children.get(event.child_workflow_execution_started_event_attributes.initiated_event_id)
            require(child is not None and not (child.started or child.failed), f"{where}: starts no initiated child")
            assert child is not None
            child.started = event
        elif kind == EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
            child = run.children.get(event.start_child_workflow_execution_failed_event_attributes.initiated_event_id)
            require(child is not None and not (child.started or child.failed), f"{where}: fails no initiated child")
            assert child is not None
            child.failed = event
        elif kind in closes:
            attributes = getattr(event, closes[kind])
            child = run.children.get(attributes.initiated_event_id)
            require(child and child.started and not child.closed, f"{where}: closes no started child")
            assert child is not None
            assert child.started is not None
            if child.started.event_id:
                require(attributes.started_event_id == child.started.event_id, f"{where}: wrong started_event_id")
            child.closed = event


def _check_child(runs: dict[str, _Run], parent: _Run, child: _Child, started: list[_Run]) -> None:
    """Check one child; `started` are the first runs that name this parent and initiated event."""
    where = f"{parent.where}, child of event {child.initiated.event_id}"
    require(not parent.open or child.started or child.failed, f"{where} was neither started nor refused")
    if child.started is None:
        require(not started, f"{where} runs, but its parent has not seen it start")
        return
    execution = child.started.child_workflow_execution_started_event_attributes.workflow_execution
    if parent.made_by_reset and not started:
        return  # it was started by the base run
    require([run.run_id for run in started] == [execution.run_id], f"{where}: another run has started")
    chain = [run for run in runs.values() if run.started.first_execution_run_id == execution.run_id]
    for run in chain:
        _check_kinship(parent, child, run)
    if parent.was_reset or any(run.made_by_reset for run in chain):
        return
    last = chain[-1]
    if child.closed is not None:
        require(not last.open, f"{where} is open and its parent was told that it has closed")
        event_type, _, target, _ = CHILD_CLOSES[last.close.event_type]
        told = getattr(child.closed, target)
        require(child.closed.event_type == event_type, f"{where}: its parent was told of another end")
        require(told.workflow_execution.run_id == last.run_id, f"{where}: its parent was told of another run's end")
    elif parent.open:
        require(last.open, f"{where} has closed and its parent was not told")
    else:
        _check_policy(where, parent, child, chain)


def _check_kinship(parent: _Run, child: _Child, run: _Run) -> None:
    initiated = child.initiated.start_child_workflow_execution_initiated_event_attributes
    started, root = run.started, parent.started.root_workflow_execution
    require(started.workflow_id == initiated.workflow_id, f"{run.where} is a child by another id")
    require(started.parent_workflow_execution.workflow_id == parent.workflow_id, f"{run.where}: wrong parent")
    require(started.parent_workflow_execution.run_id == parent.run_id, f"{run.where}: its chain changes the parent")
    require(started.root_workflow_execution.run_id == (root.run_id or parent.run_id), f"{run.where}: wrong root")


def _check_policy(where: str, parent: _Run, child: _Child, chain: list[_Run]) -> None:
    """Check what became of a child that was open when its parent closed."""
    policy = child.initiated.start_child_workflow_execution_initiated_event_attributes.parent_close_policy
    terminated = chain[-1].close.workflow_execution_terminated_event_attributes.reason == _BY_POLICY
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


def _read_sent(run: _Run) -> None:
    own = {event.event_id for event in run.own_events}
    for (initiated, arrived, failed), sent in ((_SIGNAL, run.signals), (_CANCEL, run.cancels)):
        answered = set()
        for event in run.events:
            if event.event_type == initiated:
                sent[event.event_id] = _Sent(getattr(event, event.WhichOneof("attributes") or ""))
            elif event.event_type in (arrived, failed):
                attributes = getattr(event, event.WhichOneof("attributes") or "")
                one, where = sent.get(attributes.initiated_event_id), f"{run.where}, event {event.event_id}"
                require(
                    one is not None and attributes.initiated_event_id not in answered,
                    f"{where} answers nothing that was sent",
                )
                assert one is not None
                answered.add(attributes.initiated_event_id)
                one.arrived = event.event_type == arrived and event.event_id in own
        for event_id in sent:
            require(event_id in answered or not run.open, f"{run.where}, event {event_id} has no answer")


def _check_signals(runs: dict[str, _Run]) -> None:
    """Every signal that arrived is in exactly one history, by its sender and name; no other is in any."""
    received: dict[tuple[str, str], list[str]] = defaultdict(list)
    for run in runs.values():
        for event in run.own_events:
            attributes = event.workflow_execution_signaled_event_attributes
            if attributes.HasField("external_workflow_execution"):
                sender = attributes.external_workflow_execution.run_id
                received[sender, attributes.signal_name].append(run.workflow_id)
    for run in runs.values():
        for event_id, sent in run.signals.items():
            expected = [sent.initiated.workflow_execution.workflow_id] if sent.arrived else []
            found = received.pop((run.run_id, sent.initiated.signal_name), [])
            require(found == expected, f"{run.where}, signal of event {event_id}: {found} got it, not {expected}")
    require(not received, f"signals that nobody has sent: {dict(received)}")


def _check_cancels(runs: dict[str, _Run]) -> None:
    """Every cancellation request has a sender that knows of its arrival; what did not arrive is in no history."""
    received: dict[tuple[str, int], list[_Run]] = defaultdict(list)
    for run in runs.values():
        for event in run.own_events:
            attributes = event.workflow_execution_cancel_requested_event_attributes
            if attributes.external_initiated_event_id:
                sender = attributes.external_workflow_execution.run_id
                received[sender, attributes.external_initiated_event_id].append(run)
    by_workflow_id: dict[str, list[_Run]] = defaultdict(list)
    for run in runs.values():
        by_workflow_id[run.workflow_id].append(run)
    for run in runs.values():
        for event_id, sent in run.cancels.items():
            where, target = f"{run.where}, cancellation request of event {event_id}", sent.initiated.workflow_execution
            found = received.pop((run.run_id, event_id), [])
            if not sent.arrived:
                require(not found, f"{where} did not arrive, but is in a history")
                continue
            require([each.workflow_id for each in found] in ([], [target.workflow_id]), f"{where} went elsewhere")
            # Whoever has closed, or was asked before, gets nothing.
            candidates = by_workflow_id[target.workflow_id]
            there = found or any(not each.open or each.asked_to_cancel() for each in candidates)
            require(there, f"{where} is lost")
    require(not received, f"cancellation requests that nobody has sent: {list(received)}")
