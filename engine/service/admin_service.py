"""The admin service of a local server: its time. It answers callers on this machine only.

Requests and replies are well-known types, so that a caller needs no description of them; the one for tools is in
tooling_protos.py.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct

from engine.core.errors import PermissionDenied
from engine.core.policy.durations import duration_to_ns, ns_to_duration, ns_to_timestamp
from engine.core.run.deadlines import DeadlineKind, find_next
from engine.core.run.state import RunState
from engine.runtime.in_flight import Work
from engine.service.rpc_table import Handler
from engine.service.service import Call, Service
from engine.service.tooling_protos import ADMIN
from engine.service.transport.routes import Route

__all__ = ["ADMIN_SERVICE", "HANDLERS", "admin_routes"]

ADMIN_SERVICE = f"{ADMIN}.AdminService"


async def describe_time(service: Service, request: Empty, call: Call) -> Struct:
    """Say how the server's clock goes, and what it comes to next."""
    return _describe(service)


async def skip_time(service: Service, request: Duration, call: Call) -> Struct:
    """Move the clock by a duration; everything that falls due on the way happens at its time."""
    skipped_deadlines = await service.engine.time_control.skip(duration_to_ns(request))
    described = _describe(service)
    described["skippedDeadlines"] = skipped_deadlines
    return described


async def pause_time(service: Service, request: Empty, call: Call) -> Struct:
    """Let the clock stand."""
    service.engine.time_control.pause()
    return _describe(service)


async def resume_time(service: Service, request: Empty, call: Call) -> Struct:
    """Let the clock go on as the system's does."""
    service.engine.time_control.resume()
    return _describe(service)


async def jump_when_idle(service: Service, request: Empty, call: Call) -> Struct:
    """Let the clock jump to what is due next whenever nothing is in flight."""
    service.engine.time_control.resume(automatic=True)
    return _describe(service)


HANDLERS: dict[str, tuple[Any, Handler]] = {
    "DescribeTime": (Empty, describe_time),
    "SkipTime": (Duration, skip_time),
    "PauseTime": (Empty, pause_time),
    "ResumeTime": (Empty, resume_time),
    "JumpWhenIdle": (Empty, jump_when_idle),
}


def admin_routes(service: Service) -> list[Route]:
    """Build the routes of the admin service."""
    return [
        Route(f"/{ADMIN_SERVICE}/{name}", request_type.FromString, unary=partial(_answer_neighbour, service, handler))
        for name, (request_type, handler) in HANDLERS.items()
    ]


async def _answer_neighbour(service: Service, handler: Handler, request: Any, call: Any) -> Any:
    if not call.is_from_this_machine():
        raise PermissionDenied("the admin service answers callers on the server's own machine only")
    return await handler(service, request, call)


def _describe(service: Service) -> Struct:
    """Build the reply: times and durations in their JSON form, names as a person says them."""
    engine, control = service.engine, service.engine.time_control
    described = Struct()
    described["time"] = ns_to_timestamp(engine.env.now_ns()).ToJsonString()
    described["systemTime"] = ns_to_timestamp(engine.clock.system_ns()).ToJsonString()
    described["offset"] = ns_to_duration(engine.clock.offset_ns).ToJsonString()
    described["mode"] = "paused" if engine.clock.stands else "auto" if control.automatic else "running"
    if control.automatic and control.locks:
        described["locks"] = control.locks
    found = control.find_next_deadline()
    if found is not None:
        due_ns, state = found
        described["next"] = {"time": ns_to_timestamp(due_ns).ToJsonString(), **_describe_deadline(service, state)}
    work = control.find_holder()
    if work is not None:
        described["waitsFor"] = _describe_work(work)
    return described


def _describe_deadline(service: Service, state: RunState) -> dict[str, Any]:
    described = {
        "namespace": service.engine.namespaces.get_by_id(state.namespace_id).name,
        "workflowId": state.workflow_id,
        "runId": state.run_id,
        "workflowType": state.workflow_type,
    }
    deadline = find_next(state)
    if deadline is not None:
        kind, event_id, key = deadline
        described["kind"] = kind.name.lower().replace("_", " ")
        if kind is DeadlineKind.USER_TIMER:
            described["timerId"] = key
        elif event_id in state.activities:
            activity = state.activities[event_id]
            described["activityId"] = activity.activity_id
            described["activityType"] = activity.attributes.activity_type.name
    return described


def _describe_work(work: Work) -> dict[str, Any]:
    return {
        "kind": work.kind.value,
        "name": work.name,
        "workflowId": work.workflow_id,
        "taskQueue": work.task_queue,
        "withWorker": work.with_worker,
    }
