"""What must be there before the first request: the database, the namespaces, their search attributes."""

from __future__ import annotations

from temporalio.api.enums.v1.common_pb2 import IndexedValueType

from engine.core.errors import ServiceError, enum_shorthand
from engine.core.visibility.search_attributes import validate_new_search_attributes
from engine.runtime.engine import Engine
from engine.serve import ServeError, ServeOptions
from engine.service.namespace_records import DEFAULT_RETENTION, new_namespace
from engine.store.database import Database, DatabaseError, open_database

__all__ = ["create_namespaces", "open_file"]

_TYPES_BY_NAME = {
    enum_shorthand(IndexedValueType.DESCRIPTOR, value).lower(): value for value in IndexedValueType.values() if value
}


def open_file(options: ServeOptions) -> Database:
    """Open the database file of `options`.

    Raises:
        ServeError: it can't be used.
    """
    try:
        return open_database(options.db_filename, options.sqlite_pragmas)
    except DatabaseError as error:
        raise ServeError(error.message, error.hint) from None


def create_namespaces(engine: Engine, options: ServeOptions) -> None:
    """Create `default` and the namespaces of `options` where they are missing; give all of them the search attributes.

    Raises:
        ServeError: a search attribute that can't be registered.
    """
    wanted = _search_attribute_types(options)
    for name in dict.fromkeys(("default", *options.namespaces)):
        found = engine.namespaces.find(name)
        namespace = found or new_namespace(engine.env.new_id(), name, DEFAULT_RETENTION)
        merged = {**wanted, **namespace.custom_search_attributes}
        if found is None or merged != namespace.custom_search_attributes:
            namespace.custom_search_attributes = merged
            engine.namespaces.save(namespace)


def _search_attribute_types(options: ServeOptions) -> dict[str, int]:
    types = {}
    for name, type_name in options.search_attributes.items():
        value_type = _TYPES_BY_NAME.get(type_name.lower())
        if value_type is None:
            known = ", ".join(enum_shorthand(IndexedValueType.DESCRIPTOR, each) for each in _TYPES_BY_NAME.values())
            raise ServeError(f"search attribute {name!r} can't have the type {type_name!r}", f"the types are {known}")
        types[name] = int(value_type)
    if types:
        try:
            validate_new_search_attributes(types)
        except ServiceError as error:
            raise ServeError(error.message.rstrip("."), "give it another name") from None
    return types
