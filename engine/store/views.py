"""Views for people with any SQLite tool: names instead of numbers, times as text.

They are made anew at every start, so they follow the protocol's enums without a migration.
"""

from __future__ import annotations

import sqlite3

from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.enums.v1.workflow_pb2 import WorkflowExecutionStatus

__all__ = ["create_views"]


def _case(column: str, names: dict[str, int], prefix: str) -> str:
    whens = " ".join(
        f"WHEN {number} THEN '{name.removeprefix(prefix).title().replace('_', '')}'" for name, number in names.items()
    )
    return f"CASE {column} {whens} ELSE {column} END"


def _time(column: str) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%fZ', {column} / 1e9, 'unixepoch')"


def create_views(connection: sqlite3.Connection) -> None:
    """Create the views `workflows` and `history`."""
    status = _case("r.status", dict(WorkflowExecutionStatus.items()), "WORKFLOW_EXECUTION_STATUS_")
    event_type = _case("e.event_type", dict(EventType.items()), "EVENT_TYPE_")
    connection.executescript(f"""
        DROP VIEW IF EXISTS workflows;
        CREATE VIEW workflows AS
        SELECT n.name AS namespace, r.workflow_id, r.run_id, r.workflow_type, r.task_queue, {status} AS status,
            {_time("r.start_time_ns")} AS start_time,
            CASE WHEN r.close_time_ns = 9223372036854775807 THEN NULL ELSE {_time("r.close_time_ns")} END AS close_time,
            r.next_event_id - 1 AS history_length, r.history_size_bytes, r.run_key
        FROM runs r JOIN namespaces n USING (namespace_key);
        DROP VIEW IF EXISTS history;
        CREATE VIEW history AS
        SELECT r.workflow_id, r.run_id, e.event_id, {event_type} AS event_type,
            {_time("e.event_time_ns")} AS event_time, length(e.data) AS size_bytes, e.data
        FROM events e JOIN runs r USING (run_key);
    """)
