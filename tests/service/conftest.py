"""A real server process for the tests of a module, and raw gRPC stubs to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import pytest
from temporalio.api.operatorservice.v1.service_pb2_grpc import OperatorServiceStub
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub

from tests.support.server_process import ServerProcess, launch_dx, running


@dataclass
class Stubs:
    """Both services on one channel."""

    channel: grpc.Channel
    workflow: WorkflowServiceStub
    operator: OperatorServiceStub


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that the tests of a module share; each uses its own workflow ids and task queues."""
    with running(launch_dx(tmp_path_factory.mktemp("server"), "--search-attribute", "OwnKeyword=Keyword")) as process:
        yield process


@pytest.fixture(scope="module")
def stubs(server: ServerProcess) -> Iterator[Stubs]:
    """Stubs on a channel to that server."""
    with grpc.insecure_channel(server.address) as channel:
        yield Stubs(channel, WorkflowServiceStub(channel), OperatorServiceStub(channel))
