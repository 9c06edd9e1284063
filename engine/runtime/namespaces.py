"""The namespaces in memory; every change is written before it is seen."""

from __future__ import annotations

from engine.core.errors import NamespaceNotFound
from engine.core.namespace import Namespace
from engine.store.database import Database
from engine.store.namespaces import delete_namespace, load_namespaces, save_namespace

__all__ = ["NamespaceRegistry"]


class NamespaceRegistry:
    """Namespaces by name and by id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_name: dict[str, Namespace] = {}
        self._by_id: dict[str, Namespace] = {}
        for namespace in load_namespaces(database.writer):
            self._add(namespace)

    def get(self, name: str) -> Namespace:
        """Return a namespace by name.

        Raises:
            NamespaceNotFound: there is none.
        """
        namespace = self._by_name.get(name)
        if namespace is None:
            raise NamespaceNotFound(name)
        return namespace

    def find(self, name: str) -> Namespace | None:
        """Return a namespace by name, or None."""
        return self._by_name.get(name)

    def get_by_id(self, namespace_id: str) -> Namespace:
        """Return a namespace by id.

        Raises:
            NamespaceNotFound: there is none.
        """
        namespace = self._by_id.get(namespace_id)
        if namespace is None:
            raise NamespaceNotFound(namespace_id)
        return namespace

    def all(self) -> list[Namespace]:
        """Return every namespace, in order of registration."""
        return list(self._by_id.values())

    def save(self, namespace: Namespace) -> None:
        """Write a new or changed namespace."""
        save_namespace(self._database.writer, namespace)
        self._add(namespace)

    def delete(self, namespace: Namespace) -> None:
        """Delete a namespace and everything in it."""
        delete_namespace(self._database.writer, namespace)
        self._by_name.pop(namespace.name, None)
        self._by_id.pop(namespace.namespace_id, None)

    def _add(self, namespace: Namespace) -> None:
        self._by_name[namespace.name] = namespace
        self._by_id[namespace.namespace_id] = namespace
