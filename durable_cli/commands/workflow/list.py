"""`dx workflow list`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import click

from durable_cli.network import network_command
from durable_cli.options import option

if TYPE_CHECKING:
    from temporalio.api.workflow.v1 import WorkflowExecutionInfo

    from durable_cli.client import Client
    from durable_cli.output.output import Output


@network_command
@option("-q", "--query", default="", metavar="QUERY", help="List filter, such as ExecutionStatus = 'Running'.")
@option("--limit", type=click.IntRange(min=0), default=0, help="Show at most this many. [default: all]")
@option("--page-size", type=click.IntRange(min=0), default=0, help="Fetch this many at a time.")
@option("--archived", is_flag=True, help="List archived workflows.")
async def command(client: Client, output: Output, *, query: str, limit: int, page_size: int, archived: bool) -> None:
    """List workflows, the latest first."""
    if limit and limit < page_size:
        page_size = limit
    pages = _cut(_iterate_pages(client, query=query, page_size=page_size, archived=archived), limit)
    if output.is_json:
        with output.json_list() as items:
            async for executions in pages:
                for execution in executions:
                    items.append(output.to_json(execution))
    elif output.is_text:
        from durable_cli.clock_offset import find_clock_offset
        from durable_cli.output.listing import WorkflowTable

        screen = output.screen
        table = WorkflowTable(screen)
        async for executions in pages:
            if not screen.clock_offset:
                screen.clock_offset = await find_clock_offset(client, (each.start_time for each in executions))
            table.append(executions)
        table.close()
    else:
        async for _ in pages:
            pass


async def _iterate_pages(
    client: Client, *, query: str, page_size: int, archived: bool
) -> AsyncIterator[list[WorkflowExecutionInfo]]:
    from temporalio.api.workflowservice.v1 import (
        ListArchivedWorkflowExecutionsRequest,
        ListWorkflowExecutionsRequest,
    )

    token = b""
    while True:
        async with client.doing("list workflows", query=query):
            if archived:
                page = await client.workflow_service.list_archived_workflow_executions(
                    ListArchivedWorkflowExecutionsRequest(
                        namespace=client.namespace, page_size=page_size, next_page_token=token, query=query
                    ),
                    retry=True,
                )
            else:
                page = await client.workflow_service.list_workflow_executions(  # type: ignore[assignment]
                    ListWorkflowExecutionsRequest(
                        namespace=client.namespace, page_size=page_size, next_page_token=token, query=query
                    ),
                    retry=True,
                )
        yield list(page.executions)
        token = page.next_page_token
        if not token:
            return


async def _cut(
    pages: AsyncIterator[list[WorkflowExecutionInfo]], limit: int
) -> AsyncIterator[list[WorkflowExecutionInfo]]:
    """Yield pages until there were `limit` workflows; 0 is no limit."""
    left = limit
    async for page in pages:
        if limit and len(page) >= left:
            yield page[:left]
            return
        left -= len(page)
        yield page
