"""Workflow tasks: the poll, and the worker's answers."""

from __future__ import annotations

from google.protobuf.message import Message
from temporalio.api.common.v1 import WorkerVersionStamp, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1.deployment_pb2 import WORKER_VERSIONING_MODE_VERSIONED
from temporalio.api.enums.v1.task_queue_pb2 import TASK_QUEUE_KIND_NORMAL, TASK_QUEUE_KIND_STICKY
from temporalio.api.query.v1 import WorkflowQueryResult
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    RespondQueryTaskCompletedRequest,
    RespondQueryTaskCompletedResponse,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskCompletedResponse,
    RespondWorkflowTaskFailedRequest,
    RespondWorkflowTaskFailedResponse,
)

from engine.core.inputs import RespondWorkflowTaskCompleted, RespondWorkflowTaskFailed
from engine.core.matching.task_queue import PollerRecord
from engine.core.policy.durations import ns_to_timestamp
from engine.core.policy.worker_requests import (
    validate_poll_workflow_task_queue,
    validate_respond_query_task_completed,
    validate_respond_workflow_task_completed,
    validate_respond_workflow_task_failed,
)
from engine.core.run.state import RunState
from engine.core.run.workflow_task import StartedWorkflowTask
from engine.core.run.workflow_task_completed import CompletedReply
from engine.runtime.queries import QueryTask
from engine.service.service import Call, Service, get_namespace, long_poll_seconds, remaining_ns
from engine.service.task_tokens import query_task, workflow_task
from engine.service.wire import append_workflow_task, with_history
from engine.service.worker_registry import WorkerShutDown
from engine.service.workflow_service.activity_tasks import activity_task_message
from engine.service.workflow_service.history import encode_token

__all__ = [
    "poll_workflow_task_queue",
    "respond_query_task_completed",
    "respond_workflow_task_completed",
    "respond_workflow_task_failed",
]

# A task's first page of history; the worker reads the rest by GetWorkflowExecutionHistory.
_FIRST_PAGE_EVENTS = 4_096
_FIRST_PAGE_BYTES = 3 * 1024 * 1024


async def poll_workflow_task_queue(
    service: Service, request: PollWorkflowTaskQueueRequest, call: Call
) -> Message | bytes:
    """Wait for a workflow task or a query; an empty reply means that none came."""
    engine = service.engine
    namespace = get_namespace(service, request.namespace)
    validate_poll_workflow_task_queue(request, engine.limits, remaining_ns=remaining_ns(call))
    record = PollerRecord(
        request.identity, engine.clock.system_ns(), request=request, worker_version=_worker_version(request)
    )
    seconds = long_poll_seconds(call, engine.limits.task_long_poll_interval_ns)
    sticky = request.task_queue.kind == TASK_QUEUE_KIND_STICKY
    try:
        with service.workers.polling(request.worker_instance_key, request.identity):
            await service.workers.wait_at_rest(request.identity, seconds)
            task = await engine.poll_workflow_task(
                namespace, request.task_queue.name, sticky=sticky, record=record, timeout_seconds=seconds
            )
    except WorkerShutDown:
        return b""
    if isinstance(task, StartedWorkflowTask):
        return workflow_task_bytes(service, task)
    return b"" if task is None else _query_task_bytes(service, task)


def _worker_version(request: PollWorkflowTaskQueueRequest) -> WorkerVersionStamp | None:
    """Return the build that a worker polls with; none for a worker of a versioned deployment."""
    mode = request.deployment_options.worker_versioning_mode
    capabilities = request.worker_version_capabilities
    if mode == WORKER_VERSIONING_MODE_VERSIONED or not capabilities.build_id:
        return None
    return WorkerVersionStamp(build_id=capabilities.build_id, use_versioning=capabilities.use_versioning)


async def respond_workflow_task_completed(
    service: Service, request: RespondWorkflowTaskCompletedRequest, call: Call
) -> Message | bytes:
    """Complete a workflow task; the reply carries what the worker may go on with at once."""
    _, run, token = workflow_task(service, request.namespace, request.task_token)
    validate_respond_workflow_task_completed(request, service.engine.limits)
    reply: CompletedReply = await service.engine.submit(RespondWorkflowTaskCompleted(run, token, request))
    if reply.error is not None:
        raise reply.error
    if reply.new_workflow_task is None and not reply.activity_tasks and not reply.reset_history_event_id:
        return b""
    response = RespondWorkflowTaskCompletedResponse(
        activity_tasks=[activity_task_message(each) for each in reply.activity_tasks],
        reset_history_event_id=reply.reset_history_event_id,
    )
    if reply.new_workflow_task is None:
        return response
    return append_workflow_task(response, workflow_task_bytes(service, reply.new_workflow_task))


async def respond_workflow_task_failed(
    service: Service, request: RespondWorkflowTaskFailedRequest, call: Call
) -> RespondWorkflowTaskFailedResponse:
    """Fail a workflow task; it is scheduled again."""
    _, run, token = workflow_task(service, request.namespace, request.task_token)
    validate_respond_workflow_task_failed(request, service.engine.limits)
    await service.engine.submit(RespondWorkflowTaskFailed(run, token, request))
    return RespondWorkflowTaskFailedResponse()


async def respond_query_task_completed(
    service: Service, request: RespondQueryTaskCompletedRequest, call: Call
) -> RespondQueryTaskCompletedResponse:
    """Answer a query that came as a task of its own."""
    token = query_task(request.task_token)
    validate_respond_query_task_completed(request, service.engine.limits)
    result = WorkflowQueryResult(
        result_type=request.completed_type,
        answer=request.query_result if request.HasField("query_result") else None,
        error_message=request.error_message,
        failure=request.failure if request.HasField("failure") else None,
    )
    service.engine.answer_query(token, result)
    return RespondQueryTaskCompletedResponse()


def workflow_task_bytes(service: Service, task: StartedWorkflowTask) -> bytes:
    """Serialize a started task with its history, and the queries and updates that ride on it."""
    token = task.token
    message = PollWorkflowTaskQueueResponse(
        task_token=token.encode(),
        workflow_execution=WorkflowExecution(workflow_id=task.workflow_id, run_id=task.run_id),
        workflow_type=WorkflowType(name=task.workflow_type),
        previous_started_event_id=task.previous_started_event_id,
        started_event_id=token.started_event_id,
        attempt=token.attempt,
        workflow_execution_task_queue=TaskQueue(name=task.task_queue, kind=TASK_QUEUE_KIND_NORMAL),
        scheduled_time=ns_to_timestamp(task.scheduled_time_ns),
        started_time=ns_to_timestamp(token.started_time_ns),
        queries=service.engine.pending_queries(task.run_key),
        messages=task.messages,
    )
    state = service.engine.find_run(task.run_key)
    events = [] if state is None else _first_page(service, state, task.first_event_id, task.next_event_id, message)
    if not message.next_page_token:
        events += [event.SerializeToString() for event in task.unwritten_events]
    return with_history(message, events)


def _query_task_bytes(service: Service, task: QueryTask) -> bytes:
    """Serialize a query: with the whole history, or with none for a worker that has the run cached."""
    message = PollWorkflowTaskQueueResponse(
        task_token=task.token,
        workflow_execution=WorkflowExecution(workflow_id=task.workflow_id, run_id=task.run_id),
        workflow_type=WorkflowType(name=task.workflow_type),
        previous_started_event_id=task.previous_started_event_id,
        attempt=1,
        query=task.pending.query,
        workflow_execution_task_queue=TaskQueue(name=task.task_queue, kind=TASK_QUEUE_KIND_NORMAL),
    )
    state = None if task.sticky else service.engine.find_run(task.pending.run_key)
    events = [] if state is None else _first_page(service, state, 1, task.next_event_id, message)
    return with_history(message, events)


def _first_page(
    service: Service,
    state: RunState,
    first_event_id: int,
    next_event_id: int,
    message: PollWorkflowTaskQueueResponse,
) -> list[bytes]:
    """Return as many events as fit into one reply; set the token for the others."""
    page_end = min(next_event_id, first_event_id + _FIRST_PAGE_EVENTS)
    events = service.engine.load_history(state, first_event_id, page_end)
    if state.history_size_bytes > _FIRST_PAGE_BYTES:
        size_bytes = 0
        for position, event in enumerate(events):
            size_bytes += len(event)
            if size_bytes > _FIRST_PAGE_BYTES and position:
                del events[position:]
                break
        page_end = first_event_id + len(events)
    if page_end < next_event_id:
        message.next_page_token = encode_token(state.run_id, page_end)
    return events
