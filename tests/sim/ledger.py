"""What the server has acknowledged, and so must still be there at the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.history.v1 import HistoryEvent

from tests.sim.invariants import load_histories, require
from tests.sim.updates import check_updates

__all__ = ["Ledger"]

_ActivityKey = tuple[str, int]
"""(run_id, scheduled_event_id)."""


@dataclass
class Ledger:
    """Acknowledged work, noted by clients and workers when the reply reaches them."""

    starts: dict[str, str] = field(default_factory=dict)
    signals: list[str] = field(default_factory=list)
    once_sent_signals: set[str] = field(default_factory=set)
    sent_updates: list[str] = field(default_factory=list)
    updates: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """(run_id, update_id) -> (workflow_id, result) of what was accepted; the result is empty until it is known."""
    terminations: list[str] = field(default_factory=list)
    workflow_tasks: list[tuple[str, int]] = field(default_factory=list)
    activity_results: dict[_ActivityKey, str] = field(default_factory=dict)
    activity_attempts: dict[_ActivityKey, int] = field(default_factory=dict)
    _heartbeats: dict[_ActivityKey, list[str]] = field(default_factory=dict)
    _number: int = 0

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def heartbeat_sent(self, key: _ActivityKey, details: Payloads) -> None:
        """From now on the next attempt may get these details."""
        self._heartbeats.setdefault(key, [""]).append(str(details))

    def heartbeat_acknowledged(self, key: _ActivityKey, details: Payloads) -> None:
        """From now on the next attempt must get these details or later ones."""
        sent = self._heartbeats[key]
        self._heartbeats[key] = sent[sent.index(str(details)) :]

    def check_heartbeat(self, key: _ActivityKey, details: Payloads | None) -> None:
        """Check what an attempt was given."""
        possible = self._heartbeats.get(key, [""])
        given = "" if details is None else str(details)
        require(given in possible, f"activity {key} was given the details {given!r}, not one of {possible}")

    def check(self, connection: Any) -> None:
        """Find everything in the histories.

        Raises:
            BrokenInvariantError: acknowledged work is missing, or was done twice.
        """
        run_ids = dict(connection.execute("SELECT run_key, run_id FROM runs").fetchall())
        histories = {run_ids[run_key]: events for run_key, events in load_histories(connection).items()}
        for request_id, run_id in self.starts.items():
            require(run_id in histories, f"the run {run_id}, started by {request_id}, is gone")
        signals = [
            Counter(
                event.workflow_execution_signaled_event_attributes.signal_name
                for event in events
                if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
            )
            for events in histories.values()
        ]
        # A reset copies signals into another history, never twice into one.
        most = Counter({name: max(each[name] for each in signals) for name in set().union(*signals)})
        for name in self.signals:
            require(most[name], f"the signal {name} was acknowledged and is in no history")
        for name in self.once_sent_signals:
            require(most[name] <= 1, f"the signal {name} was sent once and recorded {most[name]} times")
        check_updates(self, histories)
        for run_id in self.terminations:
            last = histories[run_id][-1].event_type
            require(last == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, f"run {run_id} was not terminated")
        for run_id, started_event_id in self.workflow_tasks:
            self._check_workflow_task(histories[run_id], run_id, started_event_id)
        for (run_id, scheduled_event_id), result in self.activity_results.items():
            found = [
                event.activity_task_completed_event_attributes.result.payloads[0].data.decode()
                for event in histories[run_id]
                if event.activity_task_completed_event_attributes.scheduled_event_id == scheduled_event_id
            ]
            require(found == [f'"{result}"'], f"activity {scheduled_event_id} of {run_id}: {found}, not {result}")

        for (run_id, scheduled_event_id), attempt in self.activity_attempts.items():
            started = [
                event.activity_task_started_event_attributes.attempt
                for event in histories[run_id]
                if event.activity_task_started_event_attributes.scheduled_event_id == scheduled_event_id
            ]
            where = f"activity {scheduled_event_id} of {run_id}"
            require(started == [attempt], f"{where}: attempt {attempt} was acknowledged, {started} is in the history")

    def _check_workflow_task(self, events: list[HistoryEvent], run_id: str, started_event_id: int) -> None:
        where = f"run {run_id}: the completion of workflow task {started_event_id}"
        require(len(events) > started_event_id, f"{where} is gone")
        completed = events[started_event_id].workflow_task_completed_event_attributes
        require(completed.started_event_id == started_event_id, f"{where} is another event")
