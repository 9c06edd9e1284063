"""The admin service: the clock of a local server, for callers on its machine."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub

from engine.service.admin_service import ADMIN_SERVICE, HANDLERS
from engine.service.tooling_protos import ADMIN_METHODS
from engine.service.transport.call import is_loopback
from tests.service import raw
from tests.support.server_process import ServerProcess, launch_dx, running

DAY = 86_400


def admin_rpc(channel: grpc.Channel, method: str) -> Any:
    return channel.unary_unary(
        f"/{ADMIN_SERVICE}/{method}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=Struct.FromString,
    )


def call(channel: grpc.Channel, method: str, request: Message | None = None) -> dict[str, Any]:
    """Call the admin service."""
    described: dict[str, Any] = MessageToDict(admin_rpc(channel, method)(request or Empty(), timeout=30))
    return described


def seconds_between(first: dict[str, Any], second: dict[str, Any], name: str = "time") -> float:
    start, end = (datetime.fromisoformat(each[name][:19]) for each in (first, second))
    return (end - start).total_seconds()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of this module's own: its time goes."""
    folder = tmp_path_factory.mktemp("server")
    with running(launch_dx(folder, db_filename=folder / "history.db")) as process:
        yield process


@pytest.fixture
def channel(server: ServerProcess) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.address) as channel:
        yield channel
        call(channel, "ResumeTime")


def test_the_clock_is_the_systems_at_first(channel: grpc.Channel) -> None:
    described = call(channel, "DescribeTime")
    assert set(described) == {"time", "systemTime", "offset", "mode"}
    assert (described["mode"], described["offset"], described["time"][:19]) == (
        "running",
        "0s",
        described["systemTime"][:19],
    )


def test_a_skip_passes_the_deadlines_on_the_way(channel: grpc.Channel) -> None:
    stub = WorkflowServiceStub(channel)
    stub.StartWorkflowExecution(raw.start("skipped", workflow_start_delay=Duration(seconds=DAY)))
    before = call(channel, "DescribeTime")
    assert before["next"]["workflowId"] == "skipped"
    assert before["next"]["kind"] == "first workflow task"
    skipping = admin_rpc(channel, "SkipTime").future(Duration(seconds=2 * DAY), timeout=30)
    task = stub.PollWorkflowTaskQueue(raw.poll_workflow("skipped"), timeout=raw.POLL_SECONDS)
    working = call(channel, "DescribeTime")
    assert DAY <= seconds_between(before, working) < DAY + 60
    assert working["waitsFor"] == {
        "kind": "workflow task",
        "name": "RawWorkflow",
        "workflowId": "skipped",
        "taskQueue": "skipped",
        "withWorker": True,
    }
    stub.RespondWorkflowTaskCompleted(
        RespondWorkflowTaskCompletedRequest(
            namespace="default", task_token=task.task_token, commands=[raw.complete_workflow("done")]
        )
    )
    after = MessageToDict(skipping.result())
    assert after["skippedDeadlines"] == 1
    assert 2 * DAY <= seconds_between(before, after) < 2 * DAY + 60
    assert "next" not in after


def test_modes(channel: grpc.Channel) -> None:
    assert call(channel, "PauseTime")["mode"] == "paused"
    first, second = call(channel, "DescribeTime"), call(channel, "DescribeTime")
    assert (first["time"], first["mode"]) == (second["time"], "paused")
    assert call(channel, "JumpWhenIdle")["mode"] == "auto"
    assert call(channel, "ResumeTime")["mode"] == "running"


@pytest.mark.parametrize("duration", [Duration(), Duration(seconds=-1), Duration(seconds=10**12)])
def test_a_bad_duration_is_refused(channel: grpc.Channel, duration: Duration) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        call(channel, "SkipTime", duration)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_the_clock_and_its_histories_outlive_the_server(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    with running(launch_dx(tmp_path, db_filename=file)) as first, grpc.insecure_channel(first.address) as channel:
        delayed = raw.start("kept", workflow_start_delay=Duration(seconds=31 * DAY))
        WorkflowServiceStub(channel).StartWorkflowExecution(delayed)
        call(channel, "SkipTime", Duration(seconds=30 * DAY))
        before = call(channel, "PauseTime")
        first.kill()
    with running(launch_dx(tmp_path, db_filename=file)) as second, grpc.insecure_channel(second.address) as channel:
        after = call(channel, "DescribeTime")
        assert (after["time"], after["mode"], after["next"]) == (before["time"], "paused", before["next"])
        assert seconds_between(after, call(channel, "ResumeTime")) <= 60


def test_it_answers_nobody_from_elsewhere(tmp_path: Path) -> None:
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        address = probe.getsockname()[0]
    with running(launch_dx(tmp_path, "--ip", "0.0.0.0")) as server:
        with grpc.insecure_channel(f"{address}:{server.port}") as channel:
            for method in HANDLERS:
                with pytest.raises(grpc.RpcError) as refused:
                    call(channel, method, Duration(seconds=1) if method == "SkipTime" else Empty())
                assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
                assert "on the server's own machine only" in refused.value.details()
        with grpc.insecure_channel(server.address) as channel:
            assert call(channel, "DescribeTime")["mode"] == "running"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.1.7", False),
        ("::ffff:192.168.1.7", False),
        ("fe80::1%eth0", False),
        ("2001:db8::1", False),
    ],
)
def test_which_addresses_are_this_machine(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_reflection_describes_it(channel: grpc.Channel) -> None:
    database = ProtoReflectionDescriptorDatabase(channel)
    assert ADMIN_SERVICE in database.get_services()
    described = DescriptorPool(database).FindServiceByName(ADMIN_SERVICE)
    assert {method.name: method.input_type.name for method in described.methods} == ADMIN_METHODS
    assert {method.output_type.full_name for method in described.methods} == {"google.protobuf.Struct"}
    assert {name: request.DESCRIPTOR.name for name, (request, _) in HANDLERS.items()} == ADMIN_METHODS
