"""Add, remove and list a namespace's search attributes."""

from __future__ import annotations

from temporalio.api.enums.v1.common_pb2 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    AddSearchAttributesResponse,
    ListSearchAttributesRequest,
    ListSearchAttributesResponse,
    RemoveSearchAttributesRequest,
    RemoveSearchAttributesResponse,
)

from engine.core.errors import InvalidArgument
from engine.core.namespace import Namespace
from engine.core.visibility.search_attributes import (
    PREDEFINED_SEARCH_ATTRIBUTES,
    SYSTEM_SEARCH_ATTRIBUTES,
    SearchAttributeTypes,
    validate_new_search_attributes,
    validate_removed_search_attributes,
)
from engine.service.service import Call, Service, get_namespace

__all__ = ["add_search_attributes", "list_search_attributes", "remove_search_attributes", "server_attributes"]


async def add_search_attributes(
    service: Service, request: AddSearchAttributesRequest, call: Call
) -> AddSearchAttributesResponse:
    """Register search attributes; one that is there keeps its type."""
    namespace = _get(service, request.namespace)
    validate_new_search_attributes(request.search_attributes)
    _save(service, namespace, {**request.search_attributes, **namespace.custom_search_attributes})
    return AddSearchAttributesResponse()


async def remove_search_attributes(
    service: Service, request: RemoveSearchAttributesRequest, call: Call
) -> RemoveSearchAttributesResponse:
    """Forget search attributes; what workflows have set stays in their histories."""
    namespace = _get(service, request.namespace)
    names = list(request.search_attributes)
    validate_removed_search_attributes(names)
    kept = {name: each for name, each in namespace.custom_search_attributes.items() if name not in names}
    _save(service, namespace, kept)
    return RemoveSearchAttributesResponse()


async def list_search_attributes(
    service: Service, request: ListSearchAttributesRequest, call: Call
) -> ListSearchAttributesResponse:
    """List the server's search attributes and a namespace's own."""
    namespace = _get(service, request.namespace)
    return ListSearchAttributesResponse(
        custom_attributes=_typed(namespace.custom_search_attributes),
        system_attributes=server_attributes(),
    )


def server_attributes() -> dict[str, IndexedValueType.ValueType]:
    """Return the search attributes that every namespace has, with their types."""
    return _typed(SYSTEM_SEARCH_ATTRIBUTES) | _typed(PREDEFINED_SEARCH_ATTRIBUTES)


def _typed(types: SearchAttributeTypes) -> dict[str, IndexedValueType.ValueType]:
    return {name: IndexedValueType.ValueType(each) for name, each in types.items()}


def _get(service: Service, name: str) -> Namespace:
    if not name:
        raise InvalidArgument("Namespace is not set on request.")
    return get_namespace(service, name)


def _save(service: Service, namespace: Namespace, search_attributes: dict[str, int]) -> None:
    before = namespace.custom_search_attributes
    namespace.custom_search_attributes = search_attributes
    try:
        service.engine.namespaces.save(namespace)
    except BaseException:
        namespace.custom_search_attributes = before
        raise
