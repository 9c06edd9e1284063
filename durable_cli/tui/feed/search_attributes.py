"""The attributes that a namespace's list filters know."""

from __future__ import annotations

from durable_cli.tui.feed.link import Link, seconds

__all__ = ["list_search_attributes"]


async def list_search_attributes(link: Link, namespace: str = "", *, only_own: bool = False) -> dict[str, str]:
    """Return the types of the search attributes, the server's and the namespace's own, by name.

    Args:
        namespace: by default the one that is browsed.
        only_own: leave out the server's.

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
    servers = () if only_own else reply.system_attributes.items()
    return {
        name: IndexedValueType.Name(number).removeprefix(prefix).title().replace("_", "")
        for name, number in (*servers, *reply.custom_attributes.items())
    }
