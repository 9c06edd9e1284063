"""Which groups, and which of their events, a list shows: kept up to date as a history grows."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from durable_cli.tui.history.groups import Group, History

__all__ = ["CompactRow", "CompactRows", "VisibleGroups"]


class VisibleGroups:
    """The groups of a history without those that are folded away, in their order."""

    def __init__(self, history: History, *, shows_tasks: bool = False) -> None:
        self._history = history
        self._taken = 0
        self._failed_tasks = 0
        self.shows_tasks = shows_tasks
        self.groups: list[Group] = []

    def update(self) -> bool:
        """Take what is new; return whether that changed more than the end of the list."""
        failed_tasks = self._history.failed_task_count
        # A task that was folded away and has failed is seen from now on.
        moves = failed_tasks != self._failed_tasks and not self.shows_tasks and self._taken > 0
        self._failed_tasks = failed_tasks
        if moves:
            self._begin()
        self._extend()
        return moves

    def toggle_tasks(self) -> None:
        """Show workflow tasks too, or fold them away again."""
        self.shows_tasks = not self.shows_tasks
        self._begin()
        self._extend()

    def _begin(self) -> None:
        self._taken, self.groups = 0, []

    def _extend(self) -> None:
        fresh = self._history.groups[self._taken :]
        self.groups.extend(group for group in fresh if self.shows_tasks or not group.is_folded)
        self._taken += len(fresh)


class CompactRow(NamedTuple):
    """A group's own row, or, with `event_id`, the row of one of its events below it."""

    group: Group
    event_id: int = 0

    @property
    def key(self) -> tuple[int, int]:
        """What is the same for the same row later on."""
        return self.group.opened_event_id, self.event_id


class CompactRows:
    """Groups as rows; of those that are unfolded the events too."""

    def __init__(self, visible: VisibleGroups) -> None:
        self._visible = visible
        self._unfolded: dict[Group, int] = {}
        """Unfolded groups, and how many events of each are shown."""
        self._taken = 0
        self.rows: list[CompactRow] = []

    def is_unfolded(self, group: Group) -> bool:
        """Return whether the group's events are shown below it."""
        return group in self._unfolded

    def update(self) -> None:
        """Take what is new."""
        moved = self._visible.update()
        if moved or any(len(group.event_ids) != count for group, count in self._unfolded.items()):
            self._begin()
        self._extend()

    def index_of(self, group: Group, event_id: int) -> int | None:
        """Return the row of an event, or of its group where that is not unfolded; None when neither is shown."""
        # Rows stand in the order in which their groups were opened.
        index = bisect_left(self.rows, group.opened_event_id, key=lambda row: row.group.opened_event_id)
        if index == len(self.rows) or self.rows[index].group is not group:
            return None
        if event_id in group.event_ids and self.is_unfolded(group):
            return index + 1 + group.event_ids.index(event_id)
        return index

    def toggle(self, group: Group) -> None:
        """Show the events of a group, or hide them."""
        if self._unfolded.pop(group, None) is None:
            self._unfolded[group] = len(group.event_ids)
        self._begin()
        self._extend()

    def unfold(self, group: Group) -> bool:
        """Show the events of a group; return whether they were hidden, and are there to see now."""
        if self.is_unfolded(group) or self.index_of(group, 0) is None:
            return False
        self.toggle(group)
        return True

    def toggle_tasks(self) -> None:
        """Show workflow tasks too, or fold them away again."""
        self._visible.toggle_tasks()
        self._begin()
        self._extend()

    def _begin(self) -> None:
        self.rows, self._taken = [], 0

    def _extend(self) -> None:
        groups = self._visible.groups
        for group in groups[self._taken :]:
            self.rows.append(CompactRow(group))
            if group in self._unfolded:
                self._unfolded[group] = len(group.event_ids)
                self.rows.extend(CompactRow(group, event_id) for event_id in group.event_ids)
        self._taken = len(groups)
