"""Where a run can go on anew: at the end of one of its workflow tasks."""

from __future__ import annotations

from typing import NamedTuple

from durable_cli.tui.history.groups import Group, History
from durable_cli.tui.history.kinds import Kind

__all__ = ["ResetPoint", "find_reset_point"]

ENDS = frozenset({"WorkflowTaskCompleted", "WorkflowTaskFailed", "WorkflowTaskTimedOut"})


class ResetPoint(NamedTuple):
    """The event at which a new run goes on: what is before it is kept, it and all that is later happens anew."""

    event_id: int
    words: str


def find_reset_point(history: History, event_id: int) -> ResetPoint | None:
    """Return the point nearest to an event from which that event happens anew; None when there is no point at all.

    Of a workflow task that is its end; of anything else the end of the workflow task before it, which led to it.
    """
    if not 0 < event_id <= len(history.rows):
        return None
    group = history.group_of(event_id)
    own = _end_of(history, group)
    if own:
        return ResetPoint(own, f"event {own}, the end of this workflow task")
    before = next((each for each in range(event_id, 0, -1) if history.row(each).name in ENDS), 0)
    if before:
        return ResetPoint(before, f"event {before}, the end of the workflow task before event {event_id}")
    later = next((row.event_id for row in history.rows[event_id:] if row.name in ENDS), 0)
    return ResetPoint(later, f"event {later}, the end of the first workflow task") if later else None


def _end_of(history: History, group: Group) -> int:
    """Return the event that ended a workflow task; 0 for anything else, and for one that is not over."""
    if group.kind is not Kind.WORKFLOW_TASK:
        return 0
    return next((each for each in reversed(group.event_ids) if history.row(each).name in ENDS), 0)
