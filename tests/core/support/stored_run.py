"""What the file would hold of one run, and how it is read back.

The second machine of every test: after each input the run is loaded again from its events and transient rows, and
must equal the one that went on in memory.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.history.v1 import HistoryEvent

from engine.core.run import deadlines
from engine.core.run.evolve import evolve
from engine.core.run.state import RunState, WorkflowTask
from engine.core.transition import Transition
from tests.support.stored_views import NEVER_STORED, stored_view

_NOT_STORED_OF_ACTIVITIES = {
    "scheduled_event_id",
    "attributes",
    "scheduled_time_ns",
    "cancel_requested_event_id",
    "progress_size_bytes",
}
_TRANSIENT_RUN_FIELDS = (
    "workflow_task_attempt",
    "sticky_task_queue",
    "sticky_schedule_to_start_timeout_ns",
    "start_request_id",
    "reset_run_id",
    "auto_reset_points",
    "state_transition_count",
)
_MEMORY_ONLY = {
    "deadlines",
    "buffered_stored",
    "stored_deadline_ns",
    "tail",
    "tail_bytes",
} | NEVER_STORED
_STICKINESS = {"sticky_task_queue", "sticky_schedule_to_start_timeout_ns"}
# A close drops what is buffered and all that is pending, so nobody asks a closed run for these.
_OF_OPEN_RUNS = {
    "progress_size_bytes",
    "activities",
    "input_size_bytes",
    "activity_ids",
    "timers",
    "external_signals",
    "external_cancels",
    "buffered",
    "signal_count",
    "cancel_requested",
}


@dataclass
class StoredRun:
    """The events of a run in their serialized form, and its transient rows."""

    blobs: list[bytes] = field(default_factory=list)
    activities: dict[int, dict[str, Any]] = field(default_factory=dict)
    buffered: list[bytes] = field(default_factory=list)
    request_ids: dict[str, int] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)
    workflow_task: WorkflowTask | None = None
    next_deadline_ns: int | None = None
    behind: bool = False
    """True while what a discarded speculative task has changed of the stickiness is in memory only."""

    def save(self, t: Transition) -> None:
        """Write what a closed transition says to write, and nothing else."""
        state = t.state
        for event_id, event_type, time_ns, blob in t.event_rows:
            event = HistoryEvent.FromString(blob)
            event_time_ns = event.event_time.seconds * 1_000_000_000 + event.event_time.nanos
            assert (event_id, event_type, time_ns) == (event.event_id, event.event_type, event_time_ns)
            assert event_id == len(self.blobs) + 1
            self.blobs.append(blob)
        for scheduled_event_id, keep in t.activities.items():
            self.activities.pop(scheduled_event_id, None)
            if keep:
                self.activities[scheduled_event_id] = _transient_activity(state, scheduled_event_id)
        if t.buffer_changed:
            self.buffered = [event.SerializeToString() for event in state.buffered]
        self.request_ids |= t.new_request_ids
        self.behind = not t.touched and (self.behind or t.changed_in_memory)
        if t.touched:
            self.columns = {name: getattr(state, name) for name in _TRANSIENT_RUN_FIELDS}
            stored = stored_view(state, "workflow_task")
            self.workflow_task = stored and dataclasses.replace(stored)
            self.next_deadline_ns = deadlines.next_deadline_ns(state)

    def events(self) -> list[HistoryEvent]:
        """Return the history."""
        return [HistoryEvent.FromString(blob) for blob in self.blobs]

    def load(self, state: RunState) -> RunState:
        """Return a new state with the identity of `state`, folded from the events and completed by the rows."""
        loaded = RunState(state.run_key, state.namespace_id, state.namespace, state.workflow_id, state.run_id)
        events = self.events()
        for event in events:
            evolve(loaded, event)
            time_ns = event.event_time.seconds * 1_000_000_000 + event.event_time.nanos
            loaded.last_event_time_ns = max(loaded.last_event_time_ns, time_ns)
        loaded.next_event_id = len(events) + 1
        loaded.history_size_bytes = sum(map(len, self.blobs))
        loaded.buffered = [HistoryEvent.FromString(blob) for blob in self.buffered]
        for event in loaded.buffered:
            evolve(loaded, event)
        loaded.request_ids = dict(self.request_ids)
        for name, value in self.columns.items():
            setattr(loaded, name, value)
        stored = self.workflow_task
        if stored is None or stored.transient:
            loaded.workflow_task = stored and dataclasses.replace(stored)
        elif loaded.workflow_task is not None:
            loaded.workflow_task.original_scheduled_time_ns = stored.original_scheduled_time_ns
        for scheduled_event_id, row in self.activities.items():
            if scheduled_event_id in loaded.activities:
                for name, value in row.items():
                    setattr(loaded.activities[scheduled_event_id], name, value)
                loaded.measure_progress(loaded.activities[scheduled_event_id])
        deadlines.rebuild(loaded)
        return loaded

    def check(self, state: RunState) -> None:
        """Assert that the run loaded from here is the run in memory."""
        loaded = self.load(state)
        for each in dataclasses.fields(RunState):
            skipped = _MEMORY_ONLY | (_STICKINESS if self.behind else set())
            if each.name not in skipped and (state.running or each.name not in _OF_OPEN_RUNS):
                assert getattr(loaded, each.name) == stored_view(state, each.name), each.name
        if state.running:
            assert set(self.activities) == set(state.activities), "every pending activity has a row, and no other"
        live_ns, rebuilt_ns = deadlines.next_deadline_ns(state), deadlines.next_deadline_ns(loaded)
        task = state.workflow_task
        if task is None or task.started or not task.schedule_to_start_timeout_ns:
            assert rebuilt_ns == live_ns or (task is not None and task.speculative), "the rebuilt deadlines differ"
        live_ns = rebuilt_ns
        assert live_ns is None or (self.next_deadline_ns is not None and self.next_deadline_ns <= live_ns)
        if state.tail:
            assert state.tail == self.blobs[state.tail_first_event_id - 1 :]


def _transient_activity(state: RunState, scheduled_event_id: int) -> dict[str, Any]:
    activity = state.activities[scheduled_event_id]
    names = (each.name for each in dataclasses.fields(activity) if each.name not in _NOT_STORED_OF_ACTIVITIES)
    return {name: getattr(activity, name) for name in names}
