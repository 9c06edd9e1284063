"""The `namespaces` table."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.api.workflowservice.v1 import DescribeNamespaceResponse

from engine.core.errors import Unavailable
from engine.core.namespace import Namespace

__all__ = ["delete_namespace", "load_namespaces", "save_namespace"]


def load_namespaces(connection: sqlite3.Connection) -> list[Namespace]:
    """Return every namespace, in order of registration."""
    rows = connection.execute(
        "SELECT namespace_key, namespace_id, name, data, search_attributes FROM namespaces ORDER BY namespace_key"
    )
    return [
        Namespace(
            namespace_key=key,
            namespace_id=namespace_id,
            name=name,
            description=DescribeNamespaceResponse.FromString(data),
            custom_search_attributes=json.loads(search_attributes),
        )
        for key, namespace_id, name, data, search_attributes in rows
    ]


def save_namespace(connection: sqlite3.Connection, namespace: Namespace) -> None:
    """Insert or replace a namespace; a new one (key 0) is given its key.

    Raises:
        Unavailable: it could not be written.
    """
    with _transaction(connection):
        cursor = connection.execute(
            "INSERT OR REPLACE INTO namespaces VALUES (?, ?, ?, ?, ?, ?)",
            (
                namespace.namespace_key or None,
                namespace.namespace_id,
                namespace.name,
                namespace.description.namespace_info.state,
                namespace.description.SerializeToString(),
                json.dumps(namespace.custom_search_attributes),
            ),
        )
    namespace.namespace_key = namespace.namespace_key or int(cursor.lastrowid or 0)


def delete_namespace(connection: sqlite3.Connection, namespace: Namespace) -> None:
    """Delete a namespace with all its runs, in one transaction.

    Raises:
        Unavailable: it could not be written.
    """
    runs = "SELECT run_key FROM runs WHERE namespace_key = ?"
    with _transaction(connection):
        for table in ("events", "activities", "buffered_events", "request_ids"):
            connection.execute(f"DELETE FROM {table} WHERE run_key IN ({runs})", (namespace.namespace_key,))
        connection.execute("DELETE FROM runs WHERE namespace_key = ?", (namespace.namespace_key,))
        connection.execute("DELETE FROM namespaces WHERE namespace_key = ?", (namespace.namespace_key,))


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            raise Unavailable(f"the namespace could not be written ({error}); try again") from None
        raise
