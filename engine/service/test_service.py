"""The TestService of a test server: who may let its clock jump, and who waits for its time.

Source: temporal/api/testservice/v1/service.proto.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from google.protobuf.empty_pb2 import Empty
from temporalio.api.testservice.v1.request_response_pb2 import (
    GetCurrentTimeResponse,
    LockTimeSkippingRequest,
    LockTimeSkippingResponse,
    SleepRequest,
    SleepResponse,
    SleepUntilRequest,
    UnlockTimeSkippingRequest,
    UnlockTimeSkippingResponse,
)

from engine.core.policy.durations import duration_to_ns, ns_to_timestamp, timestamp_to_ns
from engine.service.rpc_table import Handler
from engine.service.service import Call, Service
from engine.service.transport.routes import Route

__all__ = ["HANDLERS", "TEST_SERVICE", "test_service_routes"]

TEST_SERVICE = "temporal.api.testservice.v1.TestService"


async def lock_time_skipping(
    service: Service, request: LockTimeSkippingRequest, call: Call
) -> LockTimeSkippingResponse:
    """Lock once more."""
    service.engine.time_control.lock()
    return LockTimeSkippingResponse()


async def unlock_time_skipping(
    service: Service, request: UnlockTimeSkippingRequest, call: Call
) -> UnlockTimeSkippingResponse:
    """Take back a lock; with the last one the clock may jump."""
    service.engine.time_control.unlock()
    return UnlockTimeSkippingResponse()


async def sleep(service: Service, request: SleepRequest, call: Call) -> SleepResponse:
    """Answer when the clock has gone on by the duration."""
    engine = service.engine
    await engine.time_control.sleep_until(engine.env.now_ns() + duration_to_ns(request.duration))
    return SleepResponse()


async def sleep_until(service: Service, request: SleepUntilRequest, call: Call) -> SleepResponse:
    """Answer when the clock has come to the time."""
    await service.engine.time_control.sleep_until(timestamp_to_ns(request.timestamp))
    return SleepResponse()


async def unlock_time_skipping_with_sleep(service: Service, request: SleepRequest, call: Call) -> SleepResponse:
    """Take back a lock until the clock has gone on by the duration."""
    engine = service.engine
    await engine.time_control.sleep_unlocked_until(engine.env.now_ns() + duration_to_ns(request.duration))
    return SleepResponse()


async def get_current_time(service: Service, request: Empty, call: Call) -> GetCurrentTimeResponse:
    """Return the server's time."""
    return GetCurrentTimeResponse(time=ns_to_timestamp(service.engine.env.now_ns()))


HANDLERS: dict[str, tuple[Any, Handler]] = {
    "LockTimeSkipping": (LockTimeSkippingRequest, lock_time_skipping),
    "UnlockTimeSkipping": (UnlockTimeSkippingRequest, unlock_time_skipping),
    "Sleep": (SleepRequest, sleep),
    "SleepUntil": (SleepUntilRequest, sleep_until),
    "UnlockTimeSkippingWithSleep": (SleepRequest, unlock_time_skipping_with_sleep),
    "GetCurrentTime": (Empty, get_current_time),
}


def test_service_routes(service: Service) -> list[Route]:
    """Build the routes of the TestService."""
    return [
        Route(f"/{TEST_SERVICE}/{name}", request_type.FromString, unary=partial(handler, service))
        for name, (request_type, handler) in HANDLERS.items()
    ]
