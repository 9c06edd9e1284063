"""What the browser does to namespaces: each returns what was done, in words.

Raises: CliError when the server refuses.
"""

from __future__ import annotations

from datetime import timedelta

from durable_cli.errors import CliError
from durable_cli.tui.feed.link import Link, seconds

__all__ = [
    "ATTRIBUTE_TYPES",
    "add_search_attribute",
    "delete_namespace",
    "register_namespace",
    "remove_search_attribute",
    "update_namespace",
]

ATTRIBUTE_TYPES = ("Keyword", "Text", "Int", "Double", "Bool", "Datetime", "KeywordList")


async def register_namespace(link: Link, name: str, retention: str, description: str) -> str:
    """Make a namespace; `retention` is a duration such as 72h."""
    kept = _read_retention(retention)
    async with link.asking(f"create namespace {name!r}") as client:
        from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest

        request = RegisterNamespaceRequest(namespace=name, description=description)
        request.workflow_execution_retention_period.FromTimedelta(kept)
        await client.workflow_service.register_namespace(request, timeout=seconds(10))
    return f"created namespace {name}"


async def update_namespace(link: Link, name: str, retention: str, description: str, owner_email: str) -> str:
    """Change what is said of a namespace, and how long its closed runs are kept."""
    kept = _read_retention(retention)
    async with link.asking(f"change namespace {name!r}") as client:
        from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest

        request = UpdateNamespaceRequest(namespace=name)
        request.update_info.description = description
        request.update_info.owner_email = owner_email
        request.config.workflow_execution_retention_ttl.FromTimedelta(kept)
        await client.workflow_service.update_namespace(request, timeout=seconds(10))
    return f"changed namespace {name}"


async def delete_namespace(link: Link, name: str) -> str:
    """Delete a namespace, with all that is in it."""
    async with link.asking(f"delete namespace {name!r}") as client:
        from temporalio.api.operatorservice.v1 import DeleteNamespaceRequest

        await client.operator_service.delete_namespace(DeleteNamespaceRequest(namespace=name), timeout=seconds(20))
    return f"deleted namespace {name}"


async def add_search_attribute(link: Link, namespace: str, name: str, type_name: str) -> str:
    """Let a namespace's runs have a search attribute; `type_name` is one of `ATTRIBUTE_TYPES`."""
    async with link.asking(f"add search attribute {name!r}") as client:
        from temporalio.api.enums.v1 import IndexedValueType
        from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest

        request = AddSearchAttributesRequest(namespace=namespace)
        word = "KEYWORD_LIST" if type_name == "KeywordList" else type_name.upper()
        request.search_attributes[name] = IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{word}")
        await client.operator_service.add_search_attributes(request, timeout=seconds(20))
    return f"added {name} ({type_name}) to namespace {namespace}"


async def remove_search_attribute(link: Link, namespace: str, name: str) -> str:
    """Take a search attribute away from a namespace."""
    async with link.asking(f"remove search attribute {name!r}") as client:
        from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest

        request = RemoveSearchAttributesRequest(namespace=namespace, search_attributes=[name])
        await client.operator_service.remove_search_attributes(request, timeout=seconds(20))
    return f"removed {name} from namespace {namespace}"


def _read_retention(text: str) -> timedelta:
    from durable_cli.parameters import parse_duration

    try:
        return parse_duration(text)
    except ValueError:
        raise CliError(f"{text!r} is no duration", "write it with its unit, such as 72h or 7d") from None
