"""Servers that are not there, refuse, are silent, or are none: each screen says what is so, and goes on by itself."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.operatorservice.v1 import DeleteNamespaceRequest
from temporalio.api.operatorservice.v1.service_pb2_grpc import OperatorServiceStub
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    GetSystemInfoResponse,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)
from temporalio.api.workflowservice.v1.service_pb2_grpc import (
    WorkflowServiceServicer,
    WorkflowServiceStub,
    add_WorkflowServiceServicer_to_server,
)
from textual.message import Message
from textual.pilot import Pilot

from durable_cli.options import ConnectionOptions, GlobalOptions
from durable_cli.tui.app import BrowserApp
from durable_cli.tui.dialogs.form import FormDialog
from durable_cli.tui.feed.link import Link
from durable_cli.tui.messages import Connection, ConnectionChanged
from durable_cli.tui.places import PLACES, Place
from durable_cli.tui.screens.workflow import WorkflowScreen
from tests.cli.conftest import Stage
from tests.support.certificates import make_authority, make_certificate
from tests.support.server_process import find_free_port, launch_dx, launch_reference, running
from tests.support.tls_front import tls_front
from tests.tui.conftest import browser_process, browsing, screen_text, until

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")


async def visit_places(app: BrowserApp, pilot: Pilot[None], said: str, places: Sequence[Place] = PLACES) -> None:
    """See that every place says it, and that the keys work meanwhile."""
    for place in places:
        await pilot.press(place.key)
        await until(lambda place=place: app.current_mode == place.name, "the place is shown")
        await until(lambda: said in screen_text(app), f"it says {said!r}")
    await pilot.press(PLACES[0].key)
    assert not app._notifications


class Refuser(WorkflowServiceServicer):
    """Answers GetSystemInfo, or refuses even that; knows nothing else."""

    def __init__(self, status: grpc.StatusCode | None) -> None:
        self.status = status

    def GetSystemInfo(self, request: Any, context: Any) -> GetSystemInfoResponse:  # noqa: N802
        if self.status is not None:
            context.abort(self.status, "Request unauthorized.")
        return GetSystemInfoResponse(server_version="1.0.0")


@contextmanager
def refusing(status: grpc.StatusCode | None) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(4))
    add_WorkflowServiceServicer_to_server(Refuser(status), server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield address
    server.stop(None).wait()


class Page(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving_a_page() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


async def test_nothing_listens_and_then_a_server_does(tmp_path: Path) -> None:
    port = find_free_port()
    async with browsing(f"127.0.0.1:{port}") as (app, pilot):
        await visit_places(app, pilot, f"nothing listens at 127.0.0.1:{port}")
        assert "it is tried again by itself" in screen_text(app)
        with running(await asyncio.to_thread(launch_dx, tmp_path, port=port)):
            await until(lambda: "No workflows in namespace default yet" in screen_text(app), "it is connected")
            assert "nothing listens" not in screen_text(app)
            assert f"--task-queue my-queue --address 127.0.0.1:{port}" in screen_text(app)


async def test_an_action_without_a_server_is_refused_rather_than_done_later() -> None:
    async with browsing(workflow_id="any") as (app, pilot):
        await until(lambda: "nothing listens" in screen_text(app), "it says so")
        await pilot.press("c")
        await until(lambda: "Cancel" in screen_text(app), "it asks")
        await pilot.press("y")
        await until(lambda: len(app._notifications) == 1, "it says that there is no server")
        (notification,) = app._notifications
        assert notification.message.startswith("nothing was done")
        assert "tried again" not in notification.message
        await pilot.press("s")
        await until(lambda: isinstance(app.screen, FormDialog), "the form opens")
        await pilot.press(*"release", "tab", *"[1, 2]", "ctrl+s")
        await until(lambda: "nothing was done" in screen_text(app), "it says that there is no server")
        assert isinstance(app.screen, FormDialog), "what was typed stays"
        assert "release" in screen_text(app)
        assert "[1, 2]" in screen_text(app)
    async with browsing() as (app, pilot):
        await until(lambda: "nothing listens" in screen_text(app), "it says so")
        await pilot.press("r")
        await until(lambda: len(app._notifications) == 1, "it can't be asked anew")
        assert "0 runs" not in screen_text(app)
    async with browsing() as (app, pilot):
        await until(lambda: "nothing listens" in screen_text(app), "it says so")
        await pilot.press("n")
        await until(lambda: len(app._notifications) == 1, "it says that there is no server")


@needs_openssl
async def test_tls(stage: Stage, tmp_path: Path) -> None:
    authority, other = make_authority(tmp_path), make_authority(tmp_path, "other")
    own = make_certificate(tmp_path, "server", names="IP:127.0.0.1")
    client, client_key = make_certificate(tmp_path, "client")
    old = make_certificate(tmp_path, "old", names="IP:127.0.0.1", days=-1)
    with (
        tls_front(stage.server.address, own) as secure,
        tls_front(stage.server.address, own, client_authority=authority) as mutual,
        tls_front(stage.server.address, old) as expired,
    ):
        for address, options, said in (
            (secure, {}, "does not answer as a Temporal server"),
            (stage.server.address, {"tls": True}, "does not speak TLS"),
            (secure, {"tls_ca_path": str(other)}, "has a certificate that is not trusted"),
            (secure, {"tls_ca_path": str(authority), "tls_server_name": "x.example"}, "for another name"),
            (expired, {"tls_ca_path": str(authority)}, "has a certificate that has expired"),
            (mutual, {"tls_ca_path": str(authority)}, "--tls-cert-path"),
        ):
            async with browsing(connection=ConnectionOptions(address=address, **options)) as (app, pilot):
                await until(lambda said=said: said in screen_text(app), f"it says {said!r}")
                await pilot.press("8")
                await until(lambda said=said: said in screen_text(app), "another screen says so, too")
        credentials = {"tls_cert_path": str(client), "tls_key_path": str(client_key), "tls_ca_path": str(authority)}
        async with browsing(connection=ConnectionOptions(address=mutual, **credentials)) as (app, _):
            await until(lambda: "run" in screen_text(app).splitlines()[2], "it is connected")


@pytest.mark.parametrize("status", [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED])
async def test_a_refused_key(status: grpc.StatusCode) -> None:
    with refusing(status) as address:
        options = ConnectionOptions(address=address, api_key="wrong", tls=False)
        async with browsing(connection=options) as (app, pilot):
            await visit_places(app, pilot, "refused the credentials: Request unauthorized", PLACES[:2])
            assert "check --api-key" in screen_text(app)


async def test_a_server_that_knows_no_rpc_but_one() -> None:
    with refusing(None) as address:
        async with browsing(address, workflow_id="any") as (app, pilot):
            await until(lambda: "does not offer this" in screen_text(app), "the workflow says so")
            await pilot.press("escape")
            await until(lambda: not isinstance(app.screen, WorkflowScreen), "back at the list")
            for place in PLACES:
                await pilot.press(place.key)
                said = {"workflows": "does not offer this", "server": "version 1.0.0", "dev": "No project here"}.get(
                    place.name, "This server has no "
                )
                await until(lambda said=said: said in screen_text(app), f"{place.name}: it says {said!r}")
            assert not app._notifications


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nowhere.invalid:7233", "the host of 'nowhere.invalid:7233' can't be found"),
        ("localhost:port", "the address 'localhost:port' can't be used"),
        ("http://localhost:7233", "has a scheme"),
    ],
)
async def test_a_wrong_address(address: str, said: str) -> None:
    async with browsing(address) as (app, pilot):
        await visit_places(app, pilot, said, PLACES[:2])


async def test_what_is_no_grpc_server() -> None:
    with serving_a_page() as address:
        async with browsing(address) as (app, pilot):
            await visit_places(
                app, pilot, f"what listens at {address} does not answer as a Temporal server", PLACES[:2]
            )


@pytest.mark.parametrize(
    ("text", "profile", "said"),
    [("this is not TOML\n", None, "the client configuration can't be used"), ("", "nope", "nope")],
    ids=["file", "profile"],
)
async def test_a_configuration_that_is_mended(
    stage: Stage, tmp_path: Path, text: str, profile: str | None, said: str
) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text(text)
    async with browsing(connection=ConnectionOptions(), config_file=file, profile=profile) as (app, pilot):
        await visit_places(app, pilot, said, PLACES[:2])
        file.write_text(f'[profile.{profile or "default"}]\naddress = "{stage.server.address}"\n')
        await until(lambda: stage.server.address in screen_text(app).splitlines()[0], "it is connected")
        await until(lambda: said not in "\n".join(screen_text(app).splitlines()[2:]), "the note goes away")


async def test_a_namespace_that_does_not_exist(stage: Stage) -> None:
    async with browsing(stage.server.address, namespace="nowhere") as (app, pilot):
        await until(lambda: "can't list workflows" in screen_text(app), "it says so")
        assert "another one: n in a list" in screen_text(app)
        await pilot.press("n")
        await until(lambda: "other" in screen_text(app), "there are some to choose from")
        await pilot.press(*"other", "enter")
        await until(lambda: "No workflows in namespace other yet" in screen_text(app), "it is all right there")
        assert "can't list" not in screen_text(app)


async def test_an_empty_namespace_and_a_filter_that_matches_nothing(stage: Stage) -> None:
    async with browsing(stage.server.address, namespace="other") as (app, pilot):
        await until(lambda: "No workflows in namespace other yet" in screen_text(app), "it says so")
        assert "dx workflow start --type MyWorkflow" in screen_text(app)
        assert "--namespace other" in screen_text(app)
        await pilot.press("slash", *"WorkflowId = 'x'", "enter")
        await until(lambda: "No workflow in namespace other matches" in screen_text(app), "it says so")
        await pilot.press("slash", *["backspace"] * 20, "enter")
        await until(lambda: "No workflows in namespace other yet" in screen_text(app), "all of nothing")
        await asyncio.to_thread(stage.start, "Waiter", "--namespace", "other")
        await until(
            lambda: "● Running" in screen_text(app) and "No workflow" not in screen_text(app), "the first one is listed"
        )


async def test_a_workflow_that_does_not_exist(stage: Stage) -> None:
    async with browsing(stage.server.address, workflow_id="no-such") as (app, _):
        await until(lambda: "can't describe workflow 'no-such'" in screen_text(app), "it says so")
        assert "its retention is over" in screen_text(app)
        await asyncio.to_thread(stage.start, "Waiter", name="no-such")
        await until(lambda: "nothing is scheduled" in screen_text(app), "it is read once it is there")
        assert "can't describe" not in screen_text(app)


def start_request(workflow_id: str) -> StartWorkflowExecutionRequest:
    return StartWorkflowExecutionRequest(
        namespace="default",
        workflow_id=workflow_id,
        request_id="1",
        workflow_type=WorkflowType(name="Nobody"),
        task_queue=TaskQueue(name="none"),
    )


@pytest.mark.reference
async def test_a_workflow_that_is_deleted_while_it_is_watched(tmp_path: Path) -> None:
    with running(await asyncio.to_thread(launch_reference, tmp_path)) as server:
        async with grpc.aio.insecure_channel(server.address) as channel:
            service = WorkflowServiceStub(channel)
            await service.StartWorkflowExecution(start_request("passing"))
            async with browsing(server.address, workflow_id="passing") as (app, pilot):
                await until(lambda: "waits for" in screen_text(app), "its history is read")
                await service.DeleteWorkflowExecution(
                    DeleteWorkflowExecutionRequest(
                        namespace="default", workflow_execution=WorkflowExecution(workflow_id="passing")
                    )
                )
                await until(lambda: "it was deleted, its retention is over" in screen_text(app), "it says so")
                await pilot.press("2")
                await until(lambda: "workflow Nobody" in screen_text(app), "what was read is still there")


async def test_a_namespace_that_is_deleted_while_it_is_watched(tmp_path: Path) -> None:
    with running(await asyncio.to_thread(launch_dx, tmp_path, "--namespace", "passing")) as server:
        async with browsing(server.address, namespace="passing") as (app, _):
            await until(lambda: "No workflows in namespace passing yet" in screen_text(app), "it is watched")
            async with grpc.aio.insecure_channel(server.address) as channel:
                await OperatorServiceStub(channel).DeleteNamespace(DeleteNamespaceRequest(namespace="passing"))
            await until(lambda: "can't list workflows: " in screen_text(app), "it says so")
            assert "another one: n in a list" in screen_text(app)


async def test_a_silent_server_is_said_and_heard_again(tmp_path: Path) -> None:
    with running(await asyncio.to_thread(launch_dx, tmp_path)) as server:
        async with browsing(server.address) as (app, pilot):
            await until(lambda: "No workflows" in screen_text(app), "it is connected")
            os.kill(server.pid, signal.SIGSTOP)
            try:
                await until(lambda: "has not answered for" in screen_text(app), "it says so")
                await pilot.press("3")
                await until(lambda: app.current_mode == "task_queues", "the keys work")
                assert "has not answered for" in screen_text(app)
            finally:
                os.kill(server.pid, signal.SIGCONT)
            await until(lambda: "No task queues in namespace default" in screen_text(app), "it is heard again")
            assert "has not answered" not in screen_text(app)
            await pilot.press("1")
            await until(lambda: "No workflows" in screen_text(app), "the first place is well, too")
            assert "has not answered" not in screen_text(app)


async def test_silence_is_said_also_when_another_question_was_answered_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("durable_cli.tui.feed.link.SLOW_SECONDS", 0.4)
    said: list[Message] = []
    with running(await asyncio.to_thread(launch_dx, tmp_path)) as server:
        link = Link(GlobalOptions(disable_config_env=True), ConnectionOptions(address=server.address), said.append)
        connecting = asyncio.create_task(link.keep_connected())
        async with link.asking("wait for nothing"):
            await asyncio.sleep(0.2)
            async with link.asking("be answered at once"):
                pass
            said.clear()
            await until(lambda: bool(said), "it says so")
        assert [cast(ConnectionChanged, message).connection for message in said] == [
            Connection.SLOW,
            Connection.CONNECTED,
        ]
        connecting.cancel()


async def test_a_server_that_goes_and_comes_back_is_found_from_every_screen(tmp_path: Path) -> None:
    database = tmp_path / "dev.db"
    with running(launch_dx(tmp_path, db_filename=database)) as first:
        async with browsing(first.address) as (app, pilot):
            for place in PLACES:  # all of them have seen the server
                await pilot.press(place.key)
                await until(lambda: "●" in screen_text(app).splitlines()[0], "it is connected")
            await asyncio.to_thread(first.stop)
            await visit_places(app, pilot, f"nothing listens at {first.address}")
            again = await asyncio.to_thread(launch_dx, tmp_path, port=first.port, db_filename=database)
            with running(again):
                for place in PLACES:
                    await pilot.press(place.key)
                    await until(lambda: "nothing listens" not in screen_text(app), "the note goes away")
                    await until(lambda: "●" in screen_text(app).splitlines()[0], "it is connected")


async def test_a_lost_server_is_noticed_where_nothing_is_asked_of_it(tmp_path: Path) -> None:
    with running(await asyncio.to_thread(launch_dx, tmp_path)) as server:
        async with grpc.aio.insecure_channel(server.address) as channel:
            service, execution = WorkflowServiceStub(channel), WorkflowExecution(workflow_id="over")
            await service.StartWorkflowExecution(start_request("over"))
            await service.TerminateWorkflowExecution(
                TerminateWorkflowExecutionRequest(namespace="default", workflow_execution=execution)
            )
        async with browsing(server.address, workflow_id="over") as (app, _):
            await until(lambda: "■ Terminated" in screen_text(app), "it is read")
            await asyncio.to_thread(server.stop)
            await until(lambda: f"nothing listens at {server.address}" in screen_text(app), "it says so")
            assert "■ Terminated" in screen_text(app)


def test_the_browser_ends_while_a_server_is_silent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        words = ("--address", f"127.0.0.1:{listener.getsockname()[1]}", "--client-connect-timeout", "1h")
        with browser_process(tmp_path, *words) as quit_it:
            connection, _ = listener.accept()
            quit_it()
            connection.close()
