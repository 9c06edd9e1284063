"""What the browser does to namespaces: each returns what was done, in words.

Raises: CliError when the server refuses.
"""

from __future__ import annotations

from durable_cli.errors import CliError
from durable_cli.tui.feed.link import Link, seconds

__all__ = ["register_namespace"]


async def register_namespace(link: Link, name: str, retention: str, description: str) -> str:
    """Make a namespace; `retention` is a duration such as 72h."""
    from durable_cli.parameters import parse_duration

    try:
        kept = parse_duration(retention)
    except ValueError:
        raise CliError(f"{retention!r} is no duration", "write it with its unit, such as 72h or 7d") from None
    async with link.asking(f"create namespace {name!r}") as client:
        from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest

        request = RegisterNamespaceRequest(namespace=name, description=description)
        request.workflow_execution_retention_period.FromTimedelta(kept)
        await client.workflow_service.register_namespace(request, timeout=seconds(10))
    return f"created namespace {name}"
