"""Hand-made workers and clients that drive a server, so that the server is what is measured.

A worker here holds no replay and no user code: a plan says what answers a workflow task, an activity completes as soon
as it is polled. Both servers get exactly the same calls.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import (
    EventType,
    HistoryEventFilterType,
    TaskQueueKind,
    UpdateWorkflowExecutionLifecycleStage,
)
from temporalio.api.protocol.v1 import Message
from temporalio.api.taskqueue.v1 import StickyExecutionAttributes, TaskQueue
from temporalio.api.update.v1 import Input, Meta, Request, WaitPolicy
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    RespondActivityTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)

from .commands import ORDER, Plan
from .http2 import Connection

NAMESPACE = "default"
IDENTITY = "bench"


@dataclass
class Driver:
    """Connections to one server, and what runs on them."""

    connections: list[Connection]
    task_queue: str = field(default_factory=lambda: f"bench-{uuid.uuid4().hex[:8]}")

    @property
    def sticky_queue(self) -> TaskQueue:
        return TaskQueue(
            name=f"{self.task_queue}-sticky", normal_name=self.task_queue, kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY
        )

    # Workers.

    async def poll_workflow_tasks(self, connection: Connection, plan: Plan, *, sticky: bool, from_sticky: bool) -> None:
        """Answer workflow tasks for ever; with `sticky`, ask for later tasks with only the new events."""
        queue = self.sticky_queue if from_sticky else TaskQueue(name=self.task_queue)
        request = PollWorkflowTaskQueueRequest(namespace=NAMESPACE, task_queue=queue, identity=IDENTITY)
        attributes = None
        if sticky:
            attributes = StickyExecutionAttributes(
                worker_task_queue=self.sticky_queue, schedule_to_start_timeout=Duration(seconds=10)
            )
        while True:
            task = await poll_workflow_task(connection, request)
            if task.task_token:
                decision = plan(task)
                completion = RespondWorkflowTaskCompletedRequest(
                    task_token=task.task_token,
                    commands=[each for each in decision if isinstance(each, Command)],
                    messages=[each for each in decision if isinstance(each, Message)],
                    sticky_attributes=attributes,
                    identity=IDENTITY,
                    namespace=NAMESPACE,
                )
                await connection.call("RespondWorkflowTaskCompleted", completion)

    async def poll_activity_tasks(self, connection: Connection, completed: Callable[[], None] | None) -> None:
        """Complete activity tasks for ever; call `completed` after each."""
        request = PollActivityTaskQueueRequest(
            namespace=NAMESPACE, task_queue=TaskQueue(name=self.task_queue), identity=IDENTITY
        )
        while True:
            task: Any = await connection.call("PollActivityTaskQueue", request)
            if task.task_token:
                completion = RespondActivityTaskCompletedRequest(
                    task_token=task.task_token, result=ORDER, identity=IDENTITY, namespace=NAMESPACE
                )
                await connection.call("RespondActivityTaskCompleted", completion)
                if completed is not None:
                    completed()

    @asynccontextmanager
    async def workers(
        self, plan: Plan, *, pollers: int = 10, sticky: bool = False, completed: Callable[[], None] | None = None
    ) -> AsyncIterator[None]:
        """Hold `pollers` workflow-task pollers (twice as many when sticky) and as many activity-task pollers.

        A poller that breaks ends the block with its error.
        """
        async with asyncio.TaskGroup() as group:
            tasks = []
            for i in range(pollers):
                connection = self.connections[i % len(self.connections)]
                for from_sticky in (False, True) if sticky else (False,):
                    poller = self.poll_workflow_tasks(connection, plan, sticky=sticky, from_sticky=from_sticky)
                    tasks.append(group.create_task(poller))
                tasks.append(group.create_task(self.poll_activity_tasks(connection, completed)))
            yield
            for task in tasks:
                task.cancel()

    # Clients.

    async def start_workflow(self, connection: Connection, workflow_type: str = "order") -> WorkflowExecution:
        """Start one workflow and return its ids."""
        workflow_id = uuid.uuid4().hex
        start = StartWorkflowExecutionRequest(
            namespace=NAMESPACE,
            workflow_id=workflow_id,
            workflow_type=WorkflowType(name=workflow_type),
            task_queue=TaskQueue(name=self.task_queue),
            input=ORDER,
            request_id=uuid.uuid4().hex,
            identity=IDENTITY,
        )
        reply: Any = await connection.call("StartWorkflowExecution", start)
        return WorkflowExecution(workflow_id=workflow_id, run_id=reply.run_id)

    async def wait_for_close(self, connection: Connection, execution: WorkflowExecution) -> None:
        """Return when the workflow has completed.

        Raises:
            RuntimeError: it has closed otherwise.
        """
        wait = GetWorkflowExecutionHistoryRequest(
            namespace=NAMESPACE,
            execution=execution,
            wait_new_event=True,
            history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        )
        while True:
            history: Any = await connection.call("GetWorkflowExecutionHistory", wait)
            if history.history.events:
                break
            wait.next_page_token = history.next_page_token
        if history.history.events[-1].event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
            raise RuntimeError(f"a workflow did not complete: {history.history.events[-1]}")

    async def execute_workflow(self, connection: Connection, workflow_type: str = "order") -> None:
        """Start one workflow and wait until it has completed."""
        await self.wait_for_close(connection, await self.start_workflow(connection, workflow_type))

    async def signal(self, connection: Connection, execution: WorkflowExecution) -> None:
        """Send one signal."""
        request = SignalWorkflowExecutionRequest(
            namespace=NAMESPACE,
            workflow_execution=execution,
            signal_name="order-changed",
            input=ORDER,
            request_id=uuid.uuid4().hex,
            identity=IDENTITY,
        )
        await connection.call("SignalWorkflowExecution", request)

    async def update(self, connection: Connection, execution: WorkflowExecution) -> None:
        """Send one update and wait for its result.

        Raises:
            RuntimeError: it has none, or failed.
        """
        request = UpdateWorkflowExecutionRequest(
            namespace=NAMESPACE,
            workflow_execution=execution,
            wait_policy=WaitPolicy(
                lifecycle_stage=UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
            ),
            request=Request(
                meta=Meta(update_id=uuid.uuid4().hex, identity=IDENTITY), input=Input(name="change-order", args=ORDER)
            ),
        )
        reply: Any = await connection.call("UpdateWorkflowExecution", request)
        if not reply.outcome.HasField("success"):
            raise RuntimeError(f"an update did not succeed: {reply}")

    async def repeat(
        self,
        call: Callable[[Connection], Awaitable[object]],
        concurrency: int,
        *,
        count: int | None = None,
        seconds: float | None = None,
    ) -> list[float]:
        """Make a call `count` times or for `seconds`, `concurrency` at a time; return each one's seconds."""
        until = time.perf_counter() + seconds if seconds is not None else None
        turns = iter(range(count)) if count is not None else None
        latencies: list[float] = []

        async def caller(connection: Connection) -> None:
            while (until is None or time.perf_counter() < until) and (turns is None or next(turns, None) is not None):
                started = time.perf_counter()
                await call(connection)
                latencies.append(time.perf_counter() - started)

        callers = [caller(self.connections[i % len(self.connections)]) for i in range(concurrency)]
        await asyncio.gather(*callers)
        return latencies

    async def execute_many(
        self, concurrency: int, *, count: int | None = None, seconds: float | None = None
    ) -> list[float]:
        """Execute workflows, `concurrency` at a time, `count` of them or for `seconds`; return each one's seconds."""
        return await self.repeat(self.execute_workflow, concurrency, count=count, seconds=seconds)


async def poll_workflow_task(
    connection: Connection, request: PollWorkflowTaskQueueRequest
) -> PollWorkflowTaskQueueResponse:
    """Poll, and fetch all further pages of the task's history."""
    task = await connection.call("PollWorkflowTaskQueue", request)
    assert isinstance(task, PollWorkflowTaskQueueResponse)
    while task.next_page_token:
        more = GetWorkflowExecutionHistoryRequest(
            namespace=NAMESPACE, execution=task.workflow_execution, next_page_token=task.next_page_token
        )
        page: Any = await connection.call("GetWorkflowExecutionHistory", more)
        task.history.events.extend(page.history.events)
        task.next_page_token = page.next_page_token
    return task


@asynccontextmanager
async def connected(address: str, connections: int = 2) -> AsyncIterator[Driver]:
    """Open connections to `address` and yield a driver on them."""
    opened = [await Connection.open(address) for _ in range(connections)]
    try:
        yield Driver(opened)
    finally:
        for connection in opened:
            connection.close()
