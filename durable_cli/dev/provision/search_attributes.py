"""Search attributes: added to all namespaces of the file where they are missing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest

from durable_cli.client import Client
from durable_cli.dev.project.model import Project, SearchAttributeType
from durable_cli.dev.provision.step import Result, Step, wait_until_usable
from durable_cli.errors import CliError

__all__ = ["INDEXED_VALUE_TYPES", "list_steps"]

INDEXED_VALUE_TYPES: dict[SearchAttributeType, IndexedValueType.ValueType] = {
    "Text": IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "Double": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "Bool": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}


def list_steps(project: Project, client: Client) -> Sequence[Step]:
    """Return a step for every search attribute in every namespace."""
    namespaces = project.all_namespaces
    return [
        Step(
            f"search attribute {f'{namespace}/' if len(namespaces) > 1 else ''}{name}",
            partial(_make, client, namespace, name, type_name),
        )
        for namespace in namespaces
        for name, type_name in project.search_attributes.items()
    ]


async def _make(client: Client, namespace: str, name: str, type_name: SearchAttributeType) -> Result:
    wanted = INDEXED_VALUE_TYPES[type_name]
    existing = await _find_type(client, namespace, name)
    if existing == wanted:
        return Result.UNCHANGED
    if existing is not None:
        names = {value: key for key, value in INDEXED_VALUE_TYPES.items()}
        raise CliError(f"the server has it as {names.get(existing, 'another type')}, dx.toml as {type_name}")
    request = AddSearchAttributesRequest(namespace=namespace, search_attributes={name: wanted})
    await client.operator_service.add_search_attributes(request, retry=True)
    await wait_until_usable(partial(_is_listed, client, namespace, name))
    return Result.CREATED


async def _is_listed(client: Client, namespace: str, name: str) -> bool:
    return await _find_type(client, namespace, name) is not None


async def _find_type(client: Client, namespace: str, name: str) -> IndexedValueType.ValueType | None:
    request = ListSearchAttributesRequest(namespace=namespace)
    listed = await client.operator_service.list_search_attributes(request, retry=True)
    return listed.custom_attributes.get(name) or listed.system_attributes.get(name)
