"""Lists and counts of runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from durable_cli.errors import CliError
from durable_cli.tui.feed.link import Link, LostError, Post, reporting, seconds
from durable_cli.tui.messages import RunsCounted, RunsListed
from durable_cli.tui.rows import RunRow
from durable_cli.tui.status import STATUSES

__all__ = ["HEAD_TOKEN", "count_runs", "list_runs", "watch_runs"]

HEAD_TOKEN = b""
PAGE_ROWS = 100
LIST_SECONDS = 1.0
COUNT_REST = 20
"""So many times what a count has taken the server is left alone with counts: those of very many runs are not cheap."""


async def watch_runs(link: Link, query: str, visible_tokens: Callable[[], Iterable[bytes]], post: Post) -> None:
    """Tell of the pages that are on the screen and of the counts, again and again.

    Args:
        visible_tokens: the tokens of the pages that are looked at now; the first page is `HEAD_TOKEN`.
    """
    count_due_s = 0.0
    while True:
        async with reporting(post):
            for token in dict.fromkeys((HEAD_TOKEN, *visible_tokens())):
                rows, next_token = await _list_page(link, query, token)
                post(RunsListed(query, token, rows, next_token))
            started_s = time.monotonic()
            if started_s >= count_due_s:
                post(RunsCounted(query, await count_runs(link, query)))
                now_s = time.monotonic()
                count_due_s = now_s + COUNT_REST * (now_s - started_s)
        await asyncio.sleep(LIST_SECONDS)


async def list_runs(link: Link, query: str, token: bytes, post: Post) -> None:
    """Tell of one further page."""
    async with reporting(post):
        rows, next_token = await _list_page(link, query, token)
        post(RunsListed(query, token, rows, next_token))


async def _list_page(link: Link, query: str, token: bytes) -> tuple[list[RunRow], bytes]:
    async with link.asking("list workflows") as client:
        from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest

        from durable_cli.tui.feed.from_protos import run_row

        page = await client.workflow_service.list_workflow_executions(
            ListWorkflowExecutionsRequest(
                namespace=link.namespace, page_size=PAGE_ROWS, next_page_token=token, query=query
            ),
            timeout=seconds(10),
        )
        return [run_row(info) for info in page.executions], page.next_page_token


async def count_runs(link: Link, query: str) -> dict[int, int]:
    """Count by status: in one request where the server can group, else one for each status."""
    if link.groups_counts:
        try:
            return await _count_grouped(link, query)
        except LostError:
            raise
        except CliError:
            link.groups_counts = False
    counted = {number: status.name for number, status in STATUSES.items() if status.name != "Paused"}
    counts = await asyncio.gather(*(_count_status(link, query, name) for name in counted.values()))
    return dict(zip(counted, counts, strict=True))


async def _count_grouped(link: Link, query: str) -> dict[int, int]:
    from temporalio.api.workflowservice.v1 import CountWorkflowExecutionsRequest

    from durable_cli.tui.feed.from_protos import status_of_payload

    async with link.asking("count workflows") as client:
        reply = await client.workflow_service.count_workflow_executions(
            CountWorkflowExecutionsRequest(namespace=link.namespace, query=f"{query} GROUP BY ExecutionStatus".strip()),
            timeout=seconds(10),
        )
    return {status_of_payload(group.group_values[0]): group.count for group in reply.groups}


async def _count_status(link: Link, query: str, status: str) -> int:
    from temporalio.api.workflowservice.v1 import CountWorkflowExecutionsRequest

    condition = f"ExecutionStatus = '{status}'"
    async with link.asking("count workflows") as client:
        reply = await client.workflow_service.count_workflow_executions(
            CountWorkflowExecutionsRequest(
                namespace=link.namespace, query=f"{query} AND {condition}" if query else condition
            ),
            timeout=seconds(10),
        )
    return reply.count
