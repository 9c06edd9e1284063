"""Events that belong together: an activity from its scheduling to its end is one thing to a person.

Rules:
- A group is known by the event that opened it; groups stand in that order.
- A group holds no event, only ids: what was so at any event follows from the ids (`moment.py`).
- The time of an event is not the order of events: an activity's start is written when it ends.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

from durable_cli.tui.history.kinds import OPEN_STATES, TROUBLE_STATES, Kind, State
from durable_cli.tui.history.steps import Step
from durable_cli.tui.rows import EventRow

__all__ = ["Checkpoint", "Group", "History", "find_trouble"]


@dataclass(slots=True, eq=False)
class Group:
    """One thing that happened or happens; times are nanoseconds since the epoch, `end_time_ns` None while it lasts."""

    kind: Kind
    name: str
    detail: str
    label: str
    state: State
    event_ids: tuple[int, ...]
    start_time_ns: int
    end_time_ns: int | None = None
    started_time_ns: int = 0
    """When the last attempt, or a child, began."""
    attempt: int = 0
    outcome: str = ""
    failure: str = ""
    due_time_ns: int = 0
    fingerprint: int = 0
    outcome_fingerprint: int = 0
    """Equal for equal results and failures, whatever was given."""
    workflow_id: str = ""
    run_id: str = ""
    item_id: str = ""
    next_run_id: str = ""

    @property
    def opened_event_id(self) -> int:
        """The event by which the group is known."""
        return self.event_ids[0]

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.end_time_ns is None

    @property
    def is_moment(self) -> bool:
        """Whether it is one event, which begins and ends nothing."""
        return len(self.event_ids) == 1 and self.end_time_ns == self.start_time_ns

    @property
    def is_trouble(self) -> bool:
        """Whether it ended badly."""
        return self.state in TROUBLE_STATES

    @property
    def is_folded(self) -> bool:
        """Whether a person sees it only when asked for: workflow tasks, unless one fails."""
        return self.kind is Kind.WORKFLOW_TASK and not self.is_trouble

    @property
    def title(self) -> str:
        """What it is, in words: `activity charge_payment`."""
        return self.name if self.kind in _NAMED_BY_THEMSELVES else f"{self.kind.value} {self.name}".strip()

    def take(self, step: Step) -> None:
        """Take a further event of the group."""
        if step.event_id > self.event_ids[-1]:
            self.event_ids += (step.event_id,)
        self.state = step.state
        self.name = self.name or step.name
        self.attempt = max(self.attempt, step.attempt)
        self.failure = step.failure or self.failure
        self.workflow_id = step.workflow_id or self.workflow_id
        self.run_id = step.run_id or self.run_id
        self.next_run_id = step.next_run_id
        if step.fingerprint:
            self.fingerprint = hash((self.fingerprint, step.fingerprint))
        if step.state is State.STARTED:
            self.started_time_ns = self.started_time_ns or step.time_ns
            self.detail = self.detail or step.detail
        elif step.state not in OPEN_STATES:
            self.end_time_ns = step.time_ns
            self.outcome = step.detail or step.failure
            self.outcome_fingerprint = step.fingerprint

    def take_words(self, other: Group) -> bool:
        """Take what the same group says elsewhere; return whether that is something else."""
        before = self.detail, self.label, self.outcome, self.failure
        self.detail, self.label, self.outcome, self.failure = other.detail, other.label, other.outcome, other.failure
        self.fingerprint, self.outcome_fingerprint = other.fingerprint, other.outcome_fingerprint
        return before != (self.detail, self.label, self.outcome, self.failure)


_NAMED_BY_THEMSELVES = frozenset({Kind.ATTRIBUTES, Kind.REQUEST, Kind.OTHER})


# So often it is noted what is open, so that no moment is further than this from such a note.
CHECKPOINT_EVENTS = 512


class Checkpoint(NamedTuple):
    """What was so after an event: how many groups there were, which of them were open, how many were over."""

    group_count: int
    open_indexes: tuple[int, ...]
    closed_count: int


class History:
    """A run's events and their groups, as far as they were read."""

    def __init__(self) -> None:
        self.rows: list[EventRow] = []
        self.groups: list[Group] = []
        self._index_by_event = array("l")
        self._open: dict[int, Group] = {}
        self._closed_count = 0
        self.failed_task_count = 0
        """How many workflow tasks have failed or timed out."""
        self._latest_ns = array("q")
        self._checkpoints = [Checkpoint(0, (), 0)]

    def take(self, rows: Iterable[EventRow], steps: Iterable[Step]) -> list[Group]:
        """Take further events; return the older groups that they belong to, without the new ones."""
        before = len(self.groups)
        changed: dict[int, Group] = {}
        for row in rows:
            self.rows.append(row)
            self._latest_ns.append(max(row.event_time_ns, self._latest_ns[-1] if self._latest_ns else 0))
        for step in steps:
            index = self._find_index(step)
            if index is None:
                index = len(self.groups)
                self.groups.append(_open(step, self.run.start_time_ns if self.run else 0))
            else:
                self.groups[index].take(step)
                if index < before:
                    changed[index] = self.groups[index]
            self._index_by_event.append(index)
            self._note_open(index)
            if len(self._index_by_event) % CHECKPOINT_EVENTS == 0:
                self._checkpoints.append(Checkpoint(len(self.groups), tuple(self._open), self._closed_count))
        return list(changed.values())

    def take_words(self, other: History) -> list[Group]:
        """Take the words of the same history, read again with its payloads decoded; return what changed."""
        self.rows[: len(other.rows)] = other.rows[: len(self.rows)]
        return [group for group, read in zip(self.groups, other.groups, strict=False) if group.take_words(read)]

    def _find_index(self, step: Step) -> int | None:
        opened = step.opened_event_id
        if opened == step.event_id or not 0 < opened <= len(self._index_by_event):
            return None
        return self._index_by_event[opened - 1]

    def _note_open(self, index: int) -> None:
        group = self.groups[index]
        if group.is_open:
            self._open[index] = group
        elif self._open.pop(index, None) is not None:
            self._closed_count += not group.is_folded
            self.failed_task_count += group.kind is Kind.WORKFLOW_TASK and group.is_trouble

    def checkpoint_before(self, event_id: int) -> Checkpoint:
        """Return the last note of what was open until an event."""
        return self._checkpoints[event_id // CHECKPOINT_EVENTS]

    def group_of(self, event_id: int) -> Group:
        """Return the group that an event belongs to."""
        return self.groups[self.index_of(event_id)]

    def index_of(self, event_id: int) -> int:
        """Return the place among the groups of the one that an event belongs to."""
        return self._index_by_event[event_id - 1]

    def row(self, event_id: int) -> EventRow:
        """Return an event's row."""
        return self.rows[event_id - 1]

    @property
    def run(self) -> Group | None:
        """The run itself, which its first event opens."""
        return self.groups[0] if self.groups else None

    @property
    def open_groups(self) -> Sequence[Group]:
        """What goes on, oldest first, without the run itself."""
        groups = (self._open[index] for index in sorted(self._open))
        return [group for group in groups if group.kind is not Kind.RUN]

    def time_at(self, event_id: int) -> int:
        """Return the time at which an event was written: the latest that it or one before it has."""
        return self._latest_ns[event_id - 1]

    @property
    def last_time_ns(self) -> int:
        """The latest time that an event has; 0 when there is none."""
        return self._latest_ns[-1] if self._latest_ns else 0


def find_trouble(groups: Sequence[Group], after: Group | None) -> Group | None:
    """Return the next group that ended badly, after one and round again; None when there is none."""
    start = bisect_right(groups, after.opened_event_id, key=lambda group: group.opened_event_id) if after else 0
    rest = chain(islice(groups, start, None), islice(groups, start))
    return next((group for group in rest if group.is_trouble), None)


def _open(step: Step, run_start_ns: int) -> Group:
    """Make a group of its first event."""
    is_over = step.state not in OPEN_STATES
    # The start is by the worker's clock, which is behind a server's that was moved: it can't be before the run's.
    has_start = step.start_time_ns >= max(run_start_ns, 1)
    return Group(
        step.kind,
        step.name,
        step.detail,
        step.label,
        step.state,
        (step.event_id,),
        step.start_time_ns if has_start else step.time_ns,
        end_time_ns=step.time_ns if is_over else None,
        started_time_ns=step.time_ns if step.state is State.STARTED else 0,
        attempt=step.attempt,
        failure=step.failure,
        due_time_ns=step.due_time_ns,
        fingerprint=step.fingerprint,
        outcome_fingerprint=step.fingerprint if is_over else 0,
        workflow_id=step.workflow_id,
        run_id=step.run_id,
        item_id=step.item_id,
    )
