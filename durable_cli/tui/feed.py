"""The one place that talks to a server: asks again and again, and tells the screens what has changed.

Rules:
- Nothing heavy is imported before `connect`: the first paint comes first.
- A watch is a coroutine that runs until it is cancelled. It never raises: what goes wrong is a message.
- A screen gets rows (`durable_cli.tui.rows`), not protos.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from textual.message import Message

from durable_cli.errors import CliError
from durable_cli.options import ConnectionOptions, GlobalOptions
from durable_cli.tui.messages import (
    Connection,
    ConnectionChanged,
    HistoryGrew,
    RunDescribed,
    RunsCounted,
    RunsListed,
    Trouble,
    TroubleChanged,
)
from durable_cli.tui.status import STATUSES

if TYPE_CHECKING:
    from durable_cli.client import Client

__all__ = ["Feed"]

Post = Callable[[Message], Any]

HEAD_ROWS = 200
HISTORY_PAGE_EVENTS = 500
LIST_SECONDS = 1.0
DESCRIBE_SECONDS = 1.0
AGAIN_SECONDS = 2.0
LOST = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"})


class Feed:
    """A connection that heals by itself, and the watches over it."""

    def __init__(self, global_options: GlobalOptions, connection: ConnectionOptions, post: Post) -> None:
        self._global_options = global_options
        self._connection = connection
        self._post = post
        self._client: Client | None = None
        self._is_connected = asyncio.Event()
        self._connection_state = Connection.CONNECTING
        self.namespace = connection.namespace or ""
        self.address = connection.address or ""

    async def keep_connected(self) -> None:
        """Connect, and try again until it works; after that the connection heals by itself."""
        while self._client is None:
            try:
                await self._connect()
            except CliError as error:
                self._say(Connection.LOST, Trouble(error.message, error.hint))
                await asyncio.sleep(AGAIN_SECONDS)

    async def _connect(self) -> None:
        client = await asyncio.to_thread(_make_client, self._global_options, self._connection)
        self.namespace, self.address = client.namespace, client.address
        self._say(Connection.CONNECTING, None)
        from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

        async with client.doing("reach the server"):
            await client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=_seconds(5))
        self._client = client
        self._is_connected.set()
        self._say(Connection.CONNECTED, None)

    def _say(self, connection: Connection, trouble: Trouble | None) -> None:
        self._connection_state = connection
        self._post(ConnectionChanged(connection, trouble))

    @asynccontextmanager
    async def _asking(self, action: str) -> AsyncIterator[Client]:
        """Ask the server something; notice when it goes away and when it comes back."""
        await self._is_connected.wait()
        assert self._client is not None
        client = self._client
        from temporalio.service import RPCError

        try:
            async with client.doing(action):
                try:
                    yield client
                except RPCError as error:
                    if error.status.name in LOST:
                        raise _LostError(error.message) from None
                    raise
        except _LostError:
            self._say(
                Connection.LOST,
                Trouble(f"{client.address} does not answer", "it is tried again by itself; is the server still up?"),
            )
            raise
        if self._connection_state is not Connection.CONNECTED:
            self._say(Connection.CONNECTED, None)

    async def watch_runs(self, query: str, post: Post) -> None:
        """Tell of the first page of runs and of the counts, now and whenever they may have changed."""
        while True:
            async with self._reporting(post):
                await self._list_head(query, post)
                post(RunsCounted(await self._count(query)))
            await asyncio.sleep(LIST_SECONDS)

    async def _list_head(self, query: str, post: Post) -> None:
        rows, token = await self._list_page(query, b"")
        post(RunsListed(rows, token, is_head=True))

    async def load_more_runs(self, query: str, next_page_token: bytes, post: Post) -> None:
        """Tell of the page after the last one."""
        async with self._reporting(post):
            rows, token = await self._list_page(query, next_page_token)
            post(RunsListed(rows, token, is_head=False))

    async def _list_page(self, query: str, token: bytes) -> tuple[list[Any], bytes]:
        async with self._asking("list workflows") as client:
            from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest

            from durable_cli.tui.from_protos import run_row

            page = await client.workflow_service.list_workflow_executions(
                ListWorkflowExecutionsRequest(
                    namespace=client.namespace, page_size=HEAD_ROWS, next_page_token=token, query=query
                ),
                timeout=_seconds(10),
            )
            return [run_row(info) for info in page.executions], page.next_page_token

    async def _count(self, query: str) -> dict[int, int]:
        from temporalio.api.workflowservice.v1 import CountWorkflowExecutionsRequest

        async def count(name: str) -> int:
            condition = f"ExecutionStatus = '{name}'"
            async with self._asking("count workflows") as client:
                reply = await client.workflow_service.count_workflow_executions(
                    CountWorkflowExecutionsRequest(
                        namespace=client.namespace, query=f"{query} AND {condition}" if query else condition
                    ),
                    timeout=_seconds(10),
                )
            return reply.count

        shown = {number: status for number, status in STATUSES.items() if status.name != "Paused"}
        counts = await asyncio.gather(*(count(status.name) for status in shown.values()))
        return dict(zip(shown, counts, strict=True))

    async def watch_run(self, workflow_id: str, run_id: str, post: Post) -> None:
        """Tell what a run is doing, now and whenever that may have changed, until it is closed."""
        while True:
            async with self._reporting(post):
                async with self._asking(f"describe workflow {workflow_id!r}") as client:
                    from temporalio.api.common.v1 import WorkflowExecution
                    from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest

                    description = await client.workflow_service.describe_workflow_execution(
                        DescribeWorkflowExecutionRequest(
                            namespace=client.namespace,
                            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
                        ),
                        timeout=_seconds(10),
                    )
                from durable_cli.tui.from_protos import run_summary

                summary = run_summary(description)
                post(RunDescribed(summary))
                if summary.row.status != 1:
                    return
            await asyncio.sleep(DESCRIBE_SECONDS)

    async def watch_history(self, workflow_id: str, run_id: str, post: Post) -> None:
        """Tell of a run's events, oldest first, and of new ones as they come, until the run is closed."""
        from durable_cli.tui.events import EventReader

        reader, token = EventReader(), b""
        while True:
            try:
                async with self._asking(f"read the history of workflow {workflow_id!r}") as client:
                    page = await _read_page(client, workflow_id, run_id, token)
            except _LostError:
                # From the start: a page token may be the lost server's; the reader drops what it knows.
                token = b""
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            except CliError as error:
                post(TroubleChanged(Trouble(error.message, error.hint)))
                return
            fresh = reader.read(page.history.events)
            if fresh:
                post(HistoryGrew(fresh))
            token = page.next_page_token
            if not token:
                return
            await asyncio.sleep(0)

    @asynccontextmanager
    async def _reporting(self, post: Post) -> AsyncIterator[None]:
        """Turn an error into a message; success takes it back."""
        try:
            yield
        except _LostError:
            return
        except CliError as error:
            post(TroubleChanged(Trouble(error.message, error.hint)))
            return
        post(TroubleChanged(None))


class _LostError(CliError):
    """The server does not answer."""


async def _read_page(client: Client, workflow_id: str, run_id: str, token: bytes) -> Any:
    """Read the next events; when there are none yet, wait for them. The last page of a closed run has no token."""
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest

    return await client.workflow_service.get_workflow_execution_history(
        GetWorkflowExecutionHistoryRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=HISTORY_PAGE_EVENTS,
            next_page_token=token,
            wait_new_event=True,
        ),
        timeout=_seconds(60),
    )


def _make_client(global_options: GlobalOptions, connection: ConnectionOptions) -> Client:
    from durable_cli.client import Client
    from durable_cli.config import resolve_settings

    return Client(resolve_settings(global_options, connection))


def _seconds(seconds: float) -> Any:
    from datetime import timedelta

    return timedelta(seconds=seconds)
