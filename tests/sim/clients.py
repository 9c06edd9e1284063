"""Simulated clients: they start, signal, cancel, terminate and wait, and try again when they heard nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import Memo, TimeSkippingConfig, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import workflow_pb2 as wf
from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.enums.v1.reset_pb2 import RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL, RESET_REAPPLY_EXCLUDE_TYPE_UPDATE
from temporalio.api.enums.v1.reset_pb2 import ResetReapplyExcludeType as ExcludeType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    ResetWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
    UpdateWorkflowExecutionOptionsRequest,
)

from engine.core.errors import Internal, InvalidArgument, ServiceError, Unavailable
from engine.core.inputs import (
    RequestCancelWorkflowExecution,
    ResetStickyTaskQueue,
    ResetWorkflowExecution,
    RunRef,
    SignalWithStartWorkflowExecution,
    SignalWorkflowExecution,
    StartWorkflowExecution,
    TerminateWorkflowExecution,
    UpdateWorkflowExecutionOptions,
)
from engine.core.policy.limits import Limits
from engine.core.policy.start_request import (
    validate_signal_with_start_workflow_execution,
    validate_start_workflow_execution,
)
from engine.runtime.engine import Engine
from engine.runtime.query_workflow import query_workflow
from tests.sim import updates
from tests.sim.commands import payloads, retry_policy, seconds
from tests.sim.invariants import require
from tests.sim.server import NAMESPACE_ID, ServerGoneError

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

__all__ = ["Client"]

_TRY_AGAIN = (ServerGoneError, Unavailable, Internal)
_SCHEDULED = EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED
_ENDS_OF_WORKFLOW_TASKS = (
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
)
_EXCLUDED: tuple[list[ExcludeType.ValueType], ...] = (
    [],
    [],
    [],
    [],
    [RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL],
    [RESET_REAPPLY_EXCLUDE_TYPE_UPDATE],
    [RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL, RESET_REAPPLY_EXCLUDE_TYPE_UPDATE],
    ExcludeType.values()[1:],
)
_StartLike = StartWorkflowExecutionRequest | SignalWithStartWorkflowExecutionRequest


class Client:
    """Does `actions` random things, one after the other."""

    def __init__(self, simulation: Simulation, name: str, actions: int) -> None:
        self.simulation = simulation
        self.random = simulation.random
        self.name = name
        self.done = simulation.watch(simulation.loop.create_task(self._run(actions)))

    async def _run(self, actions: int) -> None:
        kinds = (
            self._start, self._start, self._start, self._signal, self._signal, self._signal, self._signal_with_start,
            self._cancel, self._terminate, self._reset, self._reset, self._wait, self._reset_stickiness,
            self._query, self._update, self._update, self._update_with_start, self._poll_update,
            self._update_time_skipping,
        )  # fmt: skip
        for _ in range(actions):
            await asyncio.sleep(self.random.choice((0, 0, 0.001, 0.05, 0.5, 2, 8)))
            try:
                await self.random.choice(kinds)()
            except (ServiceError, ServerGoneError):
                continue

    async def submit(self, make: Callable[[], Any], *, tries: int = 6) -> Any:
        """Send a request until an answer comes."""
        for left in reversed(range(tries)):
            try:
                reply = await self.simulation.server.call(lambda engine: engine.submit(make()))
            except _TRY_AGAIN:
                if not left:
                    raise
                await asyncio.sleep(self.random.choice((0.01, 0.2, 4)))
                continue
            if self.random.random() < 0.1:
                await self._once_more(make)
            return reply
        raise AssertionError

    async def _once_more(self, make: Callable[[], Any]) -> None:
        try:
            await self.simulation.server.call(lambda engine: engine.submit(make()))
        except (ServiceError, ServerGoneError):
            return

    def _workflow_id(self) -> str:
        return f"w{self.random.randrange(self.simulation.world.workflow_ids)}"

    def _fill(self, request: _StartLike) -> None:
        random = self.random
        request.namespace = "default"
        request.workflow_id = self._workflow_id()
        request.request_id = f"{self.name}-{self.simulation.ledger.next_number()}"
        request.workflow_type.CopyFrom(WorkflowType(name="random"))
        request.task_queue.CopyFrom(TaskQueue(name=random.choice(self.simulation.world.task_queues)))
        request.input.CopyFrom(payloads("input"))
        request.identity = self.name
        request.workflow_task_timeout.CopyFrom(seconds(random.choice((1, 2, 10))))
        if random.random() < 0.2:
            request.workflow_run_timeout.CopyFrom(seconds(random.choice((2, 10, 60))))
        if random.random() < 0.15:
            request.workflow_execution_timeout.CopyFrom(seconds(random.choice((5, 30, 90))))
        if random.random() < 0.3:
            request.retry_policy.CopyFrom(retry_policy(random))
        if random.random() < 0.15:
            request.cron_schedule = random.choice(("@every 3s", "@every 10s", "* * * * *"))
        elif random.random() < 0.15:
            request.workflow_start_delay.CopyFrom(seconds(random.choice((0.5, 3))))
        if random.random() < 0.3:
            request.time_skipping_config.CopyFrom(self._time_skipping_config())
        if random.random() < 0.2:
            request.memo.CopyFrom(Memo(fields={"m": payloads("memo").payloads[0]}))
        request.workflow_id_reuse_policy = random.choice(
            (
                wf.WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED,
                wf.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
                wf.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
                wf.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
                wf.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING,
            )
        )

    def _time_skipping_config(self) -> TimeSkippingConfig:
        random = self.random
        config = TimeSkippingConfig(
            enabled=random.random() < 0.9,
            disable_propagation=random.random() < 0.2,
            max_session_skip_count=random.choice((1, 3, 50)),
        )
        if config.enabled and random.random() < 0.4:
            config.fast_forward_config.id = "ff"
            config.fast_forward_config.duration.CopyFrom(seconds(random.choice((0.5, 3, 40))))
        return config

    async def _update_time_skipping(self) -> None:
        """Switch time skipping on or off, or anew."""
        execution = self._execution()
        request = UpdateWorkflowExecutionOptionsRequest(
            namespace="default", workflow_execution=execution, identity=self.name
        )
        request.update_mask.paths.append("time_skipping_config")
        if self.random.random() < 0.8:
            config = self._time_skipping_config()
            request.workflow_execution_options.time_skipping_config.CopyFrom(config)
        run = RunRef(NAMESPACE_ID, execution.workflow_id, execution.run_id)
        await self.submit(lambda: UpdateWorkflowExecutionOptions(run, request))

    async def _start(self) -> None:
        request = StartWorkflowExecutionRequest()
        self._fill(request)
        if self.random.random() < 0.4:
            request.workflow_id_conflict_policy = self.random.choice(
                (
                    wf.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
                    wf.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
                    wf.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
                )
            )
            request.on_conflict_options.attach_request_id = self.random.random() < 0.5
        now_ns = self.simulation.env.now_ns()
        try:
            validate_start_workflow_execution(request, Limits(), registered={}, now_ns=now_ns)
        except InvalidArgument:
            return
        reply = await self.submit(lambda: StartWorkflowExecution(NAMESPACE_ID, request))
        self.simulation.ledger.starts[request.request_id] = reply.response.run_id

    async def _signal_with_start(self) -> None:
        request = SignalWithStartWorkflowExecutionRequest()
        self._fill(request)
        request.signal_name = f"with-start-{self.simulation.ledger.next_number()}"
        now_ns = self.simulation.env.now_ns()
        try:
            validate_signal_with_start_workflow_execution(request, Limits(), registered={}, now_ns=now_ns)
        except InvalidArgument:
            return
        reply = await self.submit(lambda: SignalWithStartWorkflowExecution(NAMESPACE_ID, request))
        self.simulation.ledger.starts[request.request_id] = reply.run_id
        self.simulation.ledger.signals.append(request.signal_name)

    async def _signal(self) -> None:
        ledger = self.simulation.ledger
        name = f"signal-{ledger.next_number()}"
        execution = self._execution()
        request = SignalWorkflowExecutionRequest(
            namespace="default", workflow_execution=execution, signal_name=name, identity=self.name
        )
        if self.simulation.large_signals:
            request.input.CopyFrom(payloads("x" * 30_000))
        run = RunRef(NAMESPACE_ID, execution.workflow_id, execution.run_id)
        if self.random.random() < 0.7:
            request.request_id = name
            await self.submit(lambda: SignalWorkflowExecution(run, request))
        else:
            ledger.once_sent_signals.add(name)
            await self.simulation.server.call(lambda engine: engine.submit(SignalWorkflowExecution(run, request)))
        ledger.signals.append(name)

    def _execution(self) -> WorkflowExecution:
        starts = self.simulation.ledger.starts
        workflow_id = self.simulation.world.any_workflow_id(self.random)
        if starts and self.random.random() < 0.2:
            run_id = self.random.choice(list(starts.values()))
            return WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        return WorkflowExecution(workflow_id=workflow_id)

    async def _cancel(self) -> None:
        execution = self._execution()
        request = RequestCancelWorkflowExecutionRequest(
            namespace="default", workflow_execution=execution, identity=self.name, reason="cancel"
        )
        run = RunRef(NAMESPACE_ID, execution.workflow_id, execution.run_id)
        await self.submit(lambda: RequestCancelWorkflowExecution(run, request))

    async def _terminate(self) -> None:
        async def find(engine: Engine) -> str:
            return engine.get_run(self.simulation.server.namespace, execution).run_id

        if self.random.random() < 0.5:
            return
        execution = self._execution()
        execution.run_id = await self.simulation.server.call(find)
        request = TerminateWorkflowExecutionRequest(
            namespace="default", workflow_execution=execution, identity=self.name, reason="terminate"
        )
        run = RunRef(NAMESPACE_ID, execution.workflow_id, execution.run_id)
        await self.submit(lambda: TerminateWorkflowExecution(run, request))
        self.simulation.ledger.terminations.append(execution.run_id)

    async def _reset(self) -> None:
        """Go on from a workflow task's end, or from when it was scheduled; now and then from somewhere else."""
        execution = self._execution()
        random = self.random

        async def find(engine: Engine) -> list[int]:
            state = engine.get_run(self.simulation.server.namespace, execution)
            events = engine.load_history(state, 1, state.next_event_id)
            return [HistoryEvent.FromString(event).event_type for event in events]

        types = await self.simulation.server.call(find)
        scheduled = random.random() < 0.2
        event_ids = [
            event_id + scheduled
            for event_id, event_type in enumerate(types, 1)
            if (event_type == _SCHEDULED if scheduled else event_type in _ENDS_OF_WORKFLOW_TASKS)
        ]
        event_id = random.choice(event_ids) if event_ids and random.random() < 0.9 else random.randrange(12)
        excluded = random.choice(_EXCLUDED)
        request = ResetWorkflowExecutionRequest(
            namespace="default",
            workflow_execution=execution,
            workflow_task_finish_event_id=event_id,
            request_id=f"{self.name}-{self.simulation.ledger.next_number()}",
            reset_reapply_exclude_types=excluded,
            reason=f"without {excluded}",
        )
        run = RunRef(NAMESPACE_ID, execution.workflow_id, execution.run_id)
        await self.submit(lambda: ResetWorkflowExecution(run, request))

    async def _wait(self) -> None:
        execution = self._execution()

        async def wait(engine: Engine) -> None:
            state = engine.get_run(self.simulation.server.namespace, execution)
            await engine.wait_for_history(
                state, state.next_event_id, self.random.choice((0.1, 5)), close_only=self.random.random() < 0.5
            )

        await self.simulation.server.call(wait)

    async def _query(self) -> None:
        execution = self._execution()
        name = f"query-{self.simulation.ledger.next_number()}"

        async def query(engine: Engine) -> WorkflowQueryResult:
            state = engine.get_run(self.simulation.server.namespace, execution)
            return await query_workflow(engine, state, WorkflowQuery(query_type=name), self.random.choice((0.5, 10)))

        result = await self.simulation.server.call(query)
        require(result.answer == payloads(f"answer to {name}"), f"the answer to {name} is {result.answer}")

    async def _update(self) -> None:
        await updates.send(self, self._execution())

    async def _poll_update(self) -> None:
        await updates.poll(self)

    async def _update_with_start(self) -> None:
        request = StartWorkflowExecutionRequest()
        self._fill(request)
        request.ClearField("cron_schedule")
        request.ClearField("workflow_start_delay")
        request.workflow_id_conflict_policy = wf.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
        now_ns = self.simulation.env.now_ns()
        try:
            validate_start_workflow_execution(request, Limits(), registered={}, now_ns=now_ns)
        except InvalidArgument:
            return
        await updates.send_with_start(self, request)

    async def _reset_stickiness(self) -> None:
        execution = self._execution()
        run = RunRef(NAMESPACE_ID, execution.workflow_id, execution.run_id)
        await self.submit(lambda: ResetStickyTaskQueue(run))
