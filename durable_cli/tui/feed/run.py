"""One run: what it is doing, and its history."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from durable_cli.tui.feed.link import AGAIN_SECONDS, Link, Post, reporting, seconds
from durable_cli.tui.history.groups import History
from durable_cli.tui.history.run_book import RUNNING_STATUSES
from durable_cli.tui.messages import HistoryGrew, HistoryRead, RunDescribed

if TYPE_CHECKING:
    from durable_cli.client import Client
    from durable_cli.tui.feed.events import EventReader

__all__ = ["HistoryWatch", "load_history", "watch_run"]

DESCRIBE_SECONDS = 1.0
CALM_DESCRIBE_SECONDS = 2.0
"""So often the server is asked while it waits for nothing of which the history does not tell."""
PAGE_EVENTS = 500
FULL_PAGE_EVENTS = 250
"""A page of so many may be followed by another at once: servers give 256 at most, or all that was asked for."""
SLICE_EVENTS = 100
"""So many are read in one go: keys are heard in between."""
LIVE_SECONDS = 0.4
"""Of events that come one by one, those of so long are told together."""
STREAM_EVENTS = 10
"""When more than so many have come together, it is a stream."""
AHEAD_SECONDS = 0.1
"""So long before a stream is looked at again it is read."""
LONG_POLL_SECONDS = 60.0


async def watch_run(link: Link, workflow_id: str, run_id: str, post: Post) -> None:
    """Tell what a run is doing, now and whenever that may have changed, until it is closed.

    Args:
        run_id: empty for the latest run; it is that one which is told of further on, also when another one follows.
    """
    is_calm = False
    while True:
        async with reporting(post, "run"):
            async with link.asking(f"describe workflow {workflow_id!r}") as client:
                from temporalio.api.common.v1 import WorkflowExecution
                from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest

                from durable_cli.tui.feed.description import run_summary

                description = await client.workflow_service.describe_workflow_execution(
                    DescribeWorkflowExecutionRequest(
                        namespace=link.namespace, execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
                    ),
                    timeout=seconds(10),
                )
            summary = run_summary(description)
            run_id = summary.row.run_id
            post(RunDescribed(summary))
            if summary.row.status not in RUNNING_STATUSES:
                return
            fails = summary.workflow_task is not None and summary.workflow_task.attempt > 1
            is_calm = not (fails or summary.activities or summary.nexus_operations or summary.callbacks)
        await asyncio.sleep(CALM_DESCRIBE_SECONDS if is_calm else DESCRIBE_SECONDS)


class HistoryWatch:
    """Tells of a run's events, oldest first, and of new ones as they come; it can be left and taken up again.

    Args:
        pace: returns the seconds from one look at a stream of events to the next.
    """

    def __init__(self, link: Link, workflow_id: str, run_id: str, post: Post, pace: Callable[[], float]) -> None:
        self._link = link
        self._workflow_id = workflow_id
        self._run_id = run_id
        self._post = post
        self._pace = pace
        # The reader needs the protos, which the link has imported by the time that something was read.
        self._reader: EventReader | None = None
        self._token = b""
        self._is_complete = False

    async def run(self) -> None:
        """Tell until the run is closed."""
        come_count = 0
        while not self._is_complete:
            page = None
            async with (
                reporting(self._post, "history"),
                self._link.asking(f"read the history of workflow {self._workflow_id!r}", waits=True) as client,
            ):
                page = await read_page(client, self._workflow_id, self._run_id, self._token, wait=True)
            if page is None:
                # From the start: a page token may be the lost server's; the reader drops what it knows.
                self._token = b""
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            count = len(page.history.events)
            come_count += count
            await self._tell(page.history.events)
            self._token = page.next_page_token
            self._is_complete = not self._token
            if self._is_complete or count >= FULL_PAGE_EVENTS:
                continue
            is_stream, come_count = come_count > STREAM_EVENTS, 0
            await asyncio.sleep(self._pace() - AHEAD_SECONDS if is_stream else LIVE_SECONDS)
        self._post(HistoryRead())

    async def _tell(self, events: Sequence[Any]) -> None:
        if self._reader is None:
            from durable_cli.tui.feed.events import EventReader

            self._reader = EventReader()
        for start in range(0, len(events), SLICE_EVENTS):
            rows, steps = self._reader.read(events[start : start + SLICE_EVENTS])
            if rows:
                self._post(HistoryGrew(rows, steps))
            await asyncio.sleep(0)


async def load_history(link: Link, workflow_id: str, run_id: str) -> History:
    """Read the history of a run as far as it goes.

    Raises:
        CliError: there is no such run, or the server does not answer.
    """
    history, token, reader = History(), b"", None
    while True:
        async with link.asking(f"read the history of workflow {workflow_id!r}") as client:
            page = await read_page(client, workflow_id, run_id, token, wait=False)
        from durable_cli.tui.feed.events import EventReader

        reader = reader or EventReader()
        for start in range(0, len(page.history.events), SLICE_EVENTS):
            history.take(*reader.read(page.history.events[start : start + SLICE_EVENTS]))
            await asyncio.sleep(0)
        token = page.next_page_token
        if not token:
            return history


async def read_page(
    client: Client, workflow_id: str, run_id: str, token: bytes, *, wait: bool, page_events: int = PAGE_EVENTS
) -> Any:
    """Read the next events; with `wait`, wait for new ones where there are none yet until the run is closed."""
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest

    return await client.workflow_service.get_workflow_execution_history(
        GetWorkflowExecutionHistoryRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=page_events,
            next_page_token=token,
            wait_new_event=wait,
        ),
        timeout=seconds(LONG_POLL_SECONDS if wait else 20),
    )
