"""DeleteNamespace."""

from __future__ import annotations

from temporalio.api.operatorservice.v1 import DeleteNamespaceRequest, DeleteNamespaceResponse

from engine.core.errors import FailedPrecondition, InvalidArgument
from engine.service.service import Call, Service

__all__ = ["delete_namespace"]

_SYSTEM_NAMESPACE = "temporal-system"


async def delete_namespace(service: Service, request: DeleteNamespaceRequest, call: Call) -> DeleteNamespaceResponse:
    """Delete a namespace with everything in it, at once."""
    namespaces = service.engine.namespaces
    if request.namespace == _SYSTEM_NAMESPACE:
        raise FailedPrecondition("unable to delete system namespace")
    if not request.namespace and not request.namespace_id:
        raise InvalidArgument("Namespace not set on request.")
    if request.namespace and request.namespace_id:
        raise InvalidArgument("Only one of namespace name or Id should be set on request.")
    by_id = bool(request.namespace_id)
    namespace = namespaces.get_by_id(request.namespace_id) if by_id else namespaces.get(request.namespace)
    namespaces.delete(namespace)
    service.engine.forget_namespace(namespace)
    return DeleteNamespaceResponse(deleted_namespace=f"{namespace.name}-deleted-{namespace.namespace_id[:5]}")
