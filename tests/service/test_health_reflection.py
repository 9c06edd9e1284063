"""gRPC health and reflection, as the usual tools ask for them."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.service.conftest import Stubs

WORKFLOW_SERVICE = "temporal.api.workflowservice.v1.WorkflowService"
OPERATOR_SERVICE = "temporal.api.operatorservice.v1.OperatorService"


@pytest.mark.parametrize("service", ["", WORKFLOW_SERVICE, OPERATOR_SERVICE])
def test_served_services_are_healthy(service: str, stubs: Stubs) -> None:
    reply = health_pb2_grpc.HealthStub(stubs.channel).Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
    assert reply.status == health_pb2.HealthCheckResponse.SERVING


def test_the_health_of_an_unknown_service_is_unknown(stubs: Stubs) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        health_pb2_grpc.HealthStub(stubs.channel).Check(
            health_pb2.HealthCheckRequest(service="temporal.api.testservice.v1.TestService"), timeout=5
        )
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_describes_every_rpc(stubs: Stubs) -> None:
    database = ProtoReflectionDescriptorDatabase(stubs.channel)
    assert {WORKFLOW_SERVICE, OPERATOR_SERVICE} <= set(database.get_services())
    described = DescriptorPool(database).FindServiceByName(WORKFLOW_SERVICE)
    assert described.FindMethodByName("StartWorkflowExecution").input_type.fields_by_name["workflow_id"].number == 2


def test_reflection_under_its_later_name(stubs: Stubs) -> None:
    call = stubs.channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    (reply,) = call(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=5)
    assert WORKFLOW_SERVICE in {service.name for service in reply.list_services_response.service}
