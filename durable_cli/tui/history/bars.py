"""The bar of a group on a time axis, as cells."""

from __future__ import annotations

import math
from typing import NamedTuple

from durable_cli.tui.history.axis import Axis
from durable_cli.tui.history.groups import Group
from durable_cli.tui.history.kinds import Kind, State
from durable_cli.tui.history.moment import GroupThen
from durable_cli.tui.history.run_book import STARTED_STATES, RunBook

__all__ = ["Bar", "Cell", "Look", "Part", "draw_bar", "find_bar", "find_bar_then"]


class Look:
    """How a part of a bar looks; a colour is the widget's affair."""

    WAIT = "wait"
    RETRY = "retry"
    RUN = "run"
    TIMER = "timer"
    AHEAD = "ahead"
    MOMENT = "moment"
    ATTEMPT = "attempt"
    EMPTY = ""


class Part(NamedTuple):
    """A stretch of a bar."""

    start_ns: int
    end_ns: int
    look: str


class Bar(NamedTuple):
    """The stretches of a group, oldest first, and the times at which something is marked on them."""

    parts: tuple[Part, ...]
    attempts: tuple[int, ...] = ()
    is_moment: bool = False
    is_open: bool = False

    @property
    def end_ns(self) -> int:
        """Where it ends, without what is still ahead."""
        return max((part.end_ns for part in self.parts if part.look != Look.AHEAD), default=0)


class Cell(NamedTuple):
    """A character and its look."""

    char: str
    look: str


# Whole, left half, right half of a cell.
_GLYPHS = {
    Look.WAIT: ("─", "╴", "╶"),
    Look.RETRY: ("╌", "╌", "╌"),
    Look.RUN: ("━", "╸", "╺"),
    Look.TIMER: ("╍", "╍", "╍"),
    Look.AHEAD: ("┈", "┈", "┈"),
}
_EMPTY = Cell(" ", Look.EMPTY)


def find_bar(book: RunBook, group: Group, now_ns: int) -> Bar:
    """Return the bar of a group as it is now."""
    end = now_ns if group.end_time_ns is None else group.end_time_ns
    start = min(group.start_time_ns, end)
    if group.is_moment:
        return Bar((Part(start, start, Look.MOMENT),), is_moment=True)
    if group.kind is Kind.TIMER:
        ahead = (Part(end, group.due_time_ns, Look.AHEAD),) if group.is_open and group.due_time_ns > end else ()
        return Bar((Part(start, end, Look.TIMER), *ahead), is_open=group.is_open)
    attempts = tuple(time for time in book.retry_times(group) if start <= time <= end)
    pending = book.find_pending(group)
    began, is_running = group.started_time_ns, bool(group.started_time_ns)
    if pending is not None:
        is_running = pending.state in STARTED_STATES
        began = pending.started_time_ns
    elif group.kind in (Kind.ACTIVITY, Kind.WORKFLOW_TASK) and group.is_open and group.state is State.SCHEDULED:
        is_running = False
    elif not began:
        began, is_running = (start, True) if group.kind not in (Kind.ACTIVITY, Kind.WORKFLOW_TASK) else (end, False)
    attempt = max(group.attempt, pending.attempt if pending else 0)
    before = Look.RETRY if attempt > 1 else Look.WAIT
    if not is_running:
        ahead_ns = pending.next_time_ns if pending and not pending.is_paused else 0
        ahead = (Part(end, ahead_ns, Look.AHEAD),) if ahead_ns > end else ()
        return Bar((Part(start, end, before), *ahead), attempts, is_open=group.is_open)
    began = max(start, min(began, end))
    if attempt > 1 and began not in attempts:
        attempts = (*attempts, began)
    waited = (Part(start, began, before),) if began > start else ()
    return Bar((*waited, Part(began, end, Look.RUN)), attempts, is_open=group.is_open)


def find_bar_then(then: GroupThen, time_ns: int) -> Bar:
    """Return the bar of a group as it was at a time."""
    group = then.group
    start = min(group.start_time_ns, time_ns)
    if group.is_moment:
        return Bar((Part(start, start, Look.MOMENT),), is_moment=True)
    end = time_ns if then.end_time_ns is None else then.end_time_ns
    is_open = then.end_time_ns is None
    if group.kind is Kind.TIMER:
        ahead = (Part(end, group.due_time_ns, Look.AHEAD),) if is_open and group.due_time_ns > end else ()
        return Bar((Part(start, end, Look.TIMER), *ahead), is_open=is_open)
    began = then.started_time_ns or (end if group.kind in (Kind.ACTIVITY, Kind.WORKFLOW_TASK) else start)
    began = max(start, min(began, end))
    waited = (Part(start, began, Look.RETRY if group.attempt > 1 else Look.WAIT),) if began > start else ()
    ran = (Part(began, end, Look.RUN),) if then.started_time_ns or began < end else ()
    return Bar((*waited, *ran) or (Part(start, end, Look.WAIT),), is_open=is_open)


def draw_bar(bar: Bar, axis: Axis) -> list[Cell]:
    """Draw a bar over all columns of the axis; what is wholly outside is pointed to from the edge."""
    cells = [_EMPTY] * axis.columns
    if not axis.columns:
        return cells
    for part in bar.parts:
        if part.look == Look.MOMENT:
            _put(cells, math.floor(axis.position(part.start_ns)), Cell("◆", Look.MOMENT))
        else:
            _draw_part(cells, part, axis)
    for time_ns in bar.attempts:
        column = math.floor(axis.position(time_ns))
        if 0 <= column < axis.columns:
            cells[column] = Cell("╋", Look.ATTEMPT)
    if all(cell is _EMPTY for cell in cells):
        is_before = axis.position(bar.end_ns) < 0
        cells[0 if is_before else -1] = Cell("◂" if is_before else "▸", Look.WAIT)
    return cells


def _put(cells: list[Cell], column: int, cell: Cell) -> None:
    if column == len(cells):
        column -= 1  # the very end of the span
    if 0 <= column < len(cells):
        cells[column] = cell


def _draw_part(cells: list[Cell], part: Part, axis: Axis) -> None:
    """Draw a stretch in halves of cells; it is never shorter than one half."""
    begin = math.floor(axis.position(part.start_ns) * 2)
    begin = min(begin, len(cells) * 2 - 1) if begin <= len(cells) * 2 else begin
    end = max(begin + 1, math.ceil(axis.position(part.end_ns) * 2))
    whole, left, right = _GLYPHS[part.look]
    for column in range(max(0, begin // 2), min(len(cells), (end + 1) // 2)):
        has_left, has_right = begin <= column * 2 < end, begin <= column * 2 + 1 < end
        char = whole if has_left and has_right else left if has_left else right
        if char == right and not has_left and cells[column].look in (Look.WAIT, Look.RETRY) and part.look == Look.RUN:
            char = "╼"  # what waited goes on as what runs, within one cell
        cells[column] = Cell(char, part.look)
