"""Simulated workers: they poll, think, answer, answer twice, answer late, and die."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE as _TOO_LARGE,
)
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE as _UNHANDLED_FAILURE,
)
from temporalio.api.enums.v1.query_pb2 import QUERY_RESULT_TYPE_ANSWERED
from temporalio.api.enums.v1.task_queue_pb2 import TASK_QUEUE_KIND_STICKY
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult
from temporalio.api.taskqueue.v1 import StickyExecutionAttributes, TaskQueue
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest, RespondWorkflowTaskFailedRequest

from engine.core.errors import Internal, NotFound, ServiceError, Unavailable
from engine.core.inputs import (
    ActivityRef,
    RecordActivityTaskHeartbeat,
    RespondActivityTaskCanceled,
    RespondActivityTaskCompleted,
    RespondActivityTaskFailed,
    RespondWorkflowTaskCompleted,
    RespondWorkflowTaskFailed,
    RunRef,
)
from engine.core.matching.task_queue import PollerRecord
from engine.core.matching.task_token import ActivityTaskToken, QueryTaskToken, WorkflowTaskToken
from engine.core.run.activity_task import HeartbeatReply, StartedActivityTask
from engine.core.run.workflow_task import StartedWorkflowTask
from engine.core.run.workflow_task_completed import CompletedReply
from engine.runtime.engine import Engine
from engine.runtime.queries import QueryTask
from tests.sim import updates
from tests.sim.commands import View, application_failure, decide, finish, payloads, seconds
from tests.sim.invariants import BrokenInvariantError, require
from tests.sim.server import NAMESPACE_ID, ServerGoneError

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

__all__ = ["ActivityWorker", "WorkflowWorker"]


def query_result(query: WorkflowQuery) -> WorkflowQueryResult:
    """Return the answer that every simulated workflow gives to this query."""
    return WorkflowQueryResult(result_type=QUERY_RESULT_TYPE_ANSWERED, answer=payloads(f"answer to {query.query_type}"))


_TRY_AGAIN = (ServerGoneError, Unavailable, Internal)


class _Worker:
    def __init__(self, simulation: Simulation, name: str, task_queue: str) -> None:
        self.simulation = simulation
        self.random = simulation.random
        self.name = name
        self.task_queue = task_queue
        self._loops: list[asyncio.Task[None]] = []

    def die(self) -> None:
        """Stop like a killed process: polls end, nothing is answered any more."""
        for loop in self._loops:
            loop.cancel()

    async def poll(self, operation: Callable[[Engine], Awaitable[Any]]) -> Any:
        """Poll once; None when nothing came, the client went away or the server did."""
        simulation = self.simulation
        call = simulation.loop.create_task(simulation.server.call(operation, poll=True))
        if simulation.trouble.happens(simulation.trouble.cancelled_poll):
            simulation.loop.call_later(self.random.choice((0, 0.0001, 0.01, 1)), call.cancel)
        try:
            return await call
        except asyncio.CancelledError:
            current = asyncio.current_task()
            assert current is not None
            if current.cancelling():
                raise
            return None
        except _TRY_AGAIN:
            await asyncio.sleep(0.05)
            return None

    async def answer(self, make: Callable[[], Any]) -> Any:
        """Send an answer until it is known what became of it; repeat it now and then.

        Raises:
            ServiceError: it was refused.
        """
        server = self.simulation.server
        for _ in range(8):
            try:
                reply = await server.call(lambda engine: engine.submit(make()))
                break
            except _TRY_AGAIN:
                await asyncio.sleep(self.random.choice((0.01, 0.3)))
        else:
            raise NotFound("gave up")
        if self.random.random() < 0.1:
            try:
                again = await server.call(lambda engine: engine.submit(make()))
            except (ServiceError, ServerGoneError):
                return reply
            if isinstance(reply, CompletedReply) and reply.error is not None:
                return again  # a retried task goes on after a bad answer, and an update that was lost may be back
            if not isinstance(again, CompletedReply) or again.error is None:
                raise BrokenInvariantError(f"{self.name}: an answer was taken twice")
        return reply


class WorkflowWorker(_Worker):
    """Polls for workflow tasks; with `sticky` it keeps the histories that it has seen."""

    def __init__(self, simulation: Simulation, name: str, task_queue: str, *, sticky: bool) -> None:
        super().__init__(simulation, name, task_queue)
        self.sticky_queue = f"{name}-sticky" if sticky else ""
        self._known: dict[str, list[HistoryEvent]] = {}
        self._speculative: set[tuple[str, int]] = set()
        self._loops.append(simulation.loop.create_task(self._poll_loop(task_queue, sticky=False)))
        if sticky:
            self._loops.append(simulation.loop.create_task(self._poll_loop(self.sticky_queue, sticky=True)))
        for loop in self._loops:
            simulation.watch(loop)

    async def _poll_loop(self, queue: str, *, sticky: bool) -> None:
        server = self.simulation.server

        async def operation(engine: Engine) -> Any:
            record = PollerRecord(self.name, engine.env.now_ns())
            task = await engine.poll_workflow_task(
                server.namespace, queue, sticky=sticky, record=record, timeout_seconds=20
            )
            if isinstance(task, QueryTask):
                return task
            if task is None:
                return None
            return task, self._history(engine, task, task.first_event_id)

        while True:
            polled = await self.poll(operation)
            if isinstance(polled, QueryTask):
                await self._answer_query(polled)
            elif polled is not None:
                await self._run(*polled)

    async def _answer_query(self, task: QueryTask) -> None:
        if self.simulation.chaos and self.random.random() < 0.2:
            return

        async def answer(engine: Engine) -> None:
            engine.answer_query(QueryTaskToken.decode(task.token), query_result(task.pending.query))

        try:
            await self.simulation.server.call(answer)
        except (ServiceError, ServerGoneError):
            return

    def _history(self, engine: Engine, task: StartedWorkflowTask, first_event_id: int) -> list[HistoryEvent]:
        state = engine.find_run(task.run_key)
        assert state is not None
        blobs = engine.load_history(state, first_event_id, task.next_event_id)
        events = [HistoryEvent.FromString(blob) for blob in blobs]
        events += task.unwritten_events
        expected = range(first_event_id, first_event_id + len(events))
        require([event.event_id for event in events] == list(expected), "a task's history has gaps")
        require(len(events) == task.token.started_event_id - first_event_id + 1, "a task's history has a wrong length")
        require(events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED, "a task's history ends elsewhere")
        return events

    async def _run(self, task: StartedWorkflowTask, events: list[HistoryEvent]) -> None:
        next_task: StartedWorkflowTask | None = task
        while next_task is not None:
            task, next_task = next_task, None
            history = await self._whole(task, events)
            if history is None:
                return
            self._known[task.run_id] = history
            speculative = bool(task.unwritten_events) and task.token.attempt == 1
            if speculative:
                self._speculative |= {(task.run_id, event.event_id) for event in task.unwritten_events}
            await asyncio.sleep(self._thinking_seconds())
            try:
                reply = await self._respond(task, history)
            except ServiceError:
                return
            if reply is None or reply.error is not None:
                return
            if not speculative:
                self.simulation.ledger.workflow_tasks.append((task.run_id, task.token.started_event_id))
            for activity in reply.activity_tasks:
                worker = self.simulation.activity_workers[0]
                self.simulation.watch(self.simulation.loop.create_task(worker.execute(activity)))
            if reply.new_workflow_task is not None:
                next_task = reply.new_workflow_task
                new_events = await self._read(next_task, next_task.first_event_id)
                if new_events is None:
                    return
                events = new_events

    async def _whole(self, task: StartedWorkflowTask, events: list[HistoryEvent]) -> list[HistoryEvent] | None:
        first = events[0].event_id
        known = self._known.get(task.run_id, [])[: first - 1]
        whole = await self._read(task, 1)
        if whole is None:
            return None
        if len(known) == first - 1:
            fits = [self._told(task, event) for event in known + events] == [self._told(task, event) for event in whole]
            require(fits, f"{self.name}: the history kept and the events sent do not fit together")
        return whole

    def _told(self, task: StartedWorkflowTask, event: HistoryEvent) -> HistoryEvent:
        """Return an event without what the history may say differently, when it was told of a speculative task."""
        if (task.run_id, event.event_id) not in self._speculative:
            return event
        return HistoryEvent(event_id=event.event_id, event_type=event.event_type, event_time=event.event_time)

    async def _read(self, task: StartedWorkflowTask, first_event_id: int) -> list[HistoryEvent] | None:
        async def read(engine: Engine) -> list[HistoryEvent]:
            return self._history(engine, task, first_event_id)

        try:
            return await self.simulation.server.call(read)
        except _TRY_AGAIN:
            return None

    def _thinking_seconds(self) -> float:
        if not self.simulation.chaos:
            return 0.0
        return self.random.choice((0, 0, 0, 0.001, 0.01, 0.1, 1, 3))

    async def _respond(self, task: StartedWorkflowTask, history: list[HistoryEvent]) -> CompletedReply | None:
        run = RunRef(NAMESPACE_ID, run_key=task.run_key)
        random, chaos = self.random, self.simulation.chaos
        if chaos and random.random() < 0.05:
            return None
        if chaos and random.random() < 0.07:
            failed = RespondWorkflowTaskFailedRequest(
                cause=random.choice((_UNHANDLED_FAILURE, _UNHANDLED_FAILURE, _TOO_LARGE)),
                failure=application_failure("workflow task failed"),
                identity=self.name,
            )
            await self.answer(lambda: RespondWorkflowTaskFailed(run, task.token, failed))
            return None
        request = RespondWorkflowTaskCompletedRequest(identity=self.name)
        view = View.of(history)
        request.commands.extend(decide(random, view, self.task_queue, self.simulation.world) if chaos else finish())
        if chaos:
            quiet = bool(task.messages) and random.random() < 0.5
            if quiet:
                del request.commands[:]
            updates.add_answers(random, request, task.messages, task.run_id, history)
        if self.sticky_queue and (not chaos or random.random() < 0.85):
            sticky = StickyExecutionAttributes(
                worker_task_queue=TaskQueue(name=self.sticky_queue, kind=TASK_QUEUE_KIND_STICKY),
                schedule_to_start_timeout=seconds(random.choice((0.5, 5))),
            )
            request.sticky_attributes.CopyFrom(sticky)
        engine = self.simulation.server.engine
        if engine is not None:
            for query_id, query in engine.pending_queries(task.run_key).items():
                request.query_results[query_id].CopyFrom(query_result(query))
        if random.random() < 0.3:
            request.worker_version_stamp.build_id = random.choice(("build-1", "build-2"))
        request.return_new_workflow_task = random.random() < 0.3
        request.force_create_new_workflow_task = chaos and random.random() < 0.15

        def completed() -> RespondWorkflowTaskCompleted:
            copy = RespondWorkflowTaskCompletedRequest()
            copy.CopyFrom(request)
            return RespondWorkflowTaskCompleted(run, WorkflowTaskToken.decode(task.token.encode()), copy)

        reply: CompletedReply = await self.answer(completed)
        return reply


class ActivityWorker(_Worker):
    """Polls for activity tasks."""

    def __init__(self, simulation: Simulation, name: str, task_queue: str) -> None:
        super().__init__(simulation, name, task_queue)
        self._loops.append(simulation.loop.create_task(self._poll_loop()))
        simulation.watch(self._loops[0])

    async def _poll_loop(self) -> None:
        server = self.simulation.server

        async def operation(engine: Engine) -> StartedActivityTask | None:
            record = PollerRecord(self.name, engine.env.now_ns())
            return await engine.poll_activity_task(server.namespace, self.task_queue, record=record, timeout_seconds=20)

        while True:
            task = await self.poll(operation)
            if task is not None:
                await self.execute(task)

    async def execute(self, task: StartedActivityTask) -> None:
        """Run one attempt to some end."""
        ledger, random = self.simulation.ledger, self.random
        token = ActivityTaskToken.decode(task.token)
        key = (token.run_id, token.scheduled_event_id)
        ledger.check_heartbeat(key, task.heartbeat_details)
        run, ref = RunRef(NAMESPACE_ID, run_key=token.run_key), ActivityRef(token)
        if random.random() < 0.1:
            run = RunRef(NAMESPACE_ID, task.run.workflow_id, token.run_id)
            ref = ActivityRef(activity_id=task.activity.activity_id)
        try:
            if self.simulation.chaos:
                kind = await self._work(run, token, key)
                if kind is None:
                    return
            else:
                kind = 0
            if kind <= 4:
                result = f"{token.run_id}/{token.scheduled_event_id}/{token.attempt}/{ledger.next_number()}"
                await self.answer(lambda: RespondActivityTaskCompleted(run, ref, payloads(result), self.name))
                ledger.activity_results[key] = result
                if ref.token is not None:
                    ledger.activity_attempts[key] = token.attempt
            elif kind == 5:
                await self.answer(lambda: RespondActivityTaskCanceled(run, ref, None, self.name))
            else:
                failure = application_failure(
                    random.choice(("fatal", "flaky", "flaky")),
                    non_retryable=random.random() < 0.1,
                    delay=random.choice((None, None, 0.2)),
                )
                details = payloads(f"last {ledger.next_number()}") if random.random() < 0.2 else None
                if details is not None:
                    ledger.heartbeat_sent(key, details)
                await self.answer(lambda: RespondActivityTaskFailed(run, ref, failure, self.name, details))
        except ServiceError:
            return

    async def _work(self, run: RunRef, token: ActivityTaskToken, key: tuple[str, int]) -> int | None:
        """Heartbeat for a while; return how to answer (5: cancelled), None for never."""
        ledger, random = self.simulation.ledger, self.random
        for _ in range(random.choice((0, 0, 1, 3))):
            await asyncio.sleep(random.choice((0.05, 0.2, 1)))
            details = payloads(f"beat {ledger.next_number()}") if random.random() < 0.8 else None
            if details is not None:
                ledger.heartbeat_sent(key, details)
            try:
                reply: HeartbeatReply = await self.simulation.server.call(
                    lambda engine, details=details: engine.submit(  # type: ignore[misc]
                        RecordActivityTaskHeartbeat(run, ActivityRef(token), details, self.name)
                    )
                )
            except _TRY_AGAIN:
                continue
            if details is not None:
                ledger.heartbeat_acknowledged(key, details)
            if reply.cancel_requested and random.random() < 0.7:
                return 5
        await asyncio.sleep(random.choice((0, 0, 0.01, 0.5, 4)))
        return random.randrange(8) if random.random() > 0.1 else None
