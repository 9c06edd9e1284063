"""`dx workflow count`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from durable_cli.network import network_command
from durable_cli.options import option

if TYPE_CHECKING:
    from durable_cli.client import Client
    from durable_cli.output.output import Output


@network_command
@option("-q", "--query", default="", metavar="QUERY", help="List filter; GROUP BY ExecutionStatus counts by status.")
async def command(client: Client, output: Output, *, query: str) -> None:
    """Count workflows, running and closed."""
    from temporalio.api.workflowservice.v1 import CountWorkflowExecutionsRequest

    async with client.doing("count workflows", query=query):
        count = await client.workflow_service.count_workflow_executions(
            CountWorkflowExecutionsRequest(namespace=client.namespace, query=query), retry=True
        )
    if output.is_json:
        # Without their type the values are plain JSON, and shown as such.
        for group in count.groups:
            for value in group.group_values:
                value.metadata.pop("type", None)
        output.print_json(output.to_json(count))
    elif output.is_text:
        from durable_cli.output.listing import print_count

        print_count(output.screen, count)
