"""List and count runs, on a read-only connection."""

from __future__ import annotations

import sqlite3

from temporalio.api.common.v1 import Memo, SearchAttributes
from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from engine.core.policy.durations import ns_to_duration, ns_to_timestamp
from engine.core.visibility.list_filter import ListFilter
from engine.store.schema import OPEN_CLOSE_TIME_NS

__all__ = ["PageMark", "count_runs", "count_runs_by_status", "load_runs"]

PageMark = tuple[int, int, int]
"""Where a page ended: (close_time_ns, start_time_ns, run_key) of its last run."""


def load_runs(
    reader: sqlite3.Connection, namespace_key: int, list_filter: ListFilter, limit: int, after: PageMark | None
) -> list[tuple[PageMark, WorkflowExecutionInfo]]:
    """Return one page of runs: the open ones first, then by close time, the newest first."""
    where, parameters = _where(namespace_key, list_filter)
    if after is not None:
        where += " AND (close_time_ns, start_time_ns, run_key) < (?, ?, ?)"
        parameters += after
    rows = reader.execute(
        "SELECT run_key, workflow_id, run_id, workflow_type, task_queue, status, start_time_ns, execution_time_ns, "
        "close_time_ns, next_event_id, history_size_bytes, memo, search_attributes, state_transition_count "
        f"FROM runs WHERE {where} ORDER BY close_time_ns DESC, start_time_ns DESC, run_key DESC LIMIT ?",
        (*parameters, limit),
    )
    return [((row[8], row[6], row[0]), _info(row)) for row in rows]


def count_runs(reader: sqlite3.Connection, namespace_key: int, list_filter: ListFilter) -> int:
    """Return how many runs match."""
    where, parameters = _where(namespace_key, list_filter)
    (count,) = reader.execute(f"SELECT count(*) FROM runs WHERE {where}", parameters).fetchone()
    return int(count)


def count_runs_by_status(
    reader: sqlite3.Connection, namespace_key: int, list_filter: ListFilter
) -> list[tuple[int, int]]:
    """Return (status, count) of the runs that match, the largest group first."""
    where, parameters = _where(namespace_key, list_filter)
    return reader.execute(
        f"SELECT status, count(*) FROM runs WHERE {where} GROUP BY status ORDER BY count(*) DESC, status", parameters
    ).fetchall()


def _where(namespace_key: int, list_filter: ListFilter) -> tuple[str, tuple[object, ...]]:
    conditions: list[str] = ["namespace_key = ?"]
    parameters: list[object] = [namespace_key]
    for column, value in (
        ("workflow_id", list_filter.workflow_id),
        ("workflow_type", list_filter.workflow_type),
        ("task_queue", list_filter.task_queue),
        ("status", list_filter.status),
    ):
        if value is not None:
            conditions.append(f"{column} = ?")
            parameters.append(value)
    return " AND ".join(conditions), tuple(parameters)


def _info(row: tuple) -> WorkflowExecutionInfo:  # type: ignore[type-arg]
    (_, workflow_id, run_id, workflow_type, task_queue, status, start_ns, execution_ns, close_ns, next_event_id,
     history_size_bytes, memo, search_attributes, state_transition_count) = row  # fmt: skip
    info = WorkflowExecutionInfo(
        status=status,
        start_time=ns_to_timestamp(start_ns),
        execution_time=ns_to_timestamp(execution_ns),
        task_queue=task_queue,
        memo=Memo.FromString(memo or b""),
        search_attributes=SearchAttributes.FromString(search_attributes or b""),
    )
    info.execution.workflow_id, info.execution.run_id = workflow_id, run_id
    info.type.name = workflow_type
    if close_ns != OPEN_CLOSE_TIME_NS:
        info.close_time.CopyFrom(ns_to_timestamp(close_ns))
        info.execution_duration.CopyFrom(ns_to_duration(max(0, close_ns - execution_ns)))
        info.history_length = next_event_id - 1
        info.history_size_bytes = history_size_bytes
        info.state_transition_count = state_transition_count
    return info
