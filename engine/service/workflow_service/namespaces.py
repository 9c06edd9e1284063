"""Register, describe, list and change namespaces."""

from __future__ import annotations

from temporalio.api.enums.v1.namespace_pb2 import (
    NAMESPACE_STATE_DELETED,
    NAMESPACE_STATE_DEPRECATED,
    NAMESPACE_STATE_REGISTERED,
    NAMESPACE_STATE_UNSPECIFIED,
    NamespaceState,
)
from temporalio.api.workflowservice.v1 import (
    DeprecateNamespaceRequest,
    DeprecateNamespaceResponse,
    DescribeNamespaceRequest,
    DescribeNamespaceResponse,
    ListNamespacesRequest,
    ListNamespacesResponse,
    RegisterNamespaceRequest,
    RegisterNamespaceResponse,
    UpdateNamespaceRequest,
    UpdateNamespaceResponse,
)

from engine.core.errors import InvalidArgument, NamespaceAlreadyExists
from engine.core.namespace import Namespace
from engine.core.policy.fields import validate_namespace_name
from engine.service.namespace_records import describe, new_namespace, validate_retention
from engine.service.service import Call, Service

__all__ = [
    "deprecate_namespace",
    "describe_namespace",
    "list_namespaces",
    "register_namespace",
    "update_namespace",
]

_DEFAULT_PAGE_SIZE = 100

_ALLOWED_NEXT_STATES: dict[int, tuple[int, ...]] = {
    NAMESPACE_STATE_REGISTERED: (NAMESPACE_STATE_DELETED, NAMESPACE_STATE_DEPRECATED),
    NAMESPACE_STATE_DEPRECATED: (NAMESPACE_STATE_DELETED,),
    NAMESPACE_STATE_DELETED: (),
}


async def register_namespace(
    service: Service, request: RegisterNamespaceRequest, call: Call
) -> RegisterNamespaceResponse:
    """Register a namespace; it can be used at once."""
    engine = service.engine
    validate_namespace_name(request.namespace, engine.limits)
    if not request.namespace:
        raise InvalidArgument("Namespace not set on request.")
    if request.is_global_namespace:
        raise InvalidArgument("Cannot register global namespace when not enabled")
    has_retention = request.HasField("workflow_execution_retention_period")
    validate_retention(request.workflow_execution_retention_period if has_retention else None, engine.limits)
    if engine.namespaces.find(request.namespace) is not None:
        raise NamespaceAlreadyExists(f'Namespace "{request.namespace}" already exists')
    engine.namespaces.save(
        new_namespace(
            engine.env.new_id(),
            request.namespace,
            request.workflow_execution_retention_period,
            description=request.description,
            owner_email=request.owner_email,
            data=request.data,
        )
    )
    return RegisterNamespaceResponse()


async def describe_namespace(
    service: Service, request: DescribeNamespaceRequest, call: Call
) -> DescribeNamespaceResponse:
    """Describe a namespace by name or id."""
    namespaces, limits = service.engine.namespaces, service.engine.limits
    validate_namespace_name(request.namespace, limits)
    if request.namespace and request.id:
        raise InvalidArgument("GetNamespace operation failed. Both ID and Name specified in request.")
    if request.id:
        return describe(namespaces.get_by_id(request.id), limits)
    if not request.namespace:
        raise InvalidArgument("Namespace not set on request.")
    return describe(namespaces.get(request.namespace), limits)


async def list_namespaces(service: Service, request: ListNamespacesRequest, call: Call) -> ListNamespacesResponse:
    """List namespaces in order of registration; the page token is the last one's key."""
    try:
        after = int(request.next_page_token or b"0")
    except ValueError:
        raise InvalidArgument("Invalid NextPageToken.") from None
    namespaces = sorted(service.engine.namespaces.all(), key=lambda each: each.namespace_key)
    page_size = request.page_size if request.page_size > 0 else _DEFAULT_PAGE_SIZE
    rest = [each for each in namespaces if each.namespace_key > after]
    page = rest[:page_size]
    return ListNamespacesResponse(
        namespaces=[describe(each, service.engine.limits) for each in page],
        next_page_token=b"%d" % page[-1].namespace_key if len(rest) > len(page) else b"",
    )


async def update_namespace(service: Service, request: UpdateNamespaceRequest, call: Call) -> UpdateNamespaceResponse:
    """Change what a request says about a namespace; data is merged."""
    namespace = _get(service, request.namespace)
    changed = DescribeNamespaceResponse()
    changed.CopyFrom(namespace.description)
    info, update = changed.namespace_info, request.update_info
    info.description = update.description or info.description
    info.owner_email = update.owner_email or info.owner_email
    for key, value in update.data.items():
        info.data[key] = value
    if update.state not in (NAMESPACE_STATE_UNSPECIFIED, info.state):
        _validate_next_state(info.state, update.state)
        info.state = update.state
    if request.config.HasField("workflow_execution_retention_ttl"):
        retention = request.config.workflow_execution_retention_ttl
        validate_retention(retention, service.engine.limits)
        changed.config.workflow_execution_retention_ttl.CopyFrom(retention)
    _save(service, namespace, changed)
    described = describe(namespace, service.engine.limits)
    return UpdateNamespaceResponse(
        namespace_info=described.namespace_info,
        config=described.config,
        replication_config=described.replication_config,
    )


async def deprecate_namespace(
    service: Service, request: DeprecateNamespaceRequest, call: Call
) -> DeprecateNamespaceResponse:
    """Mark a namespace as deprecated; it stays usable."""
    namespace = _get(service, request.namespace)
    changed = DescribeNamespaceResponse()
    changed.CopyFrom(namespace.description)
    changed.namespace_info.state = NAMESPACE_STATE_DEPRECATED
    _save(service, namespace, changed)
    return DeprecateNamespaceResponse()


def _get(service: Service, name: str) -> Namespace:
    validate_namespace_name(name, service.engine.limits)
    if not name:
        raise InvalidArgument("Namespace not set on request.")
    return service.engine.namespaces.get(name)


def _save(service: Service, namespace: Namespace, changed: DescribeNamespaceResponse) -> None:
    before = namespace.description
    namespace.description = changed
    try:
        service.engine.namespaces.save(namespace)
    except BaseException:
        namespace.description = before
        raise


def _validate_next_state(current: NamespaceState.ValueType, state: NamespaceState.ValueType) -> None:
    if state not in _ALLOWED_NEXT_STATES[current]:
        raise InvalidArgument("Invalid namespace state update.")
