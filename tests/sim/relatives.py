"""What must hold of a run's parent and children after every step.

Rules:
- What one run sends another is in one commit with its cause and its answer. So after every step a child of an open
  parent is either pending there and open itself, or its end is in the parent's history or buffer.
- A parent's close has done by then what the parent close policies say.
- Of runs that a reset has made only what is certain without their whole story: that is `families.check_families`.
"""

from __future__ import annotations

from typing import Any

from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.enums.v1.workflow_pb2 import PARENT_CLOSE_POLICY_REQUEST_CANCEL, PARENT_CLOSE_POLICY_TERMINATE
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes

from engine.core.run.state import ChildInfo, RunState
from engine.store.runs import load_run
from tests.sim.invariants import require
from tests.sim.runs import is_by_reset
from tests.sim.server import Step

__all__ = ["Relatives"]


class Relatives:
    """Checks runs against each other; remembers how each one has started."""

    def __init__(self) -> None:
        self._started: dict[int, WorkflowExecutionStartedEventAttributes] = {}

    def check(self, connection: Any, run: RunState, step: Step) -> None:
        """Check a run that a step has written against its parent and its children.

        Raises:
            BrokenInvariantError: they do not fit together.
        """
        where = f"run {run.run_key}"
        if run.running:
            require(not run.external_signals, f"{where}: a signal to another workflow was not sent")
            require(not run.external_cancels, f"{where}: a cancellation request to another workflow was not sent")
            for child in run.children.values():
                require(child.started is not None, f"{where}: the child {child.workflow_id} was not started")
        closes_children = run.running or (run.run_key in step.closed and not run.reset_run_id)
        for child in run.children.values():
            if child.started is not None and closes_children and child.initiated_event_id > run.reset_event_id:
                self._check_child(connection, where, run, child, step)
        if run.started.HasField("parent_workflow_execution"):
            self._check_parent(connection, where, run, step)

    def _check_child(self, connection: Any, where: str, parent: RunState, child: ChildInfo, step: Step) -> None:
        """Check a pending child of the run that has started it, which is open or has just closed."""
        last = _load(connection, self._chain(connection, child.workflow_id, child.started_run_id)[-1])
        here = f"{where}: the child {child.workflow_id}"
        if parent.running:
            require(last.running, f"{here} has closed, but its parent waits for it")
        elif last.running and last.run_key < step.first_new_run_key:
            policy = child.parent_close_policy
            require(policy != PARENT_CLOSE_POLICY_TERMINATE, f"{here} goes on after its parent has closed")
            require(
                policy != PARENT_CLOSE_POLICY_REQUEST_CANCEL or last.cancel_requested,
                f"{here} was not asked to cancel when its parent has closed",
            )

    def _check_parent(self, connection: Any, where: str, run: RunState, step: Step) -> None:
        initiated_event_id, first_run_id = run.started.parent_initiated_event_id, run.started.first_execution_run_id
        parent, known = _find_parent(connection, run)
        if not parent.running:
            return
        child = parent.children.get(initiated_event_id)
        waits = child is not None and child.started_run_id == first_run_id
        if not known:
            require(not waits, f"{where}: its parent was reset to before its start, and waits for it")
        elif run.running:
            chain = self._chain(connection, run.workflow_id, first_run_id)
            # Once the parent was told of its end, it hears of no reset of the child.
            told = any(self._ends_its_chain(connection, _load(connection, run_key)) for run_key in chain[:-1])
            require(waits or told, f"{where} is open, but its open parent does not wait for it")
        elif run.run_key in step.closed and parent.run_key < step.first_new_run_key:
            ended = self._ends_its_chain(connection, run)
            require(not (ended and waits), f"{where} has closed, but its open parent has not been told")

    def _ends_its_chain(self, connection: Any, run: RunState) -> bool:
        """Say whether a closed run is followed by none, unless a reset came later."""
        if run.new_execution_run_id or not is_by_reset(_last_event(connection, run.run_key)):
            return not run.new_execution_run_id
        sql = "SELECT min(run_key) FROM runs WHERE workflow_id = ? AND run_key > ?"
        (run_key,) = connection.execute(sql, (run.workflow_id, run.run_key)).fetchone()
        made_for_it = self._start(connection, run_key).first_execution_run_id == run.started.first_execution_run_id
        return not made_for_it

    def _chain(self, connection: Any, workflow_id: str, first_run_id: str) -> list[int]:
        """Return the keys of all runs that name this one as the first of their chain."""
        sql = "SELECT run_key FROM runs WHERE workflow_id = ? ORDER BY run_key"
        keys = [key for (key,) in connection.execute(sql, (workflow_id,))]
        return [key for key in keys if self._start(connection, key).first_execution_run_id == first_run_id]

    def _start(self, connection: Any, run_key: int) -> WorkflowExecutionStartedEventAttributes:
        started = self._started.get(run_key)
        if started is None:
            (data,) = connection.execute(
                "SELECT data FROM events WHERE run_key = ? AND event_id = 1", (run_key,)
            ).fetchone()
            event = HistoryEvent.FromString(data)
            started = self._started[run_key] = event.workflow_execution_started_event_attributes
        return started


def _find_parent(connection: Any, run: RunState) -> tuple[RunState, bool]:
    """Return the run that the child's end is told to, and whether it has the child's initiated event, too."""
    parent = _load_by_run_id(connection, run.started.parent_workflow_execution.run_id)
    known = True
    while not parent.running and parent.reset_run_id:
        parent = _load_by_run_id(connection, parent.reset_run_id)
        known = known and run.started.parent_initiated_event_id < _reset_event_id(connection, parent)
    return parent, known


def _reset_event_id(connection: Any, run: RunState) -> int:
    sql = "SELECT data FROM events WHERE run_key = ? AND event_type = ?"
    for (data,) in connection.execute(sql, (run.run_key, EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)):
        event = HistoryEvent.FromString(data)
        if event.workflow_task_failed_event_attributes.new_run_id == run.run_id:
            return event.event_id
    return 0


def _last_event(connection: Any, run_key: int) -> HistoryEvent:
    sql = "SELECT data FROM events WHERE run_key = ? ORDER BY event_id DESC LIMIT 1"
    return HistoryEvent.FromString(connection.execute(sql, (run_key,)).fetchone()[0])


def _load(connection: Any, run_key: int) -> RunState:
    run = load_run(connection, run_key)
    assert run is not None
    return run


def _load_by_run_id(connection: Any, run_id: str) -> RunState:
    row = connection.execute("SELECT run_key FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    require(row is not None, f"there is no run {run_id}")
    return _load(connection, row[0])
