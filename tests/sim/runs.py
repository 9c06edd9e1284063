"""Every run of the file with its history, and how runs follow each other: chains, and resets.

Rules:
- A *chain* is a first run with those that follow it: continued, retried, by cron, or made by a reset. All of them name
  the first one, and of a workflow id only the newest run is ever open.
- A run that a reset made begins with events of its base run, as they are; its own begin with the failed workflow task.
- The reason of a simulated reset names the types that it does not apply again.
- The run that was current is terminated in the same commit, if it was open. So is a base run that hands over at once:
  nothing can come to it in between.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.enums.v1.reset_pb2 import RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL, RESET_REAPPLY_EXCLUDE_TYPE_UPDATE
from temporalio.api.history.v1 import HistoryEvent

from engine.core.run.reset_reapply import excludes_everything
from tests.sim.invariants import load_histories, require

__all__ = ["Run", "Runs", "check_resets", "is_by_reset"]

_RESETTER = "history-resetter"
_WRITTEN_BY_RESETS = (
    EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
)


def is_by_reset(close: HistoryEvent) -> bool:
    """Say whether a run was closed by a reset."""
    return close.workflow_execution_terminated_event_attributes.identity == _RESETTER


@dataclass
class Run:
    """A run with its events, the buffered ones at the end."""

    run_key: int
    workflow_id: str
    run_id: str
    events: list[HistoryEvent]
    open: bool
    reset_run_id: str

    @property
    def where(self) -> str:
        return f"run {self.run_key}"

    @property
    def started(self) -> Any:
        return self.events[0].workflow_execution_started_event_attributes

    @property
    def close(self) -> HistoryEvent:
        return self.events[-1]

    @property
    def next_run_id(self) -> str:
        name = self.close.WhichOneof("attributes")
        return "" if self.open or name is None else getattr(getattr(self.close, name), "new_execution_run_id", "")

    @property
    def closed_by_reset(self) -> bool:
        return not self.open and is_by_reset(self.close)

    @cached_property
    def reset_event(self) -> HistoryEvent | None:
        """The WorkflowTaskFailed of the reset that made this run."""
        for event in self.events:
            if event.workflow_task_failed_event_attributes.new_run_id == self.run_id:
                return event
        return None

    @property
    def base_run_id(self) -> str:
        event = self.reset_event
        return "" if event is None else event.workflow_task_failed_event_attributes.base_run_id

    @property
    def excluded(self) -> frozenset[int]:
        """The ResetReapplyExcludeTypes of the reset that made this run."""
        event = self.reset_event
        reason = "" if event is None else event.workflow_task_failed_event_attributes.failure.message
        return frozenset(map(int, re.findall(r"\d+", reason)))

    @property
    def knows_nothing_later(self) -> bool:
        """Say whether nothing was applied again that was written before the reset."""
        return excludes_everything(self.excluded)

    def copied(self, event_id: int) -> bool:
        """Say whether the event with this id is one of the base run's; a buffered event has the id 0."""
        return self.reset_event is not None and 0 < event_id < self.reset_event.event_id

    def own_events(self) -> list[HistoryEvent]:
        return [event for event in self.events if not self.copied(event.event_id)]

    def asked_to_cancel(self) -> bool:
        asked = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
        return any(event.event_type == asked for event in self.events)


class Runs:
    """All runs of a file, the oldest first."""

    def __init__(self, connection: Any) -> None:
        histories = load_histories(connection)
        sql = "SELECT data FROM buffered_events WHERE run_key = ? ORDER BY position"
        rows = connection.execute(
            "SELECT run_key, workflow_id, run_id, status, reset_run_id FROM runs ORDER BY run_key"
        ).fetchall()
        self.by_run_id: dict[str, Run] = {}
        self._by_workflow_id: dict[str, list[Run]] = {}
        self._chains: dict[str, list[Run]] = {}
        for run_key, workflow_id, run_id, status, reset_run_id in rows:
            buffered = [HistoryEvent.FromString(data) for (data,) in connection.execute(sql, (run_key,))]
            events = histories[run_key] + (buffered if status == 1 else [])
            run = self.by_run_id[run_id] = Run(run_key, workflow_id, run_id, events, status == 1, reset_run_id)
            self._by_workflow_id.setdefault(workflow_id, []).append(run)
            self._chains.setdefault(run.started.first_execution_run_id, []).append(run)

    def __iter__(self) -> Any:
        return iter(self.by_run_id.values())

    def of_workflow(self, workflow_id: str) -> list[Run]:
        return self._by_workflow_id.get(workflow_id, [])

    def chain(self, first_run_id: str) -> list[Run]:
        return self._chains[first_run_id]

    def after(self, run: Run) -> Run | None:
        """Return the next run with the workflow id of `run`."""
        runs = self.of_workflow(run.workflow_id)
        position = runs.index(run) + 1
        return runs[position] if position < len(runs) else None

    def base(self, run: Run) -> Run | None:
        return self.by_run_id.get(run.base_run_id)

    def holders(self, run: Run, event_id: int) -> list[Run]:
        """Return the runs that have an event of `run`: itself, and the base runs that it was copied from."""
        holders = [run]
        while holders[-1].copied(event_id):
            holders.append(self.by_run_id[holders[-1].base_run_id])
        return holders

    def took_over(self, run: Run) -> bool:
        """Say whether a reset made the run of one that was open, so that it missed nothing."""
        base = self.base(run)
        return base is not None and base.closed_by_reset and self.after(base) is run and not run.knows_nothing_later

    def was_taken_over(self, run: Run) -> bool:
        """Say whether the run was open when it was reset."""
        after = self.after(run)
        return run.closed_by_reset and after is not None and after.base_run_id == run.run_id

    def ends(self, first_run_id: str) -> list[Run]:
        """Return the runs of a chain that nothing has followed, unless by a later reset: usually its last one."""
        return [run for run in self.chain(first_run_id) if not (run.open or run.next_run_id or self._makes_room(run))]

    def _makes_room(self, run: Run) -> bool:
        """Say whether a reset closed the run for another one of its chain."""
        after = self.after(run)
        first_run_id = run.started.first_execution_run_id
        return run.closed_by_reset and after is not None and after.started.first_execution_run_id == first_run_id


def check_resets(runs: Runs) -> None:
    """Check every run that a reset made against its base run, and whoever it closed.

    Raises:
        BrokenInvariantError: they do not fit together.
    """
    last_made: dict[str, str] = {}
    for run in runs:
        if run.closed_by_reset:
            after = runs.after(run)
            require(after is not None and after.reset_event, f"{run.where} was closed by a reset that made no run")
        if run.reset_event is None:
            original = run.started.original_execution_run_id
            require(original == run.run_id, f"{run.where} is a copy of {original}, but no reset made it")
            continue
        base = runs.base(run)
        require(base is not None, f"{run.where} was made of {run.base_run_id}, which does not exist")
        assert base is not None
        last_made[base.run_id] = run.run_id
        require(not base.open, f"{run.where}: its base run is open")
        require(base.workflow_id == run.workflow_id, f"{run.where}: its base run has another workflow id")
        _check_events(runs, base, run, run.reset_event)
    for run in runs:
        require(run.reset_run_id == last_made.get(run.run_id, ""), f"{run.where} names another run that a reset made")


def _check_events(runs: Runs, base: Run, run: Run, reset_event: HistoryEvent) -> None:
    """Check what the reset has copied, and what it has applied again of what came later."""
    copied = reset_event.event_id - 1
    while run.events[copied - 1 : copied] != base.events[copied - 1 : copied]:
        copied -= 1
    require(run.events[:copied] == base.events[:copied], f"{run.where} has other events than its base run")
    written = [event.event_type for event in run.events[copied : reset_event.event_id - 1]]
    require(
        tuple(written) == _WRITTEN_BY_RESETS[2 - len(written) :], f"{run.where}: the reset has written {written} first"
    )
    later = base.events[copied:]
    last = base
    while last.close.HasField("workflow_execution_continued_as_new_event_attributes"):
        last = runs.by_run_id[last.next_run_id]
        later = later + last.events
    again: list[HistoryEvent] = []
    for event in run.events[reset_event.event_id :]:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
            break
        again.append(event)
    for excluded, names in (
        (RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL, _signals),
        (RESET_REAPPLY_EXCLUDE_TYPE_UPDATE, _updates),
    ):
        expected = [] if excluded in run.excluded else names(later)
        require(names(again) == expected, f"{run.where}: {names(again)} came again, not {expected}")
    expected = _attached(later)
    if run.knows_nothing_later:
        expected = expected[len(expected) - len(_attached(again)) :]
    require(_attached(again) == expected, f"{run.where}: {expected} were attached, now {_attached(again)}")


def _signals(events: list[HistoryEvent]) -> list[str]:
    signaled = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    return [
        event.workflow_execution_signaled_event_attributes.signal_name
        for event in events
        if event.event_type == signaled
    ]


def _updates(events: list[HistoryEvent]) -> list[str]:
    """Return the updates that have an event with their request: accepted, or admitted again."""
    admitted = (event.workflow_execution_update_admitted_event_attributes.request for event in events)
    accepted = (event.workflow_execution_update_accepted_event_attributes.accepted_request for event in events)
    ids = (first.meta.update_id or second.meta.update_id for first, second in zip(admitted, accepted, strict=True))
    return [update_id for update_id in ids if update_id]


def _attached(events: list[HistoryEvent]) -> list[str]:
    ids = (event.workflow_execution_options_updated_event_attributes.attached_request_id for event in events)
    return [request_id for request_id in ids if request_id]
