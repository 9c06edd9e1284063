"""gRPC health and reflection, as the usual tools ask for them."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
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


def test_a_watch_says_how_it_is_and_stays(stubs: Stubs) -> None:
    stub = health_pb2_grpc.HealthStub(stubs.channel)
    known = stub.Watch(health_pb2.HealthCheckRequest(service=WORKFLOW_SERVICE), timeout=2)
    assert next(known).status == health_pb2.HealthCheckResponse.SERVING
    unknown = stub.Watch(health_pb2.HealthCheckRequest(service="nobody"), timeout=1)
    assert next(unknown).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    with pytest.raises(grpc.RpcError) as late:
        next(unknown)
    assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    known.cancel()
    with pytest.raises(grpc.RpcError):
        next(known)


def test_reflection_describes_every_rpc(stubs: Stubs) -> None:
    database = ProtoReflectionDescriptorDatabase(stubs.channel)
    assert {WORKFLOW_SERVICE, OPERATOR_SERVICE} <= set(database.get_services())
    described = DescriptorPool(database).FindServiceByName(WORKFLOW_SERVICE)
    assert described.FindMethodByName("StartWorkflowExecution").input_type.fields_by_name["workflow_id"].number == 2


def test_reflection_describes_the_services_for_tools_too(stubs: Stubs) -> None:
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(stubs.channel))
    check = pool.FindServiceByName("grpc.health.v1.Health").FindMethodByName("Check")
    assert check.output_type.fields_by_name["status"].enum_type.values_by_name["SERVING"].number == 1
    for name in ("grpc.reflection.v1alpha", "grpc.reflection.v1"):
        request = pool.FindMessageTypeByName(f"{name}.ServerReflectionRequest")
        ours = {(field.name, field.number, field.type) for field in request.fields}
        official = reflection_pb2.ServerReflectionRequest.DESCRIPTOR.fields
        assert ours == {(field.name, field.number, field.type) for field in official}
        response = pool.FindMessageTypeByName(f"{name}.ServerReflectionResponse")
        ours = {(field.name, field.number, field.type) for field in response.fields}
        official = reflection_pb2.ServerReflectionResponse.DESCRIPTOR.fields
        assert ours == {(field.name, field.number, field.type) for field in official}


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_under_both_names(version: str, stubs: Stubs) -> None:
    Request = reflection_pb2.ServerReflectionRequest  # noqa: N806
    call = stubs.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=Request.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    requests = [
        Request(list_services="", host="here"),
        Request(file_by_filename="temporal/api/common/v1/message.proto"),
        Request(file_containing_symbol="temporal.api.nothing"),
        Request(all_extension_numbers_of_type="google.protobuf.MethodOptions"),
        Request(
            file_containing_extension=reflection_pb2.ExtensionRequest(
                containing_type="google.protobuf.MethodOptions", extension_number=72295728
            )
        ),
        Request(),
    ]
    services, file, unknown, numbers, extension, nothing = call(iter(requests), timeout=5)
    assert WORKFLOW_SERVICE in {service.name for service in services.list_services_response.service}
    assert (services.valid_host, services.original_request) == ("here", requests[0])
    names = [FileDescriptorProto.FromString(each).name for each in file.file_descriptor_response.file_descriptor_proto]
    assert names[0] == "temporal/api/common/v1/message.proto"
    assert "google/protobuf/duration.proto" in names
    assert unknown.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert 72295728 in numbers.all_extension_numbers_response.extension_number
    annotations = FileDescriptorProto.FromString(extension.file_descriptor_response.file_descriptor_proto[0])
    assert annotations.name == "google/api/annotations.proto"
    assert nothing.error_response.error_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
