"""A server for the tests of a module, and hosts that are gone after a test."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.client import Client

from durable_cli.dev.host_events import Loaded
from durable_cli.dev.host_process import HostConnection, HostProcess, HostWorker
from tests.support.server_process import ServerProcess, launch_dx, launch_reference, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server, ours unless `DX_TEST_SERVER=reference`; each test uses a task queue of its own."""
    launch = launch_reference if os.environ.get("DX_TEST_SERVER") == "reference" else launch_dx
    with running(launch(tmp_path_factory.mktemp("server"))) as process:
        yield process


@dataclass
class Host:
    """A host and what its user code has written."""

    process: HostProcess
    connection: HostConnection
    task_queue: str
    lines: list[str] = field(default_factory=list)

    async def load(self, *workflows: str, activities: tuple[str, ...] = (), **table: object) -> Loaded:
        """Load, which must succeed."""
        answer = await self.process.load(self.worker(*workflows, activities=activities, **table), self.connection)
        assert isinstance(answer, Loaded), answer
        return answer

    def worker(self, *workflows: str, activities: tuple[str, ...] = (), **table: object) -> HostWorker:
        """Return a worker's table."""
        return HostWorker(self.task_queue, workflows, activities, **table)  # type: ignore[arg-type]


class Hosts:
    """Starts hosts."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._started: list[HostProcess] = []

    async def start(self, folder: Path, task_queue: str = "", python: str = sys.executable) -> Host:
        """Start a host in a folder."""
        lines: list[str] = []
        process = await HostProcess.start(
            python,
            cwd=folder,
            environment=dict(os.environ),
            on_output=lambda stream, line: lines.append(f"{stream}: {line}"),
        )
        self._started.append(process)
        connection = HostConnection(self._address, "default", f"host-{process.pid}")
        return Host(process, connection, task_queue or uuid.uuid4().hex, lines)

    async def close(self) -> None:
        """End all of them."""
        for process in self._started:
            process.kill()
        for process in self._started:
            await process.wait_exited()


@pytest_asyncio.fixture
async def hosts(server: ServerProcess) -> AsyncIterator[Hosts]:
    """Hosts that talk to the server, and are ended after the test."""
    started = Hosts(server.address)
    yield started
    await started.close()


@pytest_asyncio.fixture
async def client(server: ServerProcess) -> Client:
    """The SDK's client."""
    return await Client.connect(server.address)


async def wait_quiet(client: Client, workflow_id: str) -> None:
    """Wait until a run has nothing to do."""
    handle = client.get_workflow_handle(workflow_id)
    while True:
        events = (await handle.fetch_history()).events
        description = (await handle.describe()).raw_description
        if description.workflow_execution_info.status != WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING:
            return
        busy = (
            description.pending_activities
            or description.pending_children
            or description.HasField("pending_workflow_task")
            or description.workflow_execution_info.history_length != len(events)
        )
        if not busy and not events[-1].HasField("timer_started_event_attributes"):
            return
        await asyncio.sleep(0.02)
