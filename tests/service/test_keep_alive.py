"""Keep-alive pings of clients that have nothing to say are welcome, however many come."""

from __future__ import annotations

import time

import grpc
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub

from tests.support.server_process import ServerProcess

# A server that minds pings (grpc's default is one in five minutes) ends the connection within these seconds.
PING_INTERVAL_MS = 300
IDLE_SECONDS = 4


def test_an_idle_client_that_pings_keeps_its_connection(server: ServerProcess) -> None:
    options = [
        ("grpc.keepalive_time_ms", PING_INTERVAL_MS),
        ("grpc.keepalive_timeout_ms", 2000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    states: list[grpc.ChannelConnectivity] = []
    with grpc.insecure_channel(server.address, options=options) as channel:
        WorkflowServiceStub(channel).GetSystemInfo(GetSystemInfoRequest(), timeout=5)
        channel.subscribe(states.append)
        time.sleep(IDLE_SECONDS)
        assert states == [grpc.ChannelConnectivity.READY]
