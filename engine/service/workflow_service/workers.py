"""Workers: what they report of themselves, and their shutdown."""

from __future__ import annotations

from temporalio.api.worker.v1 import WorkerInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerRequest,
    DescribeWorkerResponse,
    ListWorkersRequest,
    ListWorkersResponse,
    RecordWorkerHeartbeatRequest,
    RecordWorkerHeartbeatResponse,
    ShutdownWorkerRequest,
    ShutdownWorkerResponse,
)

from engine.core.errors import InvalidArgument, NotFound, Unimplemented
from engine.service.service import Call, Service, get_namespace
from engine.service.worker_registry import list_info

__all__ = ["describe_worker", "list_workers", "record_worker_heartbeat", "shutdown_worker"]

_DEFAULT_PAGE_SIZE = 100


async def record_worker_heartbeat(
    service: Service, request: RecordWorkerHeartbeatRequest, call: Call
) -> RecordWorkerHeartbeatResponse:
    """Remember what workers say about themselves."""
    namespace = get_namespace(service, request.namespace)
    for heartbeat in request.worker_heartbeat:
        service.workers.record(namespace.namespace_id, heartbeat)
    return RecordWorkerHeartbeatResponse()


async def shutdown_worker(service: Service, request: ShutdownWorkerRequest, call: Call) -> ShutdownWorkerResponse:
    """End a worker's polls and let the runs that it had cached go to others at once.

    A worker that is named by its identity alone only gets no more tasks: so it can be told to before it shuts down.
    """
    namespace = get_namespace(service, request.namespace)
    if request.identity and not request.worker_instance_key and not request.sticky_task_queue:
        await service.workers.rest(request.identity)
        return ShutdownWorkerResponse()
    if request.HasField("worker_heartbeat"):
        service.workers.record(namespace.namespace_id, request.worker_heartbeat)
    service.workers.shut_down(request.worker_instance_key)
    if request.sticky_task_queue:
        service.engine.shut_down_sticky_queue(namespace, request.sticky_task_queue)
    return ShutdownWorkerResponse()


async def list_workers(service: Service, request: ListWorkersRequest, call: Call) -> ListWorkersResponse:
    """List the workers that reported themselves, the most recent first."""
    namespace = get_namespace(service, request.namespace)
    if request.query:
        raise Unimplemented("A query in ListWorkers is not supported.")
    try:
        offset = int(request.next_page_token or b"0")
    except ValueError:
        raise InvalidArgument("Invalid NextPageToken.") from None
    heartbeats = service.workers.all(namespace.namespace_id)
    end = offset + (request.page_size if request.page_size > 0 else _DEFAULT_PAGE_SIZE)
    page = heartbeats[offset:end]
    return ListWorkersResponse(
        workers_info=[WorkerInfo(worker_heartbeat=each) for each in page],
        workers=[list_info(each) for each in page],
        next_page_token=b"%d" % end if end < len(heartbeats) else b"",
    )


async def describe_worker(service: Service, request: DescribeWorkerRequest, call: Call) -> DescribeWorkerResponse:
    """Return what a worker said about itself last."""
    namespace = get_namespace(service, request.namespace)
    found = service.workers.find(namespace.namespace_id, request.worker_instance_key)
    if found is None:
        raise NotFound(f"Worker {request.worker_instance_key} not found")
    return DescribeWorkerResponse(worker_info=found)
