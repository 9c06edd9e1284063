"""The table of RPCs is whole: each one of the protocol is served or refused by name."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor

from engine.service.rpc_table import OPERATOR_SERVICE, SERVED, WORKFLOW_SERVICE
from tests.service.conftest import Stubs

SERVICES = (WORKFLOW_SERVICE, OPERATOR_SERVICE)
METHODS = [method for service in SERVICES for method in service.methods]


def test_the_table_names_only_rpcs_of_the_protocol() -> None:
    assert set(SERVED) == {service.full_name for service in SERVICES}
    for service in SERVICES:
        assert set(SERVED[service.full_name]) <= {method.name for method in service.methods}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_rpc_is_served_or_refused_by_name(method: MethodDescriptor, stubs: Stubs) -> None:
    """An empty request may be refused, but only an RPC that is not in the table is unimplemented."""
    service = method.containing_service.full_name
    call = stubs.channel.unary_unary(f"/{service}/{method.name}")
    try:
        call(b"", timeout=5)
        code, details = grpc.StatusCode.OK, ""
    except grpc.RpcError as error:
        code, details = error.code(), error.details()
    if method.name in SERVED[service]:
        assert code in (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT), details
    else:
        assert (code, details) == (
            grpc.StatusCode.UNIMPLEMENTED,
            f"{method.name} is not implemented by this server",
        )


def test_a_message_that_is_too_large_is_refused_by_the_transport(stubs: Stubs) -> None:
    call = stubs.channel.unary_unary(f"/{WORKFLOW_SERVICE.full_name}/StartWorkflowExecution")
    with pytest.raises(grpc.RpcError) as refused:
        call(b"x" * (4 * 1024 * 1024 + 1), timeout=10)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
