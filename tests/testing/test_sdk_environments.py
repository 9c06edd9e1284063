"""The SDKs' test environments start `dx` by its path, with every option they have, and end it as they like."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.support.server_process import find_free_port, launch_dx, running

DX = str(Path(sys.executable).with_name("dx"))
DX_TEST_SERVER = str(Path(sys.executable).with_name("dx-test-server"))
TYPESCRIPT = Path(__file__).with_name("typescript")
CUSTOMER = SearchAttributeKey.for_keyword("Customer")

# What the Python SDK's own suite gives its local server, on top of what the SDK itself does.
DYNAMIC_CONFIG = (
    "system.forceSearchAttributesCacheRefreshOnRead=true",
    "limit.historyCount.suggestContinueAsNew=50",
    "system.enableEagerWorkflowStart=true",
    "frontend.enableExecuteMultiOperation=true",
    "frontend.workerVersioningWorkflowAPIs=true",
    "frontend.workerVersioningDataAPIs=true",
    "system.enableDeploymentVersions=true",
    "frontend.activityAPIsEnabled=true",
    "frontend.enableCancelWorkerPollsOnShutdown=true",
    "component.nexusoperations.recordCancelRequestCompletionEvents=true",
    "activity.enableStandalone=true",
    "activity.startDelayEnabled=true",
    "history.enableChasm=true",
    "history.enableTransitionHistory=true",
    "history.enableCHASMCallbacks=true",
    "history.enableCHASMSignalBacklinks=true",
    "nexusoperation.enableStandalone=true",
    'system.refreshNexusEndpointsMinWait="0s"',
    "history.enableSignalWithStartFromWorkflow=true",
    "history.enableUpdateCallbacks=true",
    "activity.enableCallbacks=true",
)
EXTRA = [word for pair in DYNAMIC_CONFIG for word in ("--dynamic-config-value", pair)] + ["--namespace", "second"]


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}"


@workflow.defn
class Greeting:
    """Greets once it is told to."""

    def __init__(self) -> None:
        self.told = False

    @workflow.run
    async def run(self, name: str) -> str:
        await workflow.wait_condition(lambda: self.told)
        return await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=5))

    @workflow.signal
    def tell(self) -> None:
        self.told = True


async def start_environment(db_filename: Path) -> tuple[WorkflowEnvironment, psutil.Process, int]:
    """Start a local environment with every option there is; return it with its server and its UI's port."""
    before = set(psutil.Process().children())
    ui_port = find_free_port()
    environment = await WorkflowEnvironment.start_local(
        namespace="orders",
        port=find_free_port(),
        ui=True,
        ui_port=ui_port,
        search_attributes=[CUSTOMER],
        dev_server_existing_path=DX,
        dev_server_database_filename=str(db_filename),
        dev_server_log_format="json",
        dev_server_log_level="error",
        dev_server_extra_args=EXTRA,
        dev_server_startup_timeout=timedelta(seconds=30),
    )
    (server,) = set(psutil.Process().children()) - before
    return environment, server, ui_port


async def start_greeting(client: Client, workflow_id: str) -> Any:
    attributes = TypedSearchAttributes([SearchAttributePair(CUSTOMER, "Ada")])
    return await client.start_workflow(
        Greeting.run, "Ada", id=workflow_id, task_queue="greetings", search_attributes=attributes
    )


async def finish_greeting(client: Client, workflow_id: str) -> str:
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue="greetings", workflows=[Greeting], activities=[greet], workflow_runner=runner):
        handle = client.get_workflow_handle_for(Greeting.run, workflow_id)
        await handle.signal(Greeting.tell)
        return await handle.result()


def is_running(server: psutil.Process) -> bool:
    return server.is_running() and server.status() != psutil.STATUS_ZOMBIE


async def test_python_with_every_option(tmp_path: Path) -> None:
    environment, server, _ = await start_environment(tmp_path / "history.db")
    try:
        assert server.children() == []
        assert environment.client.namespace == "orders"
        await start_greeting(environment.client, "greeting")
        assert await finish_greeting(environment.client, "greeting") == "Hello, Ada"
        described = await environment.client.get_workflow_handle("greeting").describe()
        assert described.typed_search_attributes[CUSTOMER] == "Ada"
        second = Client(environment.client.service_client, namespace="second")
        assert [each async for each in second.list_workflows()] == []
    finally:
        await environment.shutdown()
    assert not is_running(server)
    with running(launch_dx(tmp_path, db_filename=tmp_path / "history.db")) as kept:
        client = await Client.connect(kept.address, namespace="orders")
        assert await client.get_workflow_handle_for(Greeting.run, "greeting").result() == "Hello, Ada"


async def test_python_with_the_defaults() -> None:
    async with await WorkflowEnvironment.start_local(dev_server_existing_path=DX) as environment:
        handle = await environment.client.start_workflow(Greeting.run, "Ada", id="it", task_queue="greetings")
        assert await finish_greeting(environment.client, handle.id) == "Hello, Ada"


async def test_python_goes_on_after_its_server_was_killed(tmp_path: Path) -> None:
    """The file is whole, and what the server had started for a visitor of its page is gone as well."""
    environment, server, ui_port = await start_environment(tmp_path / "history.db")
    await start_greeting(environment.client, "greeting")
    await asyncio.to_thread(visit, f"http://127.0.0.1:{ui_port}/")
    pages = server.children(recursive=True)
    assert pages
    server.kill()
    await environment.shutdown()
    _, left = await asyncio.to_thread(psutil.wait_procs, [server, *pages], 20)
    assert left == []
    environment, _, _ = await start_environment(tmp_path / "history.db")
    try:
        assert await finish_greeting(environment.client, "greeting") == "Hello, Ada"
    finally:
        await environment.shutdown()


def visit(url: str) -> None:
    with urllib.request.urlopen(url, timeout=60) as page:
        assert page.status == 200


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the TypeScript SDK beside a script that uses its test environment."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node.js and npm are not installed")
    folder = tmp_path_factory.mktemp("typescript") / "project"
    shutil.copytree(TYPESCRIPT, folder, ignore=shutil.ignore_patterns("node_modules"))
    command = [npm, "ci", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Script:
    """A running `environment.js`."""

    def __init__(self, folder: Path, db_filename: Path, workflow_id: str) -> None:
        server = {
            "executable": {"type": "existing-path", "path": DX},
            "dbFilename": str(db_filename),
            "namespace": "orders",
            "ip": "127.0.0.1",
            "port": find_free_port(),
            "ui": True,
            "uiPort": find_free_port(),
            "log": {"format": "json", "level": "error"},
            "searchAttributes": [{"name": "Customer", "type": "KEYWORD"}],
            "extraArgs": EXTRA,
        }
        self._file = db_filename
        self._log = folder / f"{workflow_id}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                ["node", "environment.js", json.dumps({"server": server, "workflowId": workflow_id})],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def answers(self) -> Iterator[dict[str, str]]:
        """Read what the script says; the server says its own things between."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                yield json.loads(line)
        raise AssertionError(self._log.read_text())

    def server(self) -> psutil.Process:
        words = ("start-dev", str(self._file))
        found = (each for each in psutil.process_iter(["cmdline"]) if set(words) <= set(each.info["cmdline"] or ()))
        (server,) = found
        return server

    def end(self) -> None:
        """Let it tear its environment down."""
        self.process.communicate("go on\n", timeout=60)
        assert self.process.returncode == 0, self._log.read_text()


@pytest.mark.needs_node
@pytest.mark.timeout(400)
async def test_typescript_with_every_option(typescript: Path, tmp_path: Path) -> None:
    """Twice on the same file: the SDK ends the first server, the second one is killed."""
    file = tmp_path / "history.db"
    for workflow_id in ("ended", "killed"):
        script = Script(typescript, file, workflow_id)
        try:
            answers = script.answers()
            assert next(answers)["namespace"] == "orders"
            assert next(answers)["result"] == "Hello, Ada"
            server = script.server()
            assert server.children() == []
            if workflow_id == "killed":
                server.kill()
            await asyncio.to_thread(script.end)
        finally:
            script.process.kill()
        assert not is_running(server)
    with running(launch_dx(tmp_path, db_filename=file)) as kept:
        client = await Client.connect(kept.address, namespace="orders")
        for workflow_id in ("ended", "killed"):
            handle = client.get_workflow_handle(workflow_id)
            assert await handle.result() == "Hello, Ada"
            assert (await handle.describe()).typed_search_attributes[CUSTOMER] == "Ada"


@pytest.mark.needs_node
@pytest.mark.timeout(400)
def test_typescript_skips_time(typescript: Path) -> None:
    done = subprocess.run(
        ["node", "time_skipping.js", DX_TEST_SERVER], cwd=typescript, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    days = json.loads(done.stdout.splitlines()[-1])
    assert days == {
        "monthOfTimers": pytest.approx(30, abs=0.01),
        "sleep": pytest.approx(3, abs=0.01),
        "retriesOfAnActivity": pytest.approx(0.5 + 1 + 2, abs=0.01),
    }
