"""A worker that is driven task by task over the bare RPCs, for what no SDK would do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import ActivityType, Payload, Payloads, RetryPolicy, WorkflowType
from temporalio.api.enums.v1 import CommandType
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.taskqueue.v1 import StickyExecutionAttributes, TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollActivityTaskQueueResponse,
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    RecordActivityTaskHeartbeatRequest,
    RecordActivityTaskHeartbeatResponse,
    RespondActivityTaskCanceledRequest,
    RespondActivityTaskCompletedRequest,
    RespondActivityTaskFailedRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskCompletedResponse,
    RespondWorkflowTaskFailedRequest,
)
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub

POLL_TIMEOUT_SECONDS = 20
CALL_TIMEOUT_SECONDS = 15


class RawWorker:
    """Polls and answers tasks of one task queue."""

    def __init__(self, service: WorkflowServiceStub, namespace: str, task_queue: str, identity: str) -> None:
        self.service = service
        self.namespace = namespace
        self.task_queue = task_queue
        self.identity = identity

    async def poll_workflow_task(
        self, *, sticky: str = "", timeout_seconds: float = POLL_TIMEOUT_SECONDS
    ) -> PollWorkflowTaskQueueResponse:
        """Wait for a workflow task on the task queue, or on its sticky queue `sticky`."""
        if sticky:
            queue = TaskQueue(name=sticky, kind="TASK_QUEUE_KIND_STICKY", normal_name=self.task_queue)
        else:
            queue = TaskQueue(name=self.task_queue)
        return await self.service.PollWorkflowTaskQueue(
            PollWorkflowTaskQueueRequest(namespace=self.namespace, task_queue=queue, identity=self.identity),
            timeout=timeout_seconds,
        )

    async def poll_sticky_task(
        self, sticky: str, cause: Callable[[], Awaitable[None]]
    ) -> PollWorkflowTaskQueueResponse:
        """Poll the sticky queue, call `cause` once the poll is there, and return the task that comes of it.

        The server passes a sticky queue over that nobody polled of late.
        """
        poll = asyncio.ensure_future(self.poll_workflow_task(sticky=sticky))
        await asyncio.sleep(0.3)
        await cause()
        return await poll

    async def complete_workflow_task(
        self, task: PollWorkflowTaskQueueResponse, *commands: Command, sticky: str = "", **fields: Any
    ) -> RespondWorkflowTaskCompletedResponse:
        """Complete a workflow task with `commands`; with `sticky`, ask for that sticky queue from now on."""
        if sticky:
            fields.setdefault("sticky_attributes", sticky_attributes(sticky, self.task_queue))
        return await self.service.RespondWorkflowTaskCompleted(
            RespondWorkflowTaskCompletedRequest(
                namespace=self.namespace,
                task_token=task.task_token,
                identity=self.identity,
                commands=commands,
                **fields,
            ),
            timeout=CALL_TIMEOUT_SECONDS,
        )

    async def next_workflow_task(self, *commands: Command, **fields: Any) -> PollWorkflowTaskQueueResponse:
        """Poll a workflow task and complete it with `commands`; return the task."""
        task = await self.poll_workflow_task()
        await self.complete_workflow_task(task, *commands, **fields)
        return task

    async def fail_workflow_task(self, task: PollWorkflowTaskQueueResponse, **fields: Any) -> None:
        """Fail a workflow task."""
        fields = {
            "cause": "WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE",
            "failure": application_failure("task failed on purpose"),
            **fields,
        }
        await self.service.RespondWorkflowTaskFailed(
            RespondWorkflowTaskFailedRequest(
                namespace=self.namespace, task_token=task.task_token, identity=self.identity, **fields
            ),
            timeout=CALL_TIMEOUT_SECONDS,
        )

    async def poll_activity_task(
        self, *, timeout_seconds: float = POLL_TIMEOUT_SECONDS
    ) -> PollActivityTaskQueueResponse:
        """Wait for an activity task."""
        return await self.service.PollActivityTaskQueue(
            PollActivityTaskQueueRequest(
                namespace=self.namespace, task_queue=TaskQueue(name=self.task_queue), identity=self.identity
            ),
            timeout=timeout_seconds,
        )

    async def complete_activity(self, task: PollActivityTaskQueueResponse, *results: Any) -> None:
        """Complete an activity task by its token."""
        await self.service.RespondActivityTaskCompleted(
            RespondActivityTaskCompletedRequest(
                namespace=self.namespace,
                task_token=task.task_token,
                identity=self.identity,
                result=payloads(*results) if results else None,
            ),
            timeout=CALL_TIMEOUT_SECONDS,
        )

    async def fail_activity(self, task: PollActivityTaskQueueResponse, failure: Failure, **fields: Any) -> Any:
        """Fail an activity task by its token."""
        return await self.service.RespondActivityTaskFailed(
            RespondActivityTaskFailedRequest(
                namespace=self.namespace,
                task_token=task.task_token,
                identity=self.identity,
                failure=failure,
                **fields,
            ),
            timeout=CALL_TIMEOUT_SECONDS,
        )

    async def cancel_activity(self, task: PollActivityTaskQueueResponse, *details: Any) -> None:
        """Report an activity task as cancelled by its token."""
        await self.service.RespondActivityTaskCanceled(
            RespondActivityTaskCanceledRequest(
                namespace=self.namespace,
                task_token=task.task_token,
                identity=self.identity,
                details=payloads(*details) if details else None,
            ),
            timeout=CALL_TIMEOUT_SECONDS,
        )

    async def heartbeat(
        self, task: PollActivityTaskQueueResponse, *details: Any
    ) -> RecordActivityTaskHeartbeatResponse:
        """Record a heartbeat by token."""
        return await self.service.RecordActivityTaskHeartbeat(
            RecordActivityTaskHeartbeatRequest(
                namespace=self.namespace,
                task_token=task.task_token,
                identity=self.identity,
                details=payloads(*details) if details else None,
            ),
            timeout=CALL_TIMEOUT_SECONDS,
        )


def payload(value: Any) -> Payload:
    """Return `value` as the SDKs' JSON payload."""
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())


def payloads(*values: Any) -> Payloads:
    """Return `values` as a list of JSON payloads."""
    return Payloads(payloads=[payload(value) for value in values])


def seconds(value: float) -> Duration:
    """Return a Duration of `value` seconds."""
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=value))
    return duration


def sticky_attributes(sticky: str, normal_name: str, timeout_seconds: float = 5) -> StickyExecutionAttributes:
    """Return the attributes that make a worker sticky."""
    return StickyExecutionAttributes(
        worker_task_queue=TaskQueue(name=sticky, kind="TASK_QUEUE_KIND_STICKY", normal_name=normal_name),
        schedule_to_start_timeout=seconds(timeout_seconds),
    )


def application_failure(message: str, *, type_name: str = "Oops", non_retryable: bool = False, **info: Any) -> Failure:
    """Return an application failure as an SDK would send it."""
    return Failure(
        message=message,
        source="RawSDK",
        application_failure_info=ApplicationFailureInfo(type=type_name, non_retryable=non_retryable, **info),
    )


def command(name: str, **attributes: Any) -> Command:
    """Return a command by its short name, `START_TIMER`; `attributes` are those of its attributes message."""
    return Command(
        command_type=CommandType.Value(f"COMMAND_TYPE_{name}"),
        **{f"{name.lower()}_command_attributes": attributes},
    )


def schedule_activity(activity_id: str, queue: str, **attributes: Any) -> Command:
    """Return a ScheduleActivityTask command with a 10 s start-to-close timeout unless `attributes` say otherwise."""
    attributes = {
        "activity_type": ActivityType(name="RawActivity"),
        "task_queue": TaskQueue(name=queue),
        "start_to_close_timeout": seconds(10),
        **attributes,
    }
    return command(
        "SCHEDULE_ACTIVITY_TASK",
        activity_id=activity_id,
        **{name: value for name, value in attributes.items() if value is not None},
    )


def start_child(workflow_id: str, queue: str, **attributes: Any) -> Command:
    """Return a StartChildWorkflowExecution command for a RawChild unless `attributes` say otherwise."""
    attributes = {"workflow_type": WorkflowType(name="RawChild"), "task_queue": TaskQueue(name=queue), **attributes}
    return command(
        "START_CHILD_WORKFLOW_EXECUTION",
        workflow_id=workflow_id,
        **{name: value for name, value in attributes.items() if value is not None},
    )


def start_timer(timer_id: str, timeout_seconds: float) -> Command:
    """Return a StartTimer command."""
    return command("START_TIMER", timer_id=timer_id, start_to_fire_timeout=seconds(timeout_seconds))


def complete_workflow(*results: Any) -> Command:
    """Return a CompleteWorkflowExecution command."""
    if not results:
        return command("COMPLETE_WORKFLOW_EXECUTION")
    return command("COMPLETE_WORKFLOW_EXECUTION", result=payloads(*results))


def fail_workflow(failure: Failure) -> Command:
    """Return a FailWorkflowExecution command."""
    return command("FAIL_WORKFLOW_EXECUTION", failure=failure)


def retry_policy(
    *,
    initial: float = 0,
    coefficient: float = 0,
    maximum: float = 0,
    attempts: int = 0,
    non_retryable: tuple[str, ...] = (),
) -> RetryPolicy:
    """Return a retry policy; what is zero is left for the server to fill in."""
    return RetryPolicy(
        initial_interval=seconds(initial) if initial else None,
        backoff_coefficient=coefficient,
        maximum_interval=seconds(maximum) if maximum else None,
        maximum_attempts=attempts,
        non_retryable_error_types=non_retryable,
    )
