"""What the fixtures do over gRPC: one connection for all tests, a namespace for each."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, DeleteNamespaceRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client, Interceptor, Plugin
from temporalio.common import HeaderCodecBehavior, QueryRejectCondition
from temporalio.converter import DataConverter
from temporalio.service import ConnectConfig, ServiceClient

from durable_cli.testing.errors import DxError

if TYPE_CHECKING:
    from durable_cli.testing.portal import Portal

__all__ = ["ClientOptions", "Connection"]

_RETENTION = Duration(seconds=24 * 3600)
_LONGEST_NAME = 60


class ClientOptions(TypedDict, total=False):
    """What the fixture `dx_client_options` may return: arguments of `temporalio.client.Client`."""

    data_converter: DataConverter
    interceptors: Sequence[Interceptor]
    plugins: Sequence[Plugin]
    default_workflow_query_reject_condition: QueryRejectCondition | None
    header_codec_behavior: HeaderCodecBehavior


class Connection:
    """The session's connection to its server, and the loop that the fixtures use it on."""

    def __init__(self, address: str, portal: Portal) -> None:
        self.portal = portal
        self.service_client: ServiceClient = portal.run(ServiceClient.connect(ConnectConfig(target_host=address)))

    def create_namespace(self, test_name: str, search_attributes: Mapping[str, str]) -> str:
        """Create a namespace that is named after a test, with search attributes; return its name."""
        types = {name: _search_attribute_type(name, type_name) for name, type_name in search_attributes.items()}
        readable = re.sub(r"[^A-Za-z0-9_.]+", "-", test_name)[:_LONGEST_NAME].strip("-.")
        name = f"{readable}-{uuid.uuid4().hex[:8]}"
        self.portal.run(self._create_namespace(name, types))
        return name

    async def _create_namespace(self, name: str, types: dict[str, IndexedValueType.ValueType]) -> None:
        await self.service_client.workflow_service.register_namespace(
            RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=_RETENTION)
        )
        if types:
            await self.service_client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace=name, search_attributes=types)
            )

    def delete_namespace(self, name: str) -> None:
        """Delete a namespace with the workflows that a test has left open."""
        request = DeleteNamespaceRequest(namespace=name)
        self.portal.run(self._delete_namespace(request))

    async def _delete_namespace(self, request: DeleteNamespaceRequest) -> None:
        await self.service_client.operator_service.delete_namespace(request)

    def make_client(self, namespace: str, interceptors: Sequence[Interceptor], options: ClientOptions) -> Client:
        """Make a client of a namespace; `interceptors` are around those of the options."""
        rest: dict[str, Any] = {key: value for key, value in options.items() if key != "interceptors"}
        unknown = sorted(set(rest) - set(ClientOptions.__annotations__))
        if unknown:
            known = ", ".join(ClientOptions.__annotations__)
            raise DxError(f"dx_client_options: {unknown[0]!r} can't be given\n\nhint: return some of {known}")
        return Client(
            self.service_client,
            namespace=namespace,
            interceptors=[*interceptors, *options.get("interceptors", ())],
            **rest,
        )


def _search_attribute_type(name: str, type_name: str) -> IndexedValueType.ValueType:
    known = {
        IndexedValueType.Name(value).removeprefix("INDEXED_VALUE_TYPE_").replace("_", "").lower(): value
        for value in IndexedValueType.values()
        if value
    }
    value_type = known.get(type_name.lower())
    if value_type is None:
        raise DxError(
            f"search attribute {name!r} can't have the type {type_name!r}, in dx_server_options or dx.toml\n\n"
            "hint: the types are Text, Keyword, Int, Double, Bool, Datetime and KeywordList"
        )
    return value_type
