"""Reads of the database file that change nothing: lists, counts and history pages, on a connection of their own."""

from __future__ import annotations

from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from engine.core.namespace import Namespace
from engine.core.visibility.list_filter import Attribute, ListFilter
from engine.store.database import Database
from engine.store.history import load_event_blobs, load_event_blobs_reverse
from engine.store.visibility import PageMark, count_groups, count_runs, load_runs

__all__ = ["PageMark", "Reads"]


class Reads:
    """A read-only connection beside the writer; it sees what is committed."""

    def __init__(self, database: Database) -> None:
        self._connection = database.connect_reader()

    def close(self) -> None:
        self._connection.close()

    def load_events(self, run_key: int, first_event_id: int, next_event_id: int) -> list[bytes]:
        """Return the serialized events [first_event_id, next_event_id), in order."""
        return load_event_blobs(self._connection, run_key, first_event_id, next_event_id)

    def load_events_reverse(self, run_key: int, last_event_id: int, limit: int) -> list[bytes]:
        """Return up to `limit` serialized events from `last_event_id` downwards."""
        return load_event_blobs_reverse(self._connection, run_key, last_event_id, limit)

    def load_runs(
        self, namespace: Namespace, list_filter: ListFilter, limit: int, after: PageMark | None
    ) -> list[tuple[PageMark, WorkflowExecutionInfo]]:
        """Return one page of a namespace's runs, each with the mark to continue after it."""
        return load_runs(self._connection, namespace.namespace_key, list_filter, limit, after)

    def count_runs(self, namespace: Namespace, list_filter: ListFilter) -> int:
        """Return how many runs match."""
        return count_runs(self._connection, namespace.namespace_key, list_filter)

    def count_groups(
        self, namespace: Namespace, list_filter: ListFilter, group_by: Attribute
    ) -> list[tuple[str | int | None, int]]:
        """Return (value, count) of each group of the runs that match, the largest first."""
        return count_groups(self._connection, namespace.namespace_key, list_filter, group_by)
