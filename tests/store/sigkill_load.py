"""Load that goes on while its server is killed: calls retried until answered, and a ledger of what was acknowledged."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from temporalio.api.command.v1 import (
    Command,
    CompleteWorkflowExecutionCommandAttributes,
    ScheduleActivityTaskCommandAttributes,
)
from temporalio.api.common.v1 import ActivityType, Payload, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import CommandType, EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    RespondActivityTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub

NAMESPACE = "default"
TASK_QUEUE = TaskQueue(name="sigkill")
ACTIVITY_IDS = ("charge", "ship")
MAX_OPEN_RUNS = 30
LOST = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED}


def words(text: str) -> Payloads:
    """Return `text` as the payloads of an input or a result."""
    return Payloads(payloads=[Payload(metadata={"encoding": b"binary/plain"}, data=text.encode())])


@dataclass
class Acknowledged:
    """What the server said yes to about one run."""

    run_id: str
    signal_ids: set[str] = field(default_factory=set)
    activity_results: dict[str, bytes] = field(default_factory=dict)
    workflow_task_started_event_ids: set[int] = field(default_factory=set)
    completed: bool = False


@dataclass
class Load:
    """Clients and workers of one server that comes and goes; `runs` is the ledger, by workflow id.

    A workflow schedules two activities, and completes when both are completed and its signal has come.
    """

    runs: dict[str, Acknowledged] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    calls_lost: int = 0
    _numbers: Any = field(default_factory=itertools.count)
    _stub: WorkflowServiceStub | None = None
    _channels: list[grpc.aio.Channel] = field(default_factory=list)
    _up: asyncio.Event = field(default_factory=asyncio.Event)
    _starting: bool = False

    def server_is_up(self, address: str) -> None:
        """Send the calls to `address` from now on."""
        channel = grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        self._channels.append(channel)
        self._stub = WorkflowServiceStub(channel)
        self._up.set()

    def server_is_down(self) -> None:
        """Hold further calls back until the server is up again."""
        self._up.clear()

    def start_workflows(self, on: bool) -> None:
        """Begin to start workflows, or start no more; those that were begun go on."""
        self._starting = on

    async def close(self) -> None:
        """Close all connections."""
        for channel in self._channels:
            await channel.close()

    def open_runs(self) -> list[str]:
        """Return the workflow ids of the runs that are not known to be completed."""
        return [workflow_id for workflow_id, known in self.runs.items() if not known.completed]

    async def run(self, clients: int, workers: int) -> None:
        """Run until cancelled; the first unexpected answer ends it."""
        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(self._start_workflows())
            for _ in range(workers):
                group.create_task(self._work_on_workflow_tasks())
                group.create_task(self._work_on_activity_tasks())

    async def call(self, method: str, request: Message, *, gone_is_fine: bool = False) -> Any:
        """Call until the server answers; with `gone_is_fine`, NOT_FOUND is an answer too, and returned as None.

        A retry sends the very same request, so that only the server can tell whether it was done before.
        """
        while True:
            await self._up.wait()
            try:
                return await getattr(self._stub, method)(request, timeout=10)
            except grpc.aio.AioRpcError as error:
                if gone_is_fine and error.code() == grpc.StatusCode.NOT_FOUND:
                    return None
                if error.code() not in LOST:
                    raise
                self.calls_lost += 1
                await asyncio.sleep(0.01)

    async def _start_workflows(self) -> None:
        while True:
            if not self._starting or len(self.open_runs()) >= MAX_OPEN_RUNS:
                await asyncio.sleep(0.01)
                continue
            number = next(self._numbers)
            workflow_id, signal_id = f"order-{number}", f"approve-{number}"
            start = StartWorkflowExecutionRequest(
                namespace=NAMESPACE,
                workflow_id=workflow_id,
                workflow_type=WorkflowType(name="order"),
                task_queue=TASK_QUEUE,
                request_id=f"start-{number}",
                workflow_task_timeout=Duration(seconds=1),
            )
            reply = await self.call("StartWorkflowExecution", start)
            self._note(workflow_id, reply.run_id)
            signal = SignalWorkflowExecutionRequest(
                namespace=NAMESPACE,
                workflow_execution=WorkflowExecution(workflow_id=workflow_id),
                signal_name="approve",
                input=words(signal_id),
                request_id=signal_id,
            )
            if await self.call("SignalWorkflowExecution", signal, gone_is_fine=True) is not None:
                self._note(workflow_id, reply.run_id).signal_ids.add(signal_id)

    async def _work_on_workflow_tasks(self) -> None:
        poll = PollWorkflowTaskQueueRequest(namespace=NAMESPACE, task_queue=TASK_QUEUE, identity="worker")
        while True:
            task = await self.call("PollWorkflowTaskQueue", poll)
            if not task.task_token:
                continue
            commands = decide(task.history.events)
            completion = RespondWorkflowTaskCompletedRequest(
                namespace=NAMESPACE, task_token=task.task_token, commands=commands, identity="worker"
            )
            if await self.call("RespondWorkflowTaskCompleted", completion, gone_is_fine=True) is not None:
                known = self._note(task.workflow_execution.workflow_id, task.workflow_execution.run_id)
                known.workflow_task_started_event_ids.add(task.started_event_id)
                known.completed |= any(
                    command.HasField("complete_workflow_execution_command_attributes") for command in commands
                )

    async def _work_on_activity_tasks(self) -> None:
        poll = PollActivityTaskQueueRequest(namespace=NAMESPACE, task_queue=TASK_QUEUE, identity="worker")
        while True:
            task = await self.call("PollActivityTaskQueue", poll)
            if not task.task_token:
                continue
            result = words(f"{task.activity_id} {next(self._numbers)}")
            completion = RespondActivityTaskCompletedRequest(
                namespace=NAMESPACE, task_token=task.task_token, result=result, identity="worker"
            )
            if await self.call("RespondActivityTaskCompleted", completion, gone_is_fine=True) is not None:
                known = self._note(task.workflow_execution.workflow_id, task.workflow_execution.run_id)
                assert task.activity_id not in known.activity_results, "an activity's completion was acknowledged twice"
                known.activity_results[task.activity_id] = result.payloads[0].data

    def _note(self, workflow_id: str, run_id: str) -> Acknowledged:
        known = self.runs.setdefault(workflow_id, Acknowledged(run_id))
        assert known.run_id == run_id, f"{workflow_id} has two runs: {known.run_id}, {run_id}"
        self.touched.add(workflow_id)
        return known

    async def history(self, workflow_id: str) -> list[HistoryEvent]:
        """Return all events of the run that was acknowledged."""
        execution = WorkflowExecution(workflow_id=workflow_id, run_id=self.runs[workflow_id].run_id)
        request = GetWorkflowExecutionHistoryRequest(namespace=NAMESPACE, execution=execution)
        events: list[HistoryEvent] = []
        while True:
            page = await self.call("GetWorkflowExecutionHistory", request)
            events.extend(page.history.events)
            if not page.next_page_token:
                return events
            request.next_page_token = page.next_page_token


def decide(events: Sequence[HistoryEvent]) -> list[Command]:
    """Return the commands that answer a workflow task with this whole history."""
    types = [event.event_type for event in events]
    if EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED not in types:
        return [
            Command(
                command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
                schedule_activity_task_command_attributes=ScheduleActivityTaskCommandAttributes(
                    activity_id=activity_id,
                    activity_type=ActivityType(name=activity_id),
                    task_queue=TASK_QUEUE,
                    start_to_close_timeout=Duration(seconds=2),
                ),
            )
            for activity_id in ACTIVITY_IDS
        ]
    activities_done = types.count(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED) == len(ACTIVITY_IDS)
    if activities_done and EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED in types:
        return [
            Command(
                command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
                complete_workflow_execution_command_attributes=CompleteWorkflowExecutionCommandAttributes(),
            )
        ]
    return []
