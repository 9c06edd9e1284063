"""Hand-made workers and clients that drive a server, so that the server is what is measured.

A worker here holds no replay and no user code: a plan says which commands answer a workflow task, an activity
completes as soon as it is polled. Both servers get exactly the same calls.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import (
    Command,
    CompleteWorkflowExecutionCommandAttributes,
    ScheduleActivityTaskCommandAttributes,
    StartTimerCommandAttributes,
)
from temporalio.api.common.v1 import ActivityType, Payload, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import CommandType, EventType, HistoryEventFilterType, TaskQueueKind
from temporalio.api.taskqueue.v1 import StickyExecutionAttributes, TaskQueue
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    RespondActivityTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
)

from .http2 import Connection

NAMESPACE = "default"
IDENTITY = "bench"
ORDER = Payloads(
    payloads=[
        Payload(
            metadata={"encoding": b"json/plain"}, data=b'{"order_id":"order-001","user_id":"user-123","amount":99000}'
        )
    ]
)

Plan = Callable[[PollWorkflowTaskQueueResponse], Sequence[Command]]


def activity_command(activity_id: str, task_queue: str) -> Command:
    """Return the command that schedules one activity on `task_queue`."""
    return Command(
        command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
        schedule_activity_task_command_attributes=ScheduleActivityTaskCommandAttributes(
            activity_id=activity_id,
            activity_type=ActivityType(name="charge"),
            task_queue=TaskQueue(name=task_queue),
            input=ORDER,
            start_to_close_timeout=Duration(seconds=30),
        ),
    )


def timer_command(timer_id: str, milliseconds: int) -> Command:
    """Return the command that starts a timer."""
    attributes = StartTimerCommandAttributes(timer_id=timer_id)
    attributes.start_to_fire_timeout.FromMilliseconds(milliseconds)
    return Command(command_type=CommandType.COMMAND_TYPE_START_TIMER, start_timer_command_attributes=attributes)


def complete_command() -> Command:
    """Return the command that completes the workflow."""
    return Command(
        command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
        complete_workflow_execution_command_attributes=CompleteWorkflowExecutionCommandAttributes(result=ORDER),
    )


def count_events(task: PollWorkflowTaskQueueResponse, event_type: EventType.ValueType) -> int:
    """Return how many events of that type the task carries."""
    return sum(1 for event in task.history.events if event.event_type == event_type)


def order_plan(task_queue: str) -> Plan:
    """Return the plan of the order workflow: one activity, then complete. Needs the whole history in each task."""

    def decide(task: PollWorkflowTaskQueueResponse) -> Sequence[Command]:
        if count_events(task, EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED):
            return [complete_command()]
        return [activity_command("1", task_queue)]

    return decide


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
            task = await connection.call("PollWorkflowTaskQueue", request)
            assert isinstance(task, PollWorkflowTaskQueueResponse)
            if task.task_token:
                completion = RespondWorkflowTaskCompletedRequest(
                    task_token=task.task_token,
                    commands=plan(task),
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

    async def execute_workflow(self, connection: Connection) -> float:
        """Start one workflow and wait for its close event; return the seconds that it took."""
        workflow_id = uuid.uuid4().hex
        started = time.perf_counter()
        start = StartWorkflowExecutionRequest(
            namespace=NAMESPACE,
            workflow_id=workflow_id,
            workflow_type=WorkflowType(name="order"),
            task_queue=TaskQueue(name=self.task_queue),
            input=ORDER,
            request_id=uuid.uuid4().hex,
            identity=IDENTITY,
        )
        reply: Any = await connection.call("StartWorkflowExecution", start)
        wait = GetWorkflowExecutionHistoryRequest(
            namespace=NAMESPACE,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=reply.run_id),
            wait_new_event=True,
            history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        )
        while True:
            history: Any = await connection.call("GetWorkflowExecutionHistory", wait)
            if history.history.events:
                break
            wait.next_page_token = history.next_page_token
        elapsed_seconds = time.perf_counter() - started
        if history.history.events[-1].event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
            raise RuntimeError(f"a workflow did not complete: {history.history.events[-1]}")
        return elapsed_seconds

    async def execute_many(
        self, concurrency: int, *, count: int | None = None, seconds: float | None = None
    ) -> list[float]:
        """Execute workflows, `concurrency` at a time, `count` of them or for `seconds`; return each one's seconds."""
        until = time.perf_counter() + seconds if seconds is not None else None
        turns = iter(range(count)) if count is not None else None
        latencies: list[float] = []

        async def caller(connection: Connection) -> None:
            while (until is None or time.perf_counter() < until) and (turns is None or next(turns, None) is not None):
                latencies.append(await self.execute_workflow(connection))

        callers = [caller(self.connections[i % len(self.connections)]) for i in range(concurrency)]
        await asyncio.gather(*callers)
        return latencies


@asynccontextmanager
async def connected(address: str, connections: int = 2) -> AsyncIterator[Driver]:
    """Open connections to `address` and yield a driver on them."""
    opened = [await Connection.open(address) for _ in range(connections)]
    try:
        yield Driver(opened)
    finally:
        for connection in opened:
            connection.close()
