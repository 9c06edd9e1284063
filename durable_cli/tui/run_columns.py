"""The columns that the list of workflows can have."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rich.text import Text

from durable_cli.tui.rows import RunRow
from durable_cli.tui.status import find_status, status_text
from durable_cli.tui.times import clock, coarse_span, short_span, since
from durable_cli.tui.widgets.columns import Column

__all__ = ["RUN_COLUMNS", "USUAL_COLUMNS", "RunColumn"]

Colors = dict[str, str]


class RunColumn(NamedTuple):
    """A column: how it stands in the table, what it shows of a run at a time, and what it sorts by."""

    column: Column
    render: Callable[[RunRow, int, Colors], Text | str]
    sort_key: Callable[[RunRow], int | str]


def _took_ns(row: RunRow, now_ns: int) -> int:
    return (row.close_time_ns or now_ns) - row.start_time_ns


RUN_COLUMNS = {
    "status": RunColumn(
        Column("Status", 16),
        lambda row, now_ns, colors: status_text(row.status, colors),
        lambda row: find_status(row.status).name,
    ),
    "workflow": RunColumn(
        Column("Workflow", 20, grow=3), lambda row, now_ns, colors: row.workflow_id, lambda row: row.workflow_id
    ),
    "run": RunColumn(Column("Run", 36, rank=6), lambda row, now_ns, colors: row.run_id, lambda row: row.run_id),
    "type": RunColumn(
        Column("Type", 16, grow=2, rank=1), lambda row, now_ns, colors: row.workflow_type, lambda row: row.workflow_type
    ),
    "started": RunColumn(
        Column("Started", 8, right=True),
        lambda row, now_ns, colors: since(row.start_time_ns, now_ns),
        lambda row: -row.start_time_ns,
    ),
    "start-time": RunColumn(
        Column("Start time", 23, rank=5),
        lambda row, now_ns, colors: clock(row.start_time_ns, with_date=True),
        lambda row: -row.start_time_ns,
    ),
    "closed": RunColumn(
        Column("Closed", 8, right=True, rank=5),
        lambda row, now_ns, colors: since(row.close_time_ns, now_ns) if row.close_time_ns else "",
        lambda row: -row.close_time_ns,
    ),
    "took": RunColumn(
        Column("Took", 8, right=True, rank=2),
        # What goes on is said so that a line is drawn again once a minute, not once a second.
        lambda row, now_ns, colors: (short_span if row.close_time_ns else coarse_span)(_took_ns(row, now_ns)),
        lambda row: row.start_time_ns - row.close_time_ns if row.close_time_ns else row.start_time_ns - 2**63,
    ),
    "events": RunColumn(
        Column("Events", 6, right=True, rank=3),
        lambda row, now_ns, colors: str(row.history_length or ""),
        lambda row: -row.history_length,
    ),
    "task-queue": RunColumn(
        Column("Task queue", 14, grow=1, rank=4), lambda row, now_ns, colors: row.task_queue, lambda row: row.task_queue
    ),
}
USUAL_COLUMNS = ("status", "workflow", "type", "started", "took", "events", "task-queue")
