"""The messages of gRPC health and reflection, described here: their packages would bring all of grpc along.

The admin service is described here as well, for reflection.

Source: grpc/health/v1/health.proto, grpc/reflection/v1/reflection.proto (v1alpha is the same under another name).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from google.protobuf import duration_pb2, empty_pb2, struct_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

__all__ = ["ADMIN", "ADMIN_METHODS", "HEALTH", "REFLECTION_PACKAGES", "load_messages", "load_pool"]

ADMIN = "dx.admin.v1"
HEALTH = "grpc.health.v1"
REFLECTION_PACKAGES = ("grpc.reflection.v1", "grpc.reflection.v1alpha")

_SCALARS = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "int32": FieldDescriptorProto.TYPE_INT32,
}

# Message -> fields as `name=number type`; `*` repeats, `|` puts a field into the message's oneof.
_REFLECTION_MESSAGES = {
    "ServerReflectionRequest": (
        "host=1 string",
        "file_by_filename=3 string|",
        "file_containing_symbol=4 string|",
        "file_containing_extension=5 ExtensionRequest|",
        "all_extension_numbers_of_type=6 string|",
        "list_services=7 string|",
    ),
    "ExtensionRequest": ("containing_type=1 string", "extension_number=2 int32"),
    "ServerReflectionResponse": (
        "valid_host=1 string",
        "original_request=2 ServerReflectionRequest",
        "file_descriptor_response=4 FileDescriptorResponse|",
        "all_extension_numbers_response=5 ExtensionNumberResponse|",
        "list_services_response=6 ListServiceResponse|",
        "error_response=7 ErrorResponse|",
    ),
    "FileDescriptorResponse": ("file_descriptor_proto=1 bytes*",),
    "ExtensionNumberResponse": ("base_type_name=1 string", "extension_number=2 int32*"),
    "ListServiceResponse": ("service=1 ServiceResponse*",),
    "ServiceResponse": ("name=1 string",),
    "ErrorResponse": ("error_code=1 int32", "error_message=2 string"),
}


# RPC of the admin service -> its request; every reply is a Struct.
ADMIN_METHODS = {
    "DescribeTime": "Empty",
    "SkipTime": "Duration",
    "PauseTime": "Empty",
    "ResumeTime": "Empty",
    "JumpWhenIdle": "Empty",
}


@cache
def load_pool() -> DescriptorPool:
    """Return a pool with these packages: one of our own, since a process can have a name only once in the default."""
    pool = DescriptorPool()
    pool.Add(_health_file())
    for well_known in (duration_pb2, empty_pb2, struct_pb2):
        pool.AddSerializedFile(well_known.DESCRIPTOR.serialized_pb)
    pool.Add(_admin_file())
    for package in REFLECTION_PACKAGES:
        pool.Add(_reflection_file(package))
    return pool


@cache
def load_messages(package: str) -> Mapping[str, Any]:
    """Return a package's message classes by name."""
    file = load_pool().FindFileContainingSymbol(f"{package}.{'Health' if package == HEALTH else 'ServerReflection'}")
    return {name: GetMessageClass(descriptor) for name, descriptor in file.message_types_by_name.items()}


def _admin_file() -> FileDescriptorProto:
    file = FileDescriptorProto(name="dx/admin/v1/service.proto", package=ADMIN, syntax="proto3")
    file.dependency.extend(f"google/protobuf/{name}.proto" for name in ("duration", "empty", "struct"))
    service = file.service.add(name="AdminService")
    for name, request in ADMIN_METHODS.items():
        service.method.add(name=name, input_type=f".google.protobuf.{request}", output_type=".google.protobuf.Struct")
    return file


def _health_file() -> FileDescriptorProto:
    file = FileDescriptorProto(name="grpc/health/v1/health.proto", package=HEALTH, syntax="proto3")
    request = file.message_type.add(name="HealthCheckRequest")
    request.field.add(name="service", number=1, label=1, type=FieldDescriptorProto.TYPE_STRING)
    response = file.message_type.add(name="HealthCheckResponse")
    status = response.enum_type.add(name="ServingStatus")
    for number, name in enumerate(("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")):
        status.value.add(name=name, number=number)
    type_name = f".{HEALTH}.HealthCheckResponse.ServingStatus"
    response.field.add(name="status", number=1, label=1, type=FieldDescriptorProto.TYPE_ENUM, type_name=type_name)
    service = file.service.add(name="Health")
    for name in ("Check", "Watch"):
        service.method.add(
            name=name,
            input_type=f".{HEALTH}.HealthCheckRequest",
            output_type=f".{HEALTH}.HealthCheckResponse",
            server_streaming=name == "Watch",
        )
    return file


def _reflection_file(package: str) -> FileDescriptorProto:
    file = FileDescriptorProto(name=f"{package.replace('.', '/')}/reflection.proto", package=package, syntax="proto3")
    for name, fields in _REFLECTION_MESSAGES.items():
        message = file.message_type.add(name=name)
        for text in fields:
            field_name, number, type_name = text.replace("=", " ").rstrip("*|").split(" ")
            field = message.field.add(name=field_name, number=int(number), label=3 if text.endswith("*") else 1)
            if type_name in _SCALARS:
                field.type = _SCALARS[type_name]
            else:
                field.type = FieldDescriptorProto.TYPE_MESSAGE
                field.type_name = f".{package}.{type_name}"
            if text.endswith("|"):
                field.oneof_index = 0
        if any(text.endswith("|") for text in fields):
            message.oneof_decl.add(name="message_request" if name.endswith("Request") else "message_response")
    file.service.add(name="ServerReflection").method.add(
        name="ServerReflectionInfo",
        input_type=f".{package}.ServerReflectionRequest",
        output_type=f".{package}.ServerReflectionResponse",
        client_streaming=True,
        server_streaming=True,
    )
    return file
