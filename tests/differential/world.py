"""What a scenario works with: clients, workers of both kinds, and the recorder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import grpc
from google.protobuf.message import Message
from temporalio.api import errordetails
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import GrpcStatus, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.operatorservice.v1.service_pb2_grpc import OperatorServiceStub
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryRequest,
    RequestCancelWorkflowExecutionRequest,
    ResetWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.differential.crashing_server import CrashingServer
from tests.differential.normalise import Normaliser
from tests.differential.raw_worker import RawWorker, payloads

CALL_TIMEOUT_SECONDS = 15
OTHER_NAMESPACE = "diff-other"
"""A namespace that every server under comparison has beside `default`."""


@dataclass(frozen=True)
class Connection:
    """The connections to one server that all scenarios of a run share."""

    client: Client
    channel: grpc.aio.Channel
    service: WorkflowServiceStub
    operator: OperatorServiceStub


class World:
    """One scenario's view of one server.

    Names are derived from the scenario's, so they are the same on every server and need no placeholder.
    """

    namespace = "default"
    other_namespace = OTHER_NAMESPACE

    def __init__(self, connection: Connection, scenario_name: str, server: CrashingServer | None = None) -> None:
        self.client = connection.client
        self.service = connection.service
        self.operator = connection.operator
        self.name = scenario_name.replace("/", "-")
        self.task_queue = f"{self.name}-queue"
        self.steps: list[dict[str, Any]] = []
        self._channel = connection.channel
        self._server = server
        self._normaliser = Normaliser()

    async def crash_and_restart(self) -> None:
        """SIGKILL the server, together with the other scenarios on it; return once it runs and serves again."""
        assert self._server is not None, "not a scenario with server=CRASHING_SERVER"
        await self._server.wait_for_crash()
        await self._channel.channel_ready()

        async def is_serving() -> bool:
            try:
                await self.describe(self.workflow_id("never-started"))
            except grpc.aio.AioRpcError as error:
                return error.code() is grpc.StatusCode.NOT_FOUND
            return True

        await self.eventually(is_serving)

    def workflow_id(self, suffix: str = "") -> str:
        """Return this scenario's workflow id, or another of its ids."""
        return f"{self.name}-{suffix}" if suffix else self.name

    def worker(
        self,
        workflows: Sequence[type] = (),
        activities: Sequence[Callable[..., Any]] = (),
        **options: Any,
    ) -> Worker:
        """Return an SDK worker on the scenario's task queue, to be used as a context manager."""
        options = {
            "task_queue": self.task_queue,
            "identity": "sdk-worker",
            "build_id": "build",
            "workflow_runner": UnsandboxedWorkflowRunner(),
            "graceful_shutdown_timeout": timedelta(0),
            **options,
        }
        return Worker(self.client, workflows=list(workflows), activities=list(activities), **options)

    def raw_worker(self, identity: str = "raw-worker", *, task_queue: str = "", namespace: str = "") -> RawWorker:
        """Return a worker that is driven task by task."""
        return RawWorker(self.service, namespace or self.namespace, task_queue or self.task_queue, identity)

    @property
    def child_id(self) -> str:
        """The workflow id of the scenario's one child."""
        return self.workflow_id("child")

    @property
    def child_queue(self) -> str:
        """A task queue that is the children's alone, so that a poll gets a child's task."""
        return f"{self.task_queue}-child"

    def child_worker(self, identity: str = "child-worker") -> RawWorker:
        """Return a worker on the children's task queue that is driven task by task."""
        return self.raw_worker(identity, task_queue=self.child_queue)

    async def start(self, workflow_id: str = "", **fields: Any) -> str:
        """Start a workflow by the bare RPC and return its run id; `fields` are the request's."""
        return str((await self.call(self.start_request(workflow_id, **fields))).run_id)

    def start_request(self, workflow_id: str = "", **fields: Any) -> StartWorkflowExecutionRequest:
        """Return a valid start request, with `fields` in place of its own."""
        workflow_id = workflow_id or self.workflow_id()
        fields = {
            "namespace": self.namespace,
            "workflow_id": workflow_id,
            "workflow_type": WorkflowType(name="RawWorkflow"),
            "task_queue": TaskQueue(name=self.task_queue),
            "identity": "starter",
            "request_id": f"start-{workflow_id}",
            **fields,
        }
        return StartWorkflowExecutionRequest(**{name: value for name, value in fields.items() if value is not None})

    async def signal(self, workflow_id: str = "", name: str = "go", *arguments: Any, run_id: str = "") -> None:
        """Signal a workflow by the bare RPC."""
        await self.call(
            SignalWorkflowExecutionRequest(
                namespace=self.namespace,
                workflow_execution=self.execution(workflow_id, run_id),
                signal_name=name,
                input=payloads(*arguments) if arguments else None,
                identity="signaller",
            )
        )

    async def cancel(self, workflow_id: str = "", **fields: Any) -> None:
        """Request the cancellation of a workflow by the bare RPC."""
        await self.call(
            RequestCancelWorkflowExecutionRequest(
                namespace=self.namespace,
                workflow_execution=self.execution(workflow_id),
                identity="canceller",
                **fields,
            )
        )

    async def terminate(self, workflow_id: str = "", **fields: Any) -> None:
        """Terminate a workflow by the bare RPC."""
        await self.call(
            TerminateWorkflowExecutionRequest(
                namespace=self.namespace,
                workflow_execution=self.execution(workflow_id),
                identity="terminator",
                **fields,
            )
        )

    def reset_request(
        self, workflow_task_finish_event_id: int, workflow_id: str = "", run_id: str = "", **fields: Any
    ) -> ResetWorkflowExecutionRequest:
        """Return a valid reset request, with `fields` in place of its own."""
        fields = {
            "namespace": self.namespace,
            "workflow_execution": self.execution(workflow_id, run_id),
            "workflow_task_finish_event_id": workflow_task_finish_event_id,
            "reason": "reset on purpose",
            "request_id": f"reset-{workflow_id or self.workflow_id()}-{workflow_task_finish_event_id}",
            "identity": "resetter",
            **fields,
        }
        return ResetWorkflowExecutionRequest(**{name: value for name, value in fields.items() if value is not None})

    async def reset(
        self, workflow_task_finish_event_id: int, workflow_id: str = "", run_id: str = "", **fields: Any
    ) -> str:
        """Reset a workflow by the bare RPC and return the id of its new run."""
        request = self.reset_request(workflow_task_finish_event_id, workflow_id, run_id, **fields)
        return str((await self.call(request)).run_id)

    async def describe(self, workflow_id: str = "", run_id: str = "") -> DescribeWorkflowExecutionResponse:
        """Describe a run."""
        reply: DescribeWorkflowExecutionResponse = await self.call(
            DescribeWorkflowExecutionRequest(namespace=self.namespace, execution=self.execution(workflow_id, run_id))
        )
        return reply

    async def record_description(self, name: str, workflow_id: str = "", run_id: str = "") -> None:
        """Record what DescribeWorkflowExecution says about a run now."""
        self.record_reply(name, await self.describe(workflow_id, run_id))

    async def record_chain(self, first_run_id: str, runs: int, workflow_id: str = "") -> None:
        """Record the histories of `runs` runs, each once it is closed, following the id of the next run."""
        run_id = first_run_id
        for _ in range(runs):
            last = await self.wait_closed(workflow_id, run_id)
            await self.record_history(workflow_id, run_id)
            attributes = getattr(last, last.WhichOneof("attributes") or "")
            run_id = getattr(attributes, "new_execution_run_id", "")

    async def call(
        self,
        request: Message,
        *,
        timeout_seconds: float | None = CALL_TIMEOUT_SECONDS,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> Any:
        """Send a request to the RPC that is named as it is, and return the reply."""
        rpc_name = type(request).__name__.removesuffix("Request")
        method = getattr(self.service, rpc_name, None) or getattr(self.operator, rpc_name)
        return await method(request, timeout=timeout_seconds, metadata=metadata)

    def execution(self, workflow_id: str = "", run_id: str = "") -> WorkflowExecution:
        return WorkflowExecution(workflow_id=workflow_id or self.workflow_id(), run_id=run_id)

    async def history(self, workflow_id: str = "", run_id: str = "", namespace: str = "") -> list[HistoryEvent]:
        """Read the whole history of a run."""
        events: list[HistoryEvent] = []
        token = b""
        while True:
            reply = await self.call(
                GetWorkflowExecutionHistoryRequest(
                    namespace=namespace or self.namespace,
                    execution=self.execution(workflow_id, run_id),
                    next_page_token=token,
                )
            )
            events.extend(reply.history.events)
            token = reply.next_page_token
            if not token:
                return events

    async def wait_for_events(self, count: int, workflow_id: str = "", run_id: str = "") -> list[HistoryEvent]:
        """Return the history once the run is there and it has at least `count` events."""

        async def long_enough() -> list[HistoryEvent] | None:
            try:
                events = await self.history(workflow_id, run_id)
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.NOT_FOUND:
                    return None
                raise
            return events if len(events) >= count else None

        return await self.eventually(long_enough)

    async def wait_closed(self, workflow_id: str = "", run_id: str = "") -> HistoryEvent:
        """Return a run's last event once it is closed."""
        token = b""
        while True:
            reply = await self.call(
                GetWorkflowExecutionHistoryRequest(
                    namespace=self.namespace,
                    execution=self.execution(workflow_id, run_id),
                    wait_new_event=True,
                    history_event_filter_type="HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT",
                    next_page_token=token,
                )
            )
            if reply.history.events:
                return reply.history.events[-1]
            token = reply.next_page_token

    async def age(self) -> None:
        """Wait until the runs started so far may continue as new at once: a younger run's next one is held back."""
        await asyncio.sleep(1.1)

    async def eventually(self, probe: Callable[[], Awaitable[Any]], timeout_seconds: float = 10) -> Any:
        """Call `probe` until it returns something true, and return that."""
        until = asyncio.get_running_loop().time() + timeout_seconds
        while True:
            found = await probe()
            if found:
                return found
            if asyncio.get_running_loop().time() > until:
                raise TimeoutError(f"nothing after {timeout_seconds} s from {probe.__qualname__}")
            await asyncio.sleep(0.05)

    async def record_history(self, workflow_id: str = "", run_id: str = "", namespace: str = "") -> None:
        """Record all events of a run."""
        workflow_id = workflow_id or self.workflow_id()
        events = await self.history(workflow_id, run_id, namespace)
        self.steps.append({"history": workflow_id, "events": self._normaliser.history(events)})

    async def record_events_by_child(self, workflow_id: str = "", run_id: str = "") -> None:
        """Record what the events of a run say of each child, where the order between children is left to chance."""
        by_child: dict[str, list[str]] = {}
        others: list[str] = []
        for event in await self.history(workflow_id, run_id):
            attributes = getattr(event, event.WhichOneof("attributes") or "")
            kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
            if "CHILD" in kind:
                execution = getattr(attributes, "workflow_execution", attributes)
                by_child.setdefault(execution.workflow_id, []).append(kind)
            else:
                others.append(kind)
        self.record_value("events by child", dict(sorted(by_child.items())))
        self.record_value("other events", others)

    def record_reply(self, name: str, message: Message) -> None:
        """Record an RPC's answer, or any other message."""
        self.steps.append({"reply": name, "message": self._normaliser.message(message)})

    def record_value(self, name: str, value: Any) -> None:
        """Record a plain value that JSON can hold."""
        self.steps.append({"value": name, "is": self._normaliser.text(value) if isinstance(value, str) else value})

    def record_error(self, name: str, error: BaseException) -> None:
        """Record a gRPC error with its status code, message, and details."""
        if isinstance(error, grpc.aio.AioRpcError):
            trailers = dict(error.trailing_metadata() or ())
            status = GrpcStatus.FromString(trailers.get("grpc-status-details-bin", b""))
            code, text = error.code().name, error.details() or ""
        elif isinstance(error, RPCError):
            status, code, text = error.grpc_status, error.status.name, error.message
        else:
            raise error
        if code == "DEADLINE_EXCEEDED":
            text = ""  # the client's own words
        self.steps.append(
            {
                "error": name,
                "code": code,
                "message": self._normaliser.text(text),
                "details": [self._detail(detail) for detail in status.details],
            }
        )

    async def record_call(
        self, name: str, request: Message, *, timeout_seconds: float | None = CALL_TIMEOUT_SECONDS
    ) -> Any:
        """Send a request and record whatever comes, its reply or its error; return the reply or None."""
        return await self.record_outcome(name, self.call(request, timeout_seconds=timeout_seconds))

    async def record_outcome(self, name: str, outcome: Awaitable[Any]) -> Any:
        """Await anything and record its result or its gRPC error; return the result or None."""
        try:
            result = await outcome
        except (grpc.aio.AioRpcError, RPCError) as error:
            self.record_error(name, error)
            return None
        if isinstance(result, Message):
            self.record_reply(name, result)
        else:
            self.record_value(name, result)
        return result

    async def record_task_with(self, name: str, *commands: Command) -> None:
        """Record the two events that follow when a new workflow's first task is completed with `commands`."""
        workflow_id = self.workflow_id(name.replace(" ", "-"))
        worker = self.raw_worker(task_queue=f"{workflow_id}-queue")
        await self.start(workflow_id, task_queue=TaskQueue(name=worker.task_queue))
        task = await worker.poll_workflow_task()
        await self.record_outcome(name, worker.complete_workflow_task(task, *commands))
        events = await self.history(workflow_id)
        self.steps.append({"events": name, "are": self._normaliser.history(events[3:5])})
        if (await self.describe(workflow_id)).HasField("pending_workflow_task"):
            await self.terminate(workflow_id)

    def _detail(self, detail: Any) -> dict[str, Any]:
        type_name = detail.type_url.rsplit("/", 1)[-1]
        message_type = getattr(errordetails.v1, type_name.rsplit(".", 1)[-1], None)
        if message_type is None:
            return {"type": type_name}
        return {"type": type_name, **self._normaliser.message(message_type.FromString(detail.value))}
