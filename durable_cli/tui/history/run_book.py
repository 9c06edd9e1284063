"""All that is known of one run: its history, what the server says of it, and what was seen while it was watched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from durable_cli.tui.history.groups import Group, History
from durable_cli.tui.history.kinds import Kind, State
from durable_cli.tui.history.steps import Step
from durable_cli.tui.rows import EventRow, PendingActivity, RunSummary
from durable_cli.tui.times import clock_stands, moved_ns

__all__ = ["RUNNING_STATUSES", "STARTED_STATES", "RunBook"]

RUNNING_STATUSES = frozenset({1, 8})
"""Running and paused."""
STARTED_STATES = frozenset({2, 3, 5})
"""Of an activity, by number: a worker has it."""
FEW_EVENTS = 500
NEVER_AHEAD_NS = -(1 << 63)


class RunBook:
    """One run, as it is known so far."""

    def __init__(self) -> None:
        self.history = History()
        self.summary: RunSummary | None = None
        self._ahead_ns = NEVER_AHEAD_NS
        """How far events were ahead of this machine's clock, at most; negative where the server's is behind."""
        self._attempts: dict[str, dict[int, int]] = {}

    def take_events(self, rows: Iterable[EventRow], steps: Iterable[Step], here_ns: int) -> Sequence[Group]:
        """Take further events at a time of the server; return the older groups that changed by them."""
        changed = self.history.take(rows, steps)
        # A run that skips time, or a server whose clock was moved just now: an event can't be later than now.
        self._ahead_ns = max(self._ahead_ns, self.history.last_time_ns - (here_ns - moved_ns()))
        return changed

    def take_summary(self, summary: RunSummary) -> None:
        """Take what the server says now."""
        self.summary = summary
        for activity in summary.activities:
            if activity.started_time_ns:
                self._attempts.setdefault(activity.activity_id, {})[activity.attempt] = activity.started_time_ns

    def retry_times(self, group: Group) -> Sequence[int]:
        """Return when an activity was tried again, as far as that was seen: a history has only the last attempt's."""
        if group.kind is not Kind.ACTIVITY:
            return ()
        seen = self._attempts.get(group.item_id, {})
        return [seen[attempt] for attempt in sorted(seen) if attempt > 1]

    def find_pending(self, group: Group) -> PendingActivity | None:
        """Return what the server knows of an activity that is not over."""
        if group.kind is not Kind.ACTIVITY or not group.is_open or self.summary is None:
            return None
        return next((each for each in self.summary.activities if each.activity_id == group.item_id), None)

    def state_of(self, group: Group) -> State:
        """Return the state of a group; an activity that runs is started, though its history says so only at its end."""
        pending = self.find_pending(group)
        return State.STARTED if pending is not None and pending.state in STARTED_STATES else group.state

    def now_ns(self, here_ns: int) -> int:
        """Return the time of the run, which may be ahead of the server's."""
        if clock_stands():
            return max(here_ns, self.history.last_time_ns)
        return here_ns + max(0, self._ahead_ns - moved_ns())

    @property
    def missing_events(self) -> int:
        """How many events there are that are not read yet; few are no gap, since the server is asked in turns."""
        known = self.summary.row.history_length if self.summary else 0
        missing = known - len(self.history.rows)
        return missing if missing > FEW_EVENTS else 0

    @property
    def is_open(self) -> bool:
        """Whether the run goes on; what its history says last counts."""
        run = self.history.run
        if run is not None and not run.is_open:
            return False
        return self.summary is None or self.summary.row.status in RUNNING_STATUSES

    @property
    def start_time_ns(self) -> int:
        """When the run began; 0 while that is not known."""
        if self.history.run is not None:
            return self.history.run.start_time_ns
        return self.summary.row.start_time_ns if self.summary else 0

    def end_time_ns(self, here_ns: int) -> int:
        """Return when the run ended, or the time now while it goes on."""
        run = self.history.run
        if run is not None and run.end_time_ns is not None:
            return run.end_time_ns
        if self.summary is not None and self.summary.row.close_time_ns:
            return self.summary.row.close_time_ns
        return self.now_ns(here_ns)

    def group_end_ns(self, group: Group, here_ns: int) -> int:
        """Return when a group ended; what was open at the run's end has gone on until then, and no longer."""
        return group.end_time_ns or self.end_time_ns(here_ns)
