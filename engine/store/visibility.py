"""List and count runs, on a read-only connection."""

from __future__ import annotations

import sqlite3

from temporalio.api.common.v1 import Memo, SearchAttributes
from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from engine.core.policy.durations import ns_to_duration, ns_to_timestamp
from engine.core.visibility.list_filter import Attribute, ListFilter
from engine.store.list_filter_sql import compile_condition, compile_group, names_workflow_ids
from engine.store.schema import OPEN_CLOSE_TIME_NS

__all__ = ["PageMark", "count_groups", "count_runs", "load_runs"]

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
        "close_time_ns, next_event_id, history_size_bytes, memo, search_attributes, state_transition_count, "
        "parent_workflow_id, parent_run_id, root_workflow_id, root_run_id "
        f"FROM runs WHERE {where} ORDER BY {_order(list_filter)} LIMIT ?",
        (*parameters, limit),
    )
    return [((row[8], row[6], row[0]), _info(row)) for row in rows]


def count_runs(reader: sqlite3.Connection, namespace_key: int, list_filter: ListFilter) -> int:
    """Return how many runs match."""
    where, parameters = _where(namespace_key, list_filter)
    (count,) = reader.execute(f"SELECT count(*) FROM runs WHERE {where}", parameters).fetchone()
    return int(count)


def count_groups(
    reader: sqlite3.Connection, namespace_key: int, list_filter: ListFilter, group_by: Attribute
) -> list[tuple[str | int | None, int]]:
    """Return (value, count) of each group of the runs that match, the largest first."""
    where, parameters = _where(namespace_key, list_filter)
    group = compile_group(group_by)
    return reader.execute(
        f"SELECT {group}, count(*) FROM runs WHERE {where} GROUP BY {group} ORDER BY count(*) DESC, {group}", parameters
    ).fetchall()


def _order(list_filter: ListFilter) -> str:
    # A unary plus keeps the index of the order out: the runs of a few workflow ids are found by theirs, and sorted.
    plus = "+" if names_workflow_ids(list_filter.condition) else ""
    return f"{plus}close_time_ns DESC, start_time_ns DESC, run_key DESC"


def _where(namespace_key: int, list_filter: ListFilter) -> tuple[str, tuple[object, ...]]:
    condition, parameters = compile_condition(list_filter.condition)
    return f"namespace_key = ? AND ({condition})", (namespace_key, *parameters)


def _info(row: tuple) -> WorkflowExecutionInfo:  # type: ignore[type-arg]
    (_, workflow_id, run_id, workflow_type, task_queue, status, start_ns, execution_ns, close_ns, next_event_id,
     history_size_bytes, memo, search_attributes, state_transition_count,
     parent_workflow_id, parent_run_id, root_workflow_id, root_run_id) = row  # fmt: skip
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
    info.root_execution.workflow_id, info.root_execution.run_id = root_workflow_id or workflow_id, root_run_id or run_id
    if parent_workflow_id is not None:
        info.parent_execution.workflow_id, info.parent_execution.run_id = parent_workflow_id, parent_run_id
    if close_ns != OPEN_CLOSE_TIME_NS:
        info.close_time.CopyFrom(ns_to_timestamp(close_ns))
        info.execution_duration.CopyFrom(ns_to_duration(max(0, close_ns - execution_ns)))
        info.history_length = next_event_id - 1
        info.history_size_bytes = history_size_bytes
        info.state_transition_count = state_transition_count
    return info
