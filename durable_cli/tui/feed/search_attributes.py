"""The attributes that a namespace's list filters know."""

from __future__ import annotations

from durable_cli.tui.feed.link import Link, seconds

__all__ = ["list_search_attributes"]


async def list_search_attributes(link: Link, namespace: str = "") -> dict[str, str]:
    """Return the types of a namespace's own search attributes, by name; the namespace is the one that is browsed.

    Raises:
        CliError: the server does not say.
    """
    async with link.asking("list search attributes") as client:
        from temporalio.api.enums.v1 import IndexedValueType
        from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest

        reply = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=namespace or link.namespace), timeout=seconds(10)
        )
    prefix = "INDEXED_VALUE_TYPE_"
    return {
        name: IndexedValueType.Name(number).removeprefix(prefix).title().replace("_", "")
        for name, number in reply.custom_attributes.items()
    }
