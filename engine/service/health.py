"""gRPC health and reflection, loaded at the first call: they are not on the way to a ready server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

from engine.service.rpc_table import OPERATOR_SERVICE, WORKFLOW_SERVICE, GenericHandler, MethodHandler

__all__ = ["HealthAndReflection"]

_HEALTH = "grpc.health.v1.Health"
_REFLECTION = "grpc.reflection.v1alpha.ServerReflection"
# The same messages under a later name.
_REFLECTION_V1 = "grpc.reflection.v1.ServerReflection"


class _Collector:
    """Stands in for a server where generated code wants to register handlers."""

    def __init__(self) -> None:
        self.handlers: list[GenericHandler] = []

    def add_generic_rpc_handlers(self, handlers: Sequence[GenericHandler]) -> None:
        self.handlers += handlers

    def add_registered_method_handlers(self, service: str, handlers: object) -> None:
        """Ignore the other form of the same handlers."""


@cache
def _health_handlers() -> GenericHandler:
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc

    servicer = health.aio.HealthServicer()  # type: ignore[attr-defined]
    # Its setter is a coroutine for the sake of watchers; there is none yet.
    for name in (WORKFLOW_SERVICE.full_name, OPERATOR_SERVICE.full_name):
        servicer._server_status[name] = health_pb2.HealthCheckResponse.SERVING
    collector = _Collector()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, collector)
    return collector.handlers[0]


@cache
def _reflection_handlers() -> GenericHandler:
    from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

    names = (WORKFLOW_SERVICE.full_name, OPERATOR_SERVICE.full_name, _HEALTH, _REFLECTION, _REFLECTION_V1)
    collector = _Collector()
    servicer = reflection.aio.ReflectionServicer(names)  # type: ignore[attr-defined]
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, collector)
    return collector.handlers[0]


_LOADERS: dict[str, tuple[str, Callable[[], GenericHandler]]] = {
    _HEALTH: (_HEALTH, _health_handlers),
    _REFLECTION: (_REFLECTION, _reflection_handlers),
    _REFLECTION_V1: (_REFLECTION, _reflection_handlers),
}


class HealthAndReflection(GenericHandler):
    """Finds the handlers of both services, loading them when they are asked for."""

    def service(self, handler_call_details: Any) -> MethodHandler | None:
        """Return the handler of a method, or None for other services."""
        service_name, _, method = handler_call_details.method.removeprefix("/").partition("/")
        if service_name not in _LOADERS:
            return None
        name, load = _LOADERS[service_name]
        details: Any = SimpleNamespace(method=f"/{name}/{method}", invocation_metadata=())
        return load().service(details)
