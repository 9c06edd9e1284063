"""A world without chance, for cases written by hand: one server, and whatever the case does to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from pathlib import Path
from random import Random
from typing import Any

from temporalio.api.command.v1 import Command, StartChildWorkflowExecutionCommandAttributes
from temporalio.api.common.v1 import Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import command_type_pb2 as ct
from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.enums.v1.task_queue_pb2 import TASK_QUEUE_KIND_STICKY
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import StickyExecutionAttributes, TaskQueue
from temporalio.api.workflowservice.v1 import (
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    StartWorkflowExecutionResponse,
)

from engine.core.inputs import (
    ActivityRef,
    RecordActivityTaskHeartbeat,
    RespondActivityTaskCompleted,
    RespondWorkflowTaskCompleted,
    RespondWorkflowTaskFailed,
    RunRef,
    SignalWorkflowExecution,
    StartWorkflowExecution,
)
from engine.core.matching.task_queue import PollerRecord
from engine.core.matching.task_token import ActivityTaskToken
from engine.core.policy.limits import Limits
from engine.core.policy.start_request import validate_start_workflow_execution
from engine.core.run.activity_task import StartedActivityTask
from engine.core.run.start import StartReply
from engine.core.run.workflow_task import StartedWorkflowTask
from engine.core.run.workflow_task_completed import CompletedReply
from engine.runtime.engine import Engine
from tests.sim.commands import application_failure, payloads, seconds
from tests.sim.families import check_families
from tests.sim.invariants import check_engine, check_file, check_run, load_histories
from tests.sim.messages import check_messages
from tests.sim.relatives import Relatives
from tests.sim.runs import Runs, check_resets
from tests.sim.server import NAMESPACE_ID, Server, Step
from tests.sim.trouble import Trouble, troubled_handlers
from tests.sim.virtual_time import VirtualEnv, VirtualLoop

__all__ = [
    "Script",
    "activity_command",
    "cancel_command",
    "child_command",
    "complete_command",
    "fail_command",
    "signal_command",
    "timer_command",
]


def activity_command(activity_id: str, **timeouts: float) -> Command:
    """Schedule an activity on the queue `q`; timeouts in seconds."""
    command = Command(command_type=ct.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
    attributes = command.schedule_activity_task_command_attributes
    attributes.activity_id = activity_id
    attributes.activity_type.name = "work"
    attributes.task_queue.name = "q"
    attributes.retry_policy.maximum_attempts = 1
    for name, length in (timeouts or {"start_to_close_timeout": 60}).items():
        getattr(attributes, name).CopyFrom(seconds(length))
    return command


def timer_command(timer_id: str, length: float) -> Command:
    command = Command(command_type=ct.COMMAND_TYPE_START_TIMER)
    command.start_timer_command_attributes.timer_id = timer_id
    command.start_timer_command_attributes.start_to_fire_timeout.CopyFrom(seconds(length))
    return command


def complete_command(result: str = "done") -> Command:
    command = Command(command_type=ct.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
    command.complete_workflow_execution_command_attributes.result.CopyFrom(payloads(result))
    return command


def fail_command() -> Command:
    command = Command(command_type=ct.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION)
    command.fail_workflow_execution_command_attributes.failure.CopyFrom(application_failure("failed"))
    return command


def child_command(workflow_id: str, policy: str = "TERMINATE", **fields: Any) -> Command:
    """Start a child on its parent's queue; `policy` is its parent close policy."""
    command = Command(command_type=ct.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)
    command.start_child_workflow_execution_command_attributes.MergeFrom(
        StartChildWorkflowExecutionCommandAttributes(
            workflow_id=workflow_id,
            workflow_type=WorkflowType(name="type"),
            parent_close_policy=f"PARENT_CLOSE_POLICY_{policy}",
            **fields,
        )
    )
    return command


def signal_command(workflow_id: str, signal_name: str = "go") -> Command:
    command = Command(command_type=ct.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION)
    attributes = command.signal_external_workflow_execution_command_attributes
    attributes.execution.workflow_id = workflow_id
    attributes.signal_name = signal_name
    return command


def cancel_command(workflow_id: str) -> Command:
    command = Command(command_type=ct.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION)
    command.request_cancel_external_workflow_execution_command_attributes.workflow_id = workflow_id
    return command


class Script:
    """The server under test, its requests as short methods, and every invariant checked after every step.

    `whole_families` says that no run has a relative in a namespace that is deleted.
    """

    def __init__(self, folder: Path, *, cache_bytes: int = 0, whole_families: bool = True) -> None:
        self.whole_families = whole_families
        self.loop = VirtualLoop()
        self.env = VirtualEnv(self.loop, Random(0), tick_ns=0)
        self.trouble = Trouble(Random(0))
        self.server = Server(folder / "history.db", self.env, self.loop, self.trouble, cache_bytes)
        self.server.check = self._check
        self.relatives = Relatives()
        self._number = 0

    def run(self, case: Coroutine[Any, Any, None]) -> None:
        """Run a case to its end, then check the whole file."""
        asyncio.set_event_loop(self.loop)

        async def program() -> None:
            await self.server.boot()
            await case
            check_file(self.engine.database.writer)
            runs = Runs(self.engine.database.writer)
            check_resets(runs)
            if self.whole_families:
                check_families(runs)
                check_messages(runs)

        task = self.loop.create_task(program())
        try:
            with troubled_handlers(self.trouble):
                while not task.done() and self.server.failure is None:
                    self.loop.call_later(1, self.loop.stop)
                    self.loop.run_forever()
            if self.server.failure is not None:
                raise self.server.failure
            task.result()
        finally:
            self.server.close()
            self.loop.end()
            asyncio.set_event_loop(None)

    def _check(self, engine: Engine, step: Step) -> None:
        for run_key in step.run_keys:
            run = check_run(engine, run_key)
            if self.whole_families:
                self.relatives.check(engine.database.writer, run, step)
        if self.server.all_tasks_read():
            check_engine(engine)

    @property
    def engine(self) -> Engine:
        assert self.server.engine is not None
        return self.server.engine

    async def restart(self) -> None:
        """Kill the server and wait until it is back."""
        self.server.crash()
        await self.server.up.wait()

    async def start(self, workflow_id: str = "w", **fields: Any) -> StartWorkflowExecutionResponse:
        self._number += 1
        request = StartWorkflowExecutionRequest(
            namespace="default",
            workflow_id=workflow_id,
            workflow_type=WorkflowType(name="type"),
            **{
                "task_queue": TaskQueue(name="q"),
                "request_id": f"start-{self._number}",
                "workflow_task_timeout": seconds(10),
                **fields,
            },
        )
        validate_start_workflow_execution(request, Limits(), registered={}, now_ns=self.env.now_ns())
        reply: StartReply = await self.engine.submit(StartWorkflowExecution(NAMESPACE_ID, request))
        return reply.response

    async def signal(self, name: str, workflow_id: str = "w", request_id: str = "", size_bytes: int = 0) -> None:
        request = SignalWorkflowExecutionRequest(
            namespace="default",
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            signal_name=name,
            request_id=request_id,
        )
        if size_bytes:
            request.input.CopyFrom(payloads("x" * size_bytes))
        await self.engine.submit(SignalWorkflowExecution(RunRef(NAMESPACE_ID, workflow_id), request))

    def poll_workflow(self, queue: str = "q", *, sticky: bool = False) -> Awaitable[StartedWorkflowTask]:
        """Poll in a task of its own; await it for the reply."""
        return self.loop.create_task(self.poll_workflow_here(queue, sticky=sticky))

    async def poll_workflow_here(self, queue: str = "q", *, sticky: bool = False) -> StartedWorkflowTask:
        """Poll in the caller's task."""
        record = PollerRecord("worker", self.env.now_ns())
        return await self.engine.poll_workflow_task(  # type: ignore[return-value]
            self.server.namespace, queue, sticky=sticky, record=record, timeout_seconds=60
        )

    def poll_activity(self) -> Awaitable[StartedActivityTask]:
        record = PollerRecord("worker", self.env.now_ns())
        return self.loop.create_task(  # type: ignore[return-value]
            self.engine.poll_activity_task(self.server.namespace, "q", record=record, timeout_seconds=60)
        )

    async def complete(
        self, task: StartedWorkflowTask, *commands: Command, sticky_queue: str = "", build_id: str = ""
    ) -> CompletedReply:
        request = RespondWorkflowTaskCompletedRequest(commands=commands, identity="worker")
        if build_id:
            request.worker_version_stamp.build_id = build_id
        if sticky_queue:
            sticky = StickyExecutionAttributes(
                worker_task_queue=TaskQueue(name=sticky_queue, kind=TASK_QUEUE_KIND_STICKY),
                schedule_to_start_timeout=seconds(5),
            )
            request.sticky_attributes.CopyFrom(sticky)
        run = RunRef(NAMESPACE_ID, run_key=task.run_key)
        reply: CompletedReply = await self.engine.submit(RespondWorkflowTaskCompleted(run, task.token, request))
        return reply

    async def fail(self, task: StartedWorkflowTask) -> None:
        run = RunRef(NAMESPACE_ID, run_key=task.run_key)
        request = RespondWorkflowTaskFailedRequest(identity="worker")
        await self.engine.submit(RespondWorkflowTaskFailed(run, task.token, request))

    async def complete_activity(self, task: StartedActivityTask, result: str = "done") -> None:
        token = ActivityTaskToken.decode(task.token)
        run = RunRef(NAMESPACE_ID, run_key=token.run_key)
        done = RespondActivityTaskCompleted(run, ActivityRef(token), payloads(result), "worker")
        await self.engine.submit(done)

    async def heartbeat(self, task: StartedActivityTask, details: Payloads | None = None) -> None:
        token = ActivityTaskToken.decode(task.token)
        run = RunRef(NAMESPACE_ID, run_key=token.run_key)
        await self.engine.submit(RecordActivityTaskHeartbeat(run, ActivityRef(token), details, "worker"))

    def histories(self) -> list[list[HistoryEvent]]:
        """Return the committed events of every run, the oldest run first."""
        return list(load_histories(self.engine.database.writer).values())

    def event_types(self, run: int = 0) -> list[str]:
        """Return a run's events by their short names; runs are counted from the oldest, 0."""
        names = [EventType.Name(event.event_type) for event in self.histories()[run]]
        return [name.removeprefix("EVENT_TYPE_").title().replace("_", "") for name in names]
