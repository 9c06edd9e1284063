"""The namespaces of a server, and the attributes that its filters know."""

from __future__ import annotations

from durable_cli.tui.feed.link import Link, seconds

__all__ = ["list_namespaces", "list_search_attributes"]


async def list_namespaces(link: Link) -> list[str]:
    """Return the names of all namespaces.

    Raises:
        CliError: the server does not say.
    """
    names: list[str] = []
    token = b""
    while True:
        async with link.asking("list namespaces") as client:
            from temporalio.api.workflowservice.v1 import ListNamespacesRequest

            page = await client.workflow_service.list_namespaces(
                ListNamespacesRequest(page_size=200, next_page_token=token), timeout=seconds(10)
            )
        names += [each.namespace_info.name for each in page.namespaces]
        token = page.next_page_token
        if not token:
            return sorted(names)


async def list_search_attributes(link: Link) -> dict[str, str]:
    """Return the types of the namespace's own search attributes, by name.

    Raises:
        CliError: the server does not say.
    """
    async with link.asking("list search attributes") as client:
        from temporalio.api.enums.v1 import IndexedValueType
        from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest

        reply = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=link.namespace), timeout=seconds(10)
        )
    prefix = "INDEXED_VALUE_TYPE_"
    return {
        name: IndexedValueType.Name(number).removeprefix(prefix).title().replace("_", "")
        for name, number in reply.custom_attributes.items()
    }
