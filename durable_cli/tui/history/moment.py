"""What was so at any event: travel in time over a history."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

from durable_cli.tui.history.groups import Group, History
from durable_cli.tui.history.kinds import OPEN_STATES, Kind, State, find_role
from durable_cli.tui.rows import EventRow

__all__ = ["GroupThen", "Moment", "group_then", "groups_until", "moment_at"]


class GroupThen(NamedTuple):
    """A group as it was at an event; `end_time_ns` is None when it still went on."""

    group: Group
    state: State
    started_time_ns: int
    end_time_ns: int | None


@dataclass(frozen=True, slots=True)
class Moment:
    """The run as it was when an event had just been written."""

    row: EventRow
    run: GroupThen
    group: Group
    """What the event belongs to."""
    pending: list[GroupThen]
    closed_count: int
    """How many groups were over, without workflow tasks and what happens at one moment."""


def groups_until(history: History, event_id: int) -> int:
    """Return how many of the groups had been opened at an event."""
    return bisect_right(history.groups, event_id, key=lambda group: group.opened_event_id)


def group_then(history: History, group: Group, event_id: int) -> GroupThen:
    """Return how a group was at an event that is not before its first."""
    last = group.event_ids[bisect_right(group.event_ids, event_id) - 1]
    state = group.state if last == group.event_ids[-1] else find_role(history.row(last).name).state
    started = 0
    for each in group.event_ids:
        if each <= last and find_role(history.row(each).name).state is State.STARTED:
            started = history.row(each).event_time_ns
    is_over = state not in OPEN_STATES
    return GroupThen(group, state, started, history.row(last).event_time_ns if is_over else None)


def moment_at(history: History, event_id: int) -> Moment:
    """Return what was so when an event had just been written."""
    groups = history.groups
    noted = history.checkpoint_before(event_id)
    opened_since = range(noted.group_count, groups_until(history, event_id))
    pending, closed_count = [], noted.closed_count
    for index in (*sorted(noted.open_indexes), *opened_since):
        group = groups[index]
        if group.is_open or group.event_ids[-1] > event_id:
            then = group_then(history, group, event_id)
            if then.end_time_ns is None and group.kind is not Kind.RUN:
                pending.append(then)
        elif len(group.event_ids) > 1 and not group.is_folded:
            closed_count += 1
    return Moment(
        history.row(event_id),
        group_then(history, groups[0], event_id),
        history.group_of(event_id),
        pending,
        closed_count,
    )
