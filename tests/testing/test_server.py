"""The server of a session: it is there when it is needed, and it is gone when its session is."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.testing.conftest import Project

CONFTEST = """
import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def note_server(dx_server, request):
    Path(__file__).with_name(f"server-{os.getpid()}").write_text(f"{dx_server.pid} {dx_server.address}")
"""

WAITS = """
import time
import multiprocessing


def wait():
    time.sleep(60)


def test_waits(dx_client):
    # A child that holds all that its parent has open, and lives on.
    multiprocessing.get_context("fork").Process(target=wait).start()
    time.sleep(60)
"""

MANY = """
import pytest
from workflows import Greeting, greet


@pytest.mark.parametrize("number", range(8))
async def test_greets(dx_client, dx_worker, number):
    async with dx_worker(workflows=[Greeting], activities=[greet]) as worker:
        result = await dx_client.execute_workflow(
            Greeting.run, "Ada", id="greeting", task_queue=worker.task_queue
        )
    assert result == "Hello, Ada"
"""

NAMESPACES = """
import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.common import SearchAttributeKey, TypedSearchAttributes, SearchAttributePair
from temporalio.service import RPCError
from workflows import Greeting, greet

seen = []


@pytest.mark.parametrize("number", range(3))
async def test_own_namespace(dx_client, dx_namespace, number):
    assert dx_client.namespace == dx_namespace
    assert dx_namespace not in seen
    for gone in seen:
        with pytest.raises(RPCError, match="not found"):
            await dx_client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=gone))
    await dx_client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=dx_namespace))
    seen.append(dx_namespace)


async def test_search_attributes(dx_client):
    customer = SearchAttributeKey.for_keyword("Customer")
    attributes = TypedSearchAttributes([SearchAttributePair(customer, "Ada")])
    handle = await dx_client.start_workflow(
        Greeting.run, "Ada", id="it", task_queue="nobody", search_attributes=attributes
    )
    assert (await handle.describe()).typed_search_attributes[customer] == "Ada"


async def test_dynamic_config(dx_client):
    with pytest.raises(RPCError, match="size"):
        await dx_client.start_workflow(Greeting.run, "x" * 3000, id="it", task_queue="nobody")


async def test_data_converter(dx_client, dx_worker):
    assert dx_client.data_converter.payload_codec is not None
    async with dx_worker(workflows=[Greeting], activities=[greet]) as worker:
        handle = await dx_client.start_workflow(Greeting.run, "Ada", id="it", task_queue=worker.task_queue)
        assert await handle.result() == "Hello, Ada"
    started = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    assert started.input.payloads[0].data == b'"aDA"'
"""

NO_FIXTURES = """
import sys


def test_nothing_is_imported():
    assert "durable_cli.testing.fixtures" in sys.modules
    heavy = {name for name in sys.modules if name.split(".")[0] in {"temporalio", "grpc", "google", "engine", "click"}}
    assert not heavy


def test_names_are_there_for_annotations():
    from durable_cli.testing import ClientOptions, DxServer, DxWorker, ReplayHistories, ServerOptions

    assert "temporalio" in sys.modules
"""


def noted_servers(project: Project) -> list[tuple[int, str]]:
    """Return pid and address of the servers that the sessions of a project had."""
    notes = [file.read_text().split() for file in sorted(project.folder.glob("server-*"))]
    return [(int(pid), address) for pid, address in notes]


def assert_ends(pid: int) -> None:
    until = time.monotonic() + 15
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until, f"{pid} is still there"
        time.sleep(0.05)


def wait_for(folder: Path, pattern: str) -> Path:
    until = time.monotonic() + 30
    while not (found := [path for path in folder.glob(pattern) if path.read_text()]):
        assert time.monotonic() < until
        time.sleep(0.05)
    return found[0]


def test_nothing_is_imported_before_it_is_needed(make_project: Callable[..., Project]) -> None:
    session = make_project(test_imports=NO_FIXTURES).test().passed()
    assert "2 passed" in session.output


def test_a_server_for_each_process_of_xdist(make_project: Callable[..., Project]) -> None:
    project = make_project(ini="asyncio_mode = auto\n", conftest=CONFTEST, test_many=MANY)
    session = project.test("-n", "2").passed()
    assert "8 passed" in session.output
    servers = noted_servers(project)
    assert len({address for _, address in servers}) == len(servers) == 2
    for pid, _ in servers:
        assert_ends(pid)


def test_two_sessions_at_once(make_project: Callable[..., Project]) -> None:
    projects = [make_project(name, ini="asyncio_mode = auto\n", conftest=CONFTEST, test_many=MANY) for name in "ab"]
    processes = [project.launch() for project in projects]
    for process in processes:
        output, _ = process.communicate(timeout=90)
        assert process.returncode == 0, output
    servers = [server for project in projects for server in noted_servers(project)]
    assert len({address for _, address in servers}) == 2


def test_the_server_ends_with_pytest_that_is_killed(make_project: Callable[..., Project]) -> None:
    project = make_project(conftest=CONFTEST, test_waits=WAITS)
    process = project.launch()
    try:
        wait_for(project.folder, "server-*")
        ((pid, _),) = noted_servers(project)
        assert psutil.pid_exists(pid)
        until = time.monotonic() + 15
        while not (forked := [each for each in psutil.Process(process.pid).children() if each.pid != pid]):
            assert time.monotonic() < until
            time.sleep(0.05)
        process.kill()
        assert_ends(pid)
        assert forked[0].is_running()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=10)


def test_the_server_outlives_ctrl_c_until_the_fixtures_are_done(make_project: Callable[..., Project]) -> None:
    waits = """
import asyncio
import time

import pytest


@pytest.fixture
def careful(dx_client):
    yield
    assert asyncio.run(dx_client.service_client.check_health())
    print("the server is still there")


def test_waits(careful, note_server):
    time.sleep(60)
"""
    project = make_project(conftest=CONFTEST, test_waits=waits)
    process = project.launch("-s")
    wait_for(project.folder, "server-*")
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert "the server is still there" in output
    ((pid, _),) = noted_servers(project)
    assert_ends(pid)


OPTIONS = """
import dataclasses

import pytest
from temporalio.converter import DataConverter, PayloadCodec


class SwapCase(PayloadCodec):
    async def encode(self, payloads):
        return [self.swapped(payload) for payload in payloads]

    async def decode(self, payloads):
        return [self.swapped(payload) for payload in payloads]

    def swapped(self, payload):
        payload.data = payload.data.swapcase()
        return payload


@pytest.fixture
def dx_client_options():
    return {"data_converter": dataclasses.replace(DataConverter.default, payload_codec=SwapCase())}
"""


SERVER_OPTIONS = """

@pytest.fixture(scope="session")
def dx_server_options():
    return {"search_attributes": {"Customer": "Keyword"}, "dynamic_config": {"limit.blobSize.error": 2000}}
"""

DX_TOML = """
[server]
dynamic_config = { "limit.blobSize.error" = 2000 }

[search_attributes]
Customer = "Keyword"
"""


@pytest.mark.parametrize("where", ["fixture", "dx.toml"])
def test_namespaces_and_options(make_project: Callable[..., Project], where: str) -> None:
    conftest = OPTIONS + (SERVER_OPTIONS if where == "fixture" else "")
    project = make_project(ini="asyncio_mode = auto\n", conftest=conftest, test_namespaces=NAMESPACES)
    if where == "dx.toml":
        (project.folder / "dx.toml").write_text(DX_TOML)
    assert "6 passed" in project.test().passed().output


def test_a_project_file_that_is_wrong(make_project: Callable[..., Project]) -> None:
    project = make_project(test_it="def test_it(dx_client):\n    pass\n")
    (project.folder / "dx.toml").write_text("[server\n")
    said = project.test().tests["test_it"].said
    assert "dx.toml can't be read: Expected ']' at the end of a table declaration (at line 1, column 8)" in said


@pytest.mark.parametrize(
    ("scope", "name", "value", "said"),
    [
        ("session", "dx_server_options", '{"searchAttributes": {}}', "hint: return some of search_attributes, dynamic"),
        ("session", "dx_server_options", '{"search_attributes": {"A": "Number"}}', "hint: the types are Text, Keyword"),
        ("function", "dx_client_options", '{"namespace": "mine"}', "hint: return some of data_converter, interceptors"),
    ],
)
def test_wrong_options(make_project: Callable[..., Project], scope: str, name: str, value: str, said: str) -> None:
    conftest = f"import pytest\n\n\n@pytest.fixture(scope='{scope}')\ndef {name}():\n    return {value}\n"
    session = make_project(conftest=conftest, test_it="def test_it(dx_client):\n    pass\n").test()
    assert session.tests["test_it"].result == "error"
    assert said in session.tests["test_it"].said


def test_a_server_that_does_not_start(make_project: Callable[..., Project]) -> None:
    conftest = "import sys\n\nsys.executable = '/bin/cat'\n"
    session = make_project(conftest=conftest, test_it="def test_it(dx_server):\n    pass\n").test()
    said = session.tests["test_it"].said
    assert "ServerNotStartedError: the dx server did not start: it ended with exit code 1" in said
    assert "invalid option" in said


def test_a_server_that_ends_too_early(make_project: Callable[..., Project]) -> None:
    tests = """
import os
import signal


def test_kills_it(dx_server, dx_client):
    os.kill(dx_server.pid, signal.SIGKILL)


def test_finds_it_killed(dx_client):
    pass
"""
    session = make_project(test_it=tests).test()
    for name in ("test_kills_it", "test_finds_it_killed"):
        assert "ServerEndedError: the dx server has ended with exit code -9" in session.tests[name].said
