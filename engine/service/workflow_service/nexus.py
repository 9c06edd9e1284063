"""Nexus: workers that have handlers poll for tasks; there are no endpoints yet, so there are no tasks."""

from __future__ import annotations

import asyncio

from temporalio.api.workflowservice.v1 import PollNexusTaskQueueRequest

from engine.core.policy.worker_requests import validate_poll_nexus_task_queue
from engine.service.service import Call, Service, get_namespace, long_poll_seconds, remaining_ns
from engine.service.worker_registry import WorkerShutDown

__all__ = ["poll_nexus_task_queue"]


async def poll_nexus_task_queue(service: Service, request: PollNexusTaskQueueRequest, call: Call) -> bytes:
    """Let the poll wait its time: a worker whose polls fail can't shut down in order."""
    limits = service.engine.limits
    get_namespace(service, request.namespace)
    validate_poll_nexus_task_queue(request, limits, remaining_ns=remaining_ns(call))
    try:
        with service.workers.polling(request.worker_instance_key, request.identity):
            await asyncio.sleep(long_poll_seconds(call, limits.task_long_poll_interval_ns))
    except WorkerShutDown:
        pass
    return b""
