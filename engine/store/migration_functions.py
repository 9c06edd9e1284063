"""SQL functions for the migrations that need to look into messages."""

from __future__ import annotations

import json
import sqlite3

from temporalio.api.common.v1 import SearchAttributes
from temporalio.api.history.v1 import HistoryEvent

from engine.core.visibility.comparable_values import comparable_values, namespace_division

__all__ = ["create_migration_functions"]


def create_migration_functions(connection: sqlite3.Connection) -> None:
    """Make the functions known to a connection."""
    connection.create_function("comparable_values", 2, _comparable_values, deterministic=True)
    connection.create_function("namespace_division", 1, _namespace_division, deterministic=True)
    connection.create_function("first_event_says", 2, _first_event_says, deterministic=True)


def _comparable_values(search_attributes: bytes, registered: str) -> str | None:
    return comparable_values(SearchAttributes.FromString(search_attributes).indexed_fields, json.loads(registered))


def _namespace_division(search_attributes: bytes) -> str | None:
    return namespace_division(SearchAttributes.FromString(search_attributes).indexed_fields)


def _first_event_says(data: bytes, column: str) -> str | None:
    started = HistoryEvent.FromString(data).workflow_execution_started_event_attributes
    execution, _, field = column.partition("_")
    name = f"{execution}_workflow_execution"
    return str(getattr(getattr(started, name), field)) if started.HasField(name) else None  # type: ignore[arg-type]
