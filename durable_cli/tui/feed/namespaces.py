"""The namespaces of a server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from durable_cli.tui.feed.link import Link, Post, seconds
from durable_cli.tui.feed.watch import repeat
from durable_cli.tui.place_messages import NamespacesListed
from durable_cli.tui.place_rows import NamespaceRow

if TYPE_CHECKING:
    from temporalio.api.workflowservice.v1 import DescribeNamespaceResponse

__all__ = ["list_namespaces", "watch_namespaces"]

LIST_SECONDS = 5.0


async def list_namespaces(link: Link) -> list[str]:
    """Return the names of all namespaces.

    Raises:
        CliError: the server does not say.
    """
    return [row.name for row in await _list_rows(link)]


async def watch_namespaces(link: Link, post: Post) -> None:
    """Tell of the namespaces of the server, again and again."""

    async def ask() -> NamespacesListed:
        return NamespacesListed(await _list_rows(link))

    await repeat(ask, post, LIST_SECONDS)


async def _list_rows(link: Link) -> list[NamespaceRow]:
    rows: list[NamespaceRow] = []
    token = b""
    while True:
        async with link.asking("list namespaces") as client:
            from temporalio.api.workflowservice.v1 import ListNamespacesRequest

            page = await client.workflow_service.list_namespaces(
                ListNamespacesRequest(page_size=200, next_page_token=token), timeout=seconds(10)
            )
        rows += map(_row, page.namespaces)
        token = page.next_page_token
        if not token:
            return sorted(rows, key=lambda row: row.name)


def _row(description: DescribeNamespaceResponse) -> NamespaceRow:
    from temporalio.api.enums.v1 import NamespaceState

    info, config = description.namespace_info, description.config
    return NamespaceRow(
        info.name,
        NamespaceState.Name(info.state).removeprefix("NAMESPACE_STATE_").lower(),
        config.workflow_execution_retention_ttl.ToTimedelta().total_seconds(),
        info.description,
        info.owner_email,
        info.id,
        tuple((label, value) for label, value in _fields(description) if value),
    )


def _fields(description: DescribeNamespaceResponse) -> Iterator[tuple[str, str]]:
    info, config, replication = description.namespace_info, description.config, description.replication_config
    yield "id", info.id
    yield "owner", info.owner_email
    yield "data", ", ".join(f"{key}={info.data[key]}" for key in sorted(info.data))
    yield "history archive", config.history_archival_uri if config.history_archival_state == 2 else ""
    yield "visibility archive", config.visibility_archival_uri if config.visibility_archival_state == 2 else ""
    yield "cluster", replication.active_cluster_name
    clusters = [each.cluster_name for each in replication.clusters]
    yield "replicated to", ", ".join(clusters) if len(clusters) > 1 else ""
    aliases = config.custom_search_attribute_aliases
    yield "search attributes", ", ".join(sorted(aliases.values()))
    yield "limit", f"{info.limits.blob_size_limit_error:,} bytes a payload" if info.limits.blob_size_limit_error else ""
    able = [field.name.replace("_", " ") for field, value in info.capabilities.ListFields() if value]
    yield "can", ", ".join(["schedules"] * info.supports_schedules + able)
