"""Starting and stopping: what can't be served is one clear line, and a signal ends everything at once."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import grpc
import pytest
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.operatorservice.v1.service_pb2_grpc import OperatorServiceStub
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
)
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub

from tests.service import raw
from tests.support.server_process import (
    PROJECT_FOLDER,
    dx_command,
    find_free_port,
    launch_dx,
    running,
)


def _fail_to_start(folder: Path, *arguments: str, port: int = 0) -> str:
    """Start a server that can't start; return its stderr."""
    result = subprocess.run(
        [*dx_command(), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT_FOLDER)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert result.returncode == 1, result
    assert result.stdout == ""
    first, blank, hint = result.stderr.rstrip("\n").split("\n")
    assert blank == ""
    assert hint.startswith("hint: ")
    return first


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"port {port} on 127.0.0.1 is in use" in _fail_to_start(tmp_path, port=port)


def test_an_address_of_another_machine(tmp_path: Path) -> None:
    assert "can't listen on 192.0.2.1" in _fail_to_start(tmp_path, "--ip", "192.0.2.1")


def test_a_second_server_on_one_file(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    with running(launch_dx(tmp_path, db_filename=file)):
        assert "another server uses the database file" in _fail_to_start(tmp_path, "--db-filename", str(file))


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("these are notes, not a database\n")
    assert "is not a SQLite database" in _fail_to_start(tmp_path, "--db-filename", str(file))
    assert file.read_text() == "these are notes, not a database\n"


def test_a_database_of_another_program(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE things (name TEXT)")
    connection.close()
    before = file.read_bytes()
    assert "is a SQLite database of another program" in _fail_to_start(tmp_path, "--db-filename", str(file))
    assert file.read_bytes() == before


def test_a_database_of_a_newer_version(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    launch_dx(tmp_path, db_filename=file).stop()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 1000")
    connection.close()
    before = file.read_bytes()
    assert "was written by a newer dx" in _fail_to_start(tmp_path, "--db-filename", str(file))
    assert file.read_bytes() == before


def test_a_file_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    line = _fail_to_start(tmp_path, "--db-filename", str(tmp_path / "nowhere" / "history.db"))
    assert "folder of the database file does not exist" in line


def test_a_reserved_search_attribute(tmp_path: Path) -> None:
    line = _fail_to_start(tmp_path, "--search-attribute", "WorkflowId=Keyword")
    assert "Search attribute WorkflowId is reserved by system" in line


def test_namespaces_and_search_attributes_are_there_from_the_start(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    flags = ["--namespace", "mine", "--search-attribute", "Colours=KeywordList"]
    for extra in (flags, []):
        with (
            running(launch_dx(tmp_path, *extra, db_filename=file)) as server,
            grpc.insecure_channel(server.address) as channel,
        ):
            described = WorkflowServiceStub(channel).DescribeNamespace(DescribeNamespaceRequest(namespace="mine"))
            assert described.namespace_info.name == "mine"
            for namespace in ("default", "mine"):
                listed = OperatorServiceStub(channel).ListSearchAttributes(
                    ListSearchAttributesRequest(namespace=namespace)
                )
                assert dict(listed.custom_attributes) == {"Colours": 7}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_stops_at_once_with_long_polls_open(tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "history.db"
    server = launch_dx(tmp_path, db_filename=file)
    with running(server), grpc.insecure_channel(server.address) as channel:
        stub = WorkflowServiceStub(channel)
        stub.StartWorkflowExecution(raw.start("kept"))
        first = stub.GetWorkflowExecutionHistory(
            GetWorkflowExecutionHistoryRequest(
                namespace="default", execution=raw.execution("kept"), wait_new_event=True
            )
        )
        calls = [
            stub.PollWorkflowTaskQueue.future(raw.poll_workflow("idle"), timeout=60),
            stub.PollActivityTaskQueue.future(raw.poll_activity("idle"), timeout=60),
            stub.GetWorkflowExecutionHistory.future(
                GetWorkflowExecutionHistoryRequest(
                    namespace="default",
                    execution=raw.execution("kept"),
                    wait_new_event=True,
                    next_page_token=first.next_page_token,
                ),
                timeout=60,
            ),
        ]
        time.sleep(0.5)
        assert not any(call.done() for call in calls)
        started = time.monotonic()
        server.process.send_signal(number)
        assert server.process.wait(timeout=10) == 0
        assert time.monotonic() - started < 3
        for call in calls:
            assert call.code() in (grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    assert "Traceback" not in server.log.read_text()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("history.db")] == ["history.db"]


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    with running(launch_dx(tmp_path, db_filename=file)) as server:
        with grpc.insecure_channel(server.address) as channel:
            run_id = WorkflowServiceStub(channel).StartWorkflowExecution(raw.start("survivor")).run_id
        server.kill()
    with (
        running(launch_dx(tmp_path, db_filename=file)) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        stub = WorkflowServiceStub(channel)
        described = stub.DescribeWorkflowExecution(
            DescribeWorkflowExecutionRequest(namespace="default", execution=raw.execution("survivor"))
        )
        assert described.workflow_execution_info.execution.run_id == run_id
        task = stub.PollWorkflowTaskQueue(raw.poll_workflow("survivor"), timeout=raw.POLL_SECONDS)
        assert task.workflow_execution.run_id == run_id


def test_a_module_of_the_users_own_named_engine(tmp_path: Path) -> None:
    """Neither the folder nor PYTHONPATH decides what `engine` means to the server."""
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "__init__.py").write_text("raise RuntimeError('the wrong engine')\n")
    (tmp_path / "engine.py").write_text("raise RuntimeError('the wrong engine')\n")
    port = find_free_port()
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{PROJECT_FOLDER}"}
    process = subprocess.Popen(
        [*dx_command(), "server", "start-dev", "--port", str(port)],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(20, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        assert "is ready" in "".join(lines)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
