"""Runs with search attributes in a database file, to be listed and counted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.api.common.v1 import Payload, SearchAttributes
from temporalio.api.enums.v1 import IndexedValueType

from engine.core.visibility.comparable_values import comparable_values, namespace_division
from engine.core.visibility.list_filter import parse_list_filter
from engine.store.database import Database, open_database
from engine.store.schema import OPEN_CLOSE_TIME_NS
from engine.store.visibility import PageMark, count_runs, load_runs

__all__ = ["EPOCH", "SECOND", "TYPES", "Lists", "Run"]

TYPES: dict[str, int] = {
    "Word": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Odd name": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Number": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "Ratio": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "Flag": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "Due": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "Note": IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    "Tags": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 10**9
COLUMNS = (
    "run_key namespace_key workflow_id run_id workflow_type task_queue status start_time_ns execution_time_ns "
    "close_time_ns next_event_id history_size_bytes start_request_id search_attributes state_transition_count "
    "workflow_task_state workflow_task_attempt workflow_task_scheduled_event_id workflow_task_scheduled_time_ns "
    "workflow_task_original_scheduled_time_ns workflow_task_started_time_ns sticky_task_queue sticky_timeout_ns "
    "attribute_values namespace_division parent_workflow_id parent_run_id root_workflow_id root_run_id"
)


@dataclass(frozen=True)
class Run:
    """A run to be listed; times are whole seconds, `closed` is 0 while it is open."""

    key: int
    workflow_id: str = "w"
    workflow_type: str = "type"
    status: int = 1
    started: int = 0
    closed: int = 0
    attributes: tuple[tuple[str, Any], ...] = ()
    parent: str | None = None

    def value(self, name: str) -> Any:
        """Return the value of an attribute as a person sees it, or None."""
        closed = self.closed or None
        own = {
            "WorkflowId": self.workflow_id,
            "WorkflowType": self.workflow_type,
            "ExecutionStatus": self.status,
            "StartTime": EPOCH + timedelta(seconds=self.started),
            "CloseTime": closed and EPOCH + timedelta(seconds=closed),
            "ExecutionDuration": closed and (closed - self.started) * SECOND,
            "HistoryLength": closed and self.key + 1,
            "ParentWorkflowId": self.parent,
            "RootWorkflowId": self.parent or self.workflow_id,
        }
        return own[name] if name in own else dict(self.attributes).get(name)


class Lists:
    """A file with runs in it."""

    def __init__(self, path: Path) -> None:
        self.database: Database = open_database(path, {})
        self.reader = self.database.connect_reader()

    def close(self) -> None:
        self.reader.close()
        self.database.close()

    def insert(self, *runs: Run) -> None:
        for run in runs:
            fields = {
                name: Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value, default=_rfc3339).encode())
                for name, value in run.attributes
            }
            values = (
                run.key, 1, run.workflow_id, f"run-{run.key}", run.workflow_type, "q", run.status,
                run.started * SECOND, run.started * SECOND, run.closed * SECOND or OPEN_CLOSE_TIME_NS, run.key + 2, 100,
                "r", SearchAttributes(indexed_fields=fields).SerializeToString(), 3, 0, 1, 0, 0, 0, 0, "", 0,
                comparable_values(fields, TYPES), namespace_division(fields), run.parent, run.parent and "run-0",
                run.parent, run.parent and "run-0",
            )  # fmt: skip
            marks = ", ".join("?" * len(values))
            self.database.writer.execute(f"INSERT INTO runs ({', '.join(COLUMNS.split())}) VALUES ({marks})", values)

    def clear(self) -> None:
        self.database.writer.execute("DELETE FROM runs")

    def find(self, query: str, limit: int = 1000, after: PageMark | None = None) -> list[int]:
        return [key for key, _ in self.page(query, limit, after)]

    def page(self, query: str, limit: int, after: PageMark | None) -> list[tuple[int, PageMark]]:
        rows = load_runs(self.reader, 1, parse_list_filter(query, TYPES), limit, after)
        return [(mark[2], mark) for mark, _ in rows]

    def count(self, query: str) -> int:
        return count_runs(self.reader, 1, parse_list_filter(query, TYPES))

    def plan(self, query: str) -> str:
        """Return how SQLite goes about a list."""
        statements: list[str] = []
        self.reader.set_trace_callback(statements.append)
        self.find(query)
        self.reader.set_trace_callback(None)
        return " ".join(row[3] for row in self.reader.execute(f"EXPLAIN QUERY PLAN {statements[0]}"))


def _rfc3339(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()
