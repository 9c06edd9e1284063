"""One run: what it is doing, and its history."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from durable_cli.errors import CliError
from durable_cli.tui.feed.link import AGAIN_SECONDS, Link, LostError, Post, reporting, seconds
from durable_cli.tui.messages import HistoryGrew, RunDescribed, Trouble, TroubleChanged

if TYPE_CHECKING:
    from durable_cli.client import Client

__all__ = ["watch_history", "watch_run"]

DESCRIBE_SECONDS = 1.0
PAGE_EVENTS = 500
LONG_POLL_SECONDS = 60.0
RUNNING = 1


async def watch_run(link: Link, workflow_id: str, run_id: str, post: Post) -> None:
    """Tell what a run is doing, now and whenever that may have changed, until it is closed."""
    while True:
        async with reporting(post):
            async with link.asking(f"describe workflow {workflow_id!r}") as client:
                from temporalio.api.common.v1 import WorkflowExecution
                from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest

                from durable_cli.tui.feed.from_protos import run_summary

                description = await client.workflow_service.describe_workflow_execution(
                    DescribeWorkflowExecutionRequest(
                        namespace=link.namespace, execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
                    ),
                    timeout=seconds(10),
                )
            summary = run_summary(description)
            post(RunDescribed(summary))
            if summary.row.status != RUNNING:
                return
        await asyncio.sleep(DESCRIBE_SECONDS)


async def watch_history(link: Link, workflow_id: str, run_id: str, post: Post) -> None:
    """Tell of a run's events, oldest first, and of new ones as they come, until the run is closed."""
    # The reader needs the protos, which the link has imported by the time that it asks.
    reader: Any = None
    token = b""
    while True:
        try:
            async with link.asking(f"read the history of workflow {workflow_id!r}", waits=True) as client:
                page = await _read_page(client, workflow_id, run_id, token)
        except LostError:
            # From the start: a page token may be the lost server's; the reader drops what it knows.
            token = b""
            await asyncio.sleep(AGAIN_SECONDS)
            continue
        except CliError as error:
            post(TroubleChanged(Trouble(error.message, error.hint)))
            return
        if reader is None:
            from durable_cli.tui.feed.events import EventReader

            reader = EventReader()
        fresh = reader.read(page.history.events)
        if fresh:
            post(HistoryGrew(fresh))
        token = page.next_page_token
        if not token:
            return
        await asyncio.sleep(0)


async def _read_page(client: Client, workflow_id: str, run_id: str, token: bytes) -> Any:
    """Read the next events; when there are none yet, wait for them. The last page of a closed run has no token."""
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest

    return await client.workflow_service.get_workflow_execution_history(
        GetWorkflowExecutionHistoryRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=PAGE_EVENTS,
            next_page_token=token,
            wait_new_event=True,
        ),
        timeout=seconds(LONG_POLL_SECONDS),
    )
