"""Real clients on a real server: grpcio's two interfaces and the Python SDK.

The official command is in tests/service/test_official_cli.py, the TypeScript SDK in tests/examples.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import grpc
import grpc.aio
import psutil
import pytest
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
    GetWorkflowExecutionHistoryRequest,
    QueryWorkflowRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.service import raw
from tests.service.conftest import Stubs
from tests.support.server_process import ServerProcess, launch_dx, running

PIECE_BYTES = 1_000_000


def _start_with(workflow_id: str, size_bytes: int) -> StartWorkflowExecutionRequest:
    request = raw.start(workflow_id)
    request.input.CopyFrom(Payloads(payloads=[Payload(data=b"x" * size_bytes)]))
    return request


def _grow(stubs: Stubs, workflow_id: str) -> None:
    """Make a history of nearly 4 MB."""
    stubs.workflow.StartWorkflowExecution(_start_with(workflow_id, PIECE_BYTES))
    for _ in range(3):
        request = raw.signal(workflow_id)
        request.input.CopyFrom(Payloads(payloads=[Payload(data=b"x" * PIECE_BYTES)]))
        stubs.workflow.SignalWorkflowExecution(request)


def _history(workflow_id: str) -> GetWorkflowExecutionHistoryRequest:
    return GetWorkflowExecutionHistoryRequest(namespace="default", execution=raw.execution(workflow_id))


def test_large_replies_to_a_client_with_small_windows(server: ServerProcess, stubs: Stubs) -> None:
    _grow(stubs, "large-reply")
    options = [
        ("grpc.http2.lookahead_bytes", 65_535),
        ("grpc.http2.bdp_probe", 0),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    with grpc.insecure_channel(server.address, options=options) as channel, ThreadPoolExecutor(8) as threads:
        stub = WorkflowServiceStub(channel)
        replies = [
            threads.submit(stub.GetWorkflowExecutionHistory, _history("large-reply"), timeout=30) for _ in range(8)
        ]
        for reply in replies:
            assert reply.result().ByteSize() > 4 * PIECE_BYTES


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_compressed_requests(compression: grpc.Compression, server: ServerProcess) -> None:
    with grpc.insecure_channel(server.address, compression=compression) as channel:
        stub = WorkflowServiceStub(channel)
        workflow_id = f"compressed-{compression.name}"
        stub.StartWorkflowExecution(_start_with(workflow_id, PIECE_BYTES), timeout=10)
        assert stub.GetWorkflowExecutionHistory(_history(workflow_id), timeout=10).ByteSize() > PIECE_BYTES


async def test_a_thousand_polls_and_their_cancellation(server: ServerProcess) -> None:
    """They wait on one connection beside other calls, and are gone at once when their client is."""
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub = WorkflowServiceStub(channel)
        polls = [stub.PollWorkflowTaskQueue(raw.poll_workflow("crowded"), timeout=60) for _ in range(1200)]
        tasks = [asyncio.ensure_future(_code(poll)) for poll in polls]
        await asyncio.sleep(2)
        assert not any(task.done() for task in tasks)
        started = time.monotonic()
        await stub.GetSystemInfo(GetSystemInfoRequest(), timeout=5)
        assert time.monotonic() - started < 1
        for poll in polls[:1100]:
            poll.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks[:1100]), 10)
        for number in range(100):
            await stub.StartWorkflowExecution(_queued(f"crowded-{number}", "crowded"), timeout=10)
        codes = await asyncio.wait_for(asyncio.gather(*tasks[1100:]), 20)
        assert codes == [grpc.StatusCode.OK] * 100
        late = await stub.PollWorkflowTaskQueue(raw.poll_workflow("crowded"), timeout=2.5)
        assert not late.task_token


def _queued(workflow_id: str, task_queue: str) -> StartWorkflowExecutionRequest:
    request = raw.start(workflow_id)
    request.task_queue.name = task_queue
    return request


async def _code(call: grpc.aio.UnaryUnaryCall) -> grpc.StatusCode:
    return await call.code()


def test_a_deadline(server: ServerProcess, stubs: Stubs) -> None:
    """A query that no worker answers."""
    stubs.workflow.StartWorkflowExecution(raw.start("asked"))
    request = QueryWorkflowRequest(
        namespace="default", execution=raw.execution("asked"), query=WorkflowQuery(query_type="state")
    )
    started = time.monotonic()
    with pytest.raises(grpc.RpcError) as refused:
        stubs.workflow.QueryWorkflow(request, timeout=1)
    assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert 0.9 < time.monotonic() - started < 3


def test_metadata_that_is_larger_than_a_frame(stubs: Stubs) -> None:
    metadata = [("large", "x" * 100_000), ("large-bin", bytes(range(256)) * 100)]
    stubs.workflow.GetSystemInfo(GetSystemInfoRequest(), metadata=metadata, timeout=5)


def test_connections_come_and_go(tmp_path: Path) -> None:
    """None of them is kept, nor a descriptor of its socket."""
    with running(launch_dx(tmp_path)) as server:
        process = psutil.Process(server.pid)
        before = process.num_fds()
        for _ in range(30):
            options = [("grpc.use_local_subchannel_pool", 1)]
            with grpc.insecure_channel(server.address, options=options) as channel:
                stub = WorkflowServiceStub(channel)
                stub.PollWorkflowTaskQueue.future(raw.poll_workflow("short"), timeout=60)
                stub.GetSystemInfo(GetSystemInfoRequest(), timeout=5)
        until = time.monotonic() + 5
        while process.num_fds() > before and time.monotonic() < until:
            time.sleep(0.05)
        assert process.num_fds() <= before
        with grpc.insecure_channel(server.address) as channel:
            described = WorkflowServiceStub(channel).DescribeTaskQueue(
                DescribeTaskQueueRequest(namespace="default", task_queue=TaskQueue(name="short"), task_queue_type=1)
            )
        assert [poller.identity for poller in described.pollers] in ([], ["tester"])
        assert "Traceback" not in server.log.read_text()


def test_the_server_has_no_grpc_of_its_own(server: ServerProcess) -> None:
    assert not [each.path for each in psutil.Process(server.pid).memory_maps() if "cygrpc" in each.path]


@activity.defn
async def shout(text: str) -> str:
    return text.upper()


@workflow.defn
class Shouting:
    @workflow.run
    async def run(self, text: str) -> str:
        for _ in range(3):
            text = await workflow.execute_activity(shout, text + "!", start_to_close_timeout=timedelta(seconds=10))
        return text


async def test_workers_of_the_sdk(server: ServerProcess) -> None:
    client = await Client.connect(server.address)
    async with Worker(
        client, task_queue="sdk", workflows=[Shouting], activities=[shout], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        results = await asyncio.gather(
            *(client.execute_workflow(Shouting.run, "hi", id=f"sdk-{number}", task_queue="sdk") for number in range(50))
        )
    assert results == ["HI!!!"] * 50


async def test_a_large_result_through_the_sdk(server: ServerProcess) -> None:
    client = await Client.connect(server.address)
    text = "large " * 250_000
    async with Worker(
        client,
        task_queue="sdk-large",
        workflows=[Shouting],
        activities=[shout],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        result = await client.execute_workflow(Shouting.run, text, id="sdk-large", task_queue="sdk-large")
    assert result == text.upper() + "!!!"
