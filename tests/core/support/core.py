"""Drive the pure core as the runtime does: feed inputs, keep what transitions say, move the clock.

Rules:
- A `Core` is one namespace with its runs; a `Run` is a handle on one of them, with the worker's side of it.
- After every input the run is also loaded from what was kept, and both must be equal (see `stored_run`).
- A refused input must leave the run as it was.
- Tasks wait in `offered_*` until the test polls; only the newest offer of a task can be taken.
- What a run sends another one is delivered at once after the sender's transition; the sender gets its answer.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Payloads, WorkflowType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Input, Meta, Request
from temporalio.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionResponse,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    StartWorkflowExecutionResponse,
    TerminateWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)

from engine.core import inputs
from engine.core.dispatch import HANDLERS
from engine.core.effects import (
    AnswerQueries,
    AnswerUpdate,
    EnqueueActivityTask,
    EnqueueWorkflowTask,
    SendToRun,
    SetDeadline,
)
from engine.core.errors import FailWorkflowTask, InvalidArgument, NotFound, RunOutgrown, ServiceError
from engine.core.inputs import FailWorkflowTaskCommand, RespondWorkflowTaskCompleted, RunRef
from engine.core.namespace import Namespace
from engine.core.policy.limits import Limits
from engine.core.policy.start_request import (
    validate_signal_with_start_workflow_execution,
    validate_start_workflow_execution,
)
from engine.core.policy.update_request import validate_update_workflow_execution
from engine.core.run import start
from engine.core.run.activity_task import HeartbeatReply, StartedActivityTask
from engine.core.run.deadlines import next_deadline_ns
from engine.core.run.state import ActivityInfo, RunState
from engine.core.run.update import AdmittedUpdate, UpdateStatus, find_status
from engine.core.run.workflow_task import StartedWorkflowTask
from engine.core.run.workflow_task_completed import CompletedReply
from engine.core.transition import Context, Transition
from tests.core.support.env import SECOND_NS, VirtualEnv
from tests.core.support.history import assert_history, outline
from tests.core.support.messages import TASK_QUEUE, WORKER, application_failure, payloads
from tests.core.support.stored_run import StoredRun
from tests.core.support.worker_inputs import activity_ref

WORKFLOW_ID = "workflow"
NAMESPACE_ID = "namespace-id"


@dataclass
class Core:
    """One namespace, its runs by key, and the world that they see; `namespaces` are others that exist beside it."""

    limits: Limits = field(default_factory=Limits)
    env: VirtualEnv = field(default_factory=VirtualEnv)
    search_attributes: dict[str, int] = field(default_factory=dict)
    namespaces: tuple[str, ...] = ()
    runs: dict[int, Run] = field(default_factory=dict)
    eager_task: StartedWorkflowTask | None = None
    """The task that came with the reply to the last start."""

    def __post_init__(self) -> None:
        namespace = Namespace(1, NAMESPACE_ID, "default", custom_search_attributes=self.search_attributes)
        all_by_name = {name: Namespace(2, f"{name}-id", name) for name in self.namespaces} | {"default": namespace}
        self.context = Context(self.env, self.limits, namespace, all_by_name.get)

    def current(self, workflow_id: str = WORKFLOW_ID) -> Run | None:
        """Return the newest run of the workflow id."""
        keys = [key for key, run in self.runs.items() if run.state.workflow_id == workflow_id]
        return self.runs[max(keys)] if keys else None

    def start(self, **fields: Any) -> Run:
        """Start a run and return its handle; `fields` are the request's."""
        self.start_workflow(**fields)
        run = self.current(fields.get("workflow_id", WORKFLOW_ID))
        assert run is not None
        return run

    def start_idle(self, **fields: Any) -> Run:
        """Start a run and complete its first workflow task, without commands."""
        run = self.start(**fields)
        run.complete()
        return run

    def start_workflow(self, **fields: Any) -> StartWorkflowExecutionResponse:
        """Send a start as the service does; return its reply."""
        request = self._start_request(StartWorkflowExecutionRequest, fields)
        validate_start_workflow_execution(
            request, self.limits, registered=self.search_attributes, now_ns=self.env.time_ns
        )
        current = self.current(request.workflow_id)
        started = start.start_workflow(self.context, current and current.state, request)
        self.finish_all(started.transitions)
        self.eager_task = started.reply.eager_task
        return started.reply.response

    def signal_with_start(self, signal_name: str = "go", **fields: Any) -> SignalWithStartWorkflowExecutionResponse:
        """Send a signal-with-start as the service does; return its reply."""
        request = self._start_request(SignalWithStartWorkflowExecutionRequest, fields | {"signal_name": signal_name})
        validate_signal_with_start_workflow_execution(
            request, self.limits, registered=self.search_attributes, now_ns=self.env.time_ns
        )
        current = self.current(request.workflow_id)
        started = start.signal_with_start_workflow(self.context, current and current.state, request)
        self.finish_all(started.transitions)
        return started.reply

    def _start_request(self, request_type: Any, fields: dict[str, Any]) -> Any:
        defaults = {
            "namespace": "default",
            "workflow_id": WORKFLOW_ID,
            "workflow_type": WorkflowType(name="Workflow"),
            "task_queue": TaskQueue(name=TASK_QUEUE),
            "identity": "starter",
        }
        request = request_type(**(defaults | fields))
        request.request_id = request.request_id or self.env.new_id()
        return request

    def finish_all(self, transitions: list[Transition]) -> None:
        """Keep transitions, which may be of new runs."""
        for t in transitions:
            if t.state.run_key not in self.runs:
                run = self.runs[t.state.run_key] = Run(self, t.state)
                if t.copied_from is not None:
                    run.stored.blobs = self.runs[t.copied_from[0]].stored.blobs[: t.copied_from[1] - 1]
            self.runs[t.state.run_key].finish(t)

    def finish_new_runs(self, t: Transition) -> None:
        self.finish_all(t.new_runs)

    def find(self, ref: RunRef) -> Run | None:
        """Return the run that an input is for."""
        if ref.run_key:
            return self.runs.get(ref.run_key)
        if not ref.run_id:
            return self.current(ref.workflow_id)
        return next((run for run in self.runs.values() if run.state.run_id == ref.run_id), None)

    def deliver(self, message: SendToRun) -> None:
        """Hand a message to its run, and the answer to its sender."""
        sender = None if message.sender is None else self.find(message.sender.run)
        if sender is not None and not sender.state.running:
            return
        run_id, error = "", None
        try:
            run_id = self._receive(message.item)
        except ServiceError as refusal:
            error = refusal
        if message.sender is not None and sender is not None:
            command_type, initiated_event_id = message.sender.command_type, message.sender.initiated_event_id
            sender.send(inputs.MessageAnswered(sender.ref, command_type, initiated_event_id, run_id, error))

    def _receive(self, item: Any) -> str:
        """Apply a message; return the run id of a child that it starts."""
        if not isinstance(item, inputs.StartChildWorkflowExecution):
            target = self.find(item.run)
            while target is not None and not target.state.running and target.state.reset_run_id:
                target = self.find(RunRef(NAMESPACE_ID, target.state.workflow_id, target.state.reset_run_id))
            if target is None:
                raise NotFound("workflow execution not found")
            target.send(item)
            return ""
        parent, current = self.find(item.parent), self.current(item.workflow_id)
        assert parent is not None
        started = start.start_child_workflow(
            self.context, current and current.state, parent.state, item.initiated_event_id, item.after_reset
        )
        self.finish_all(started.transitions)
        return started.reply

    def advance(self, seconds: float) -> None:
        """Move the clock, stopping at every deadline on the way to act on it, as the runtime's timer does."""
        until_ns = self.env.time_ns + round(seconds * SECOND_NS)
        while True:
            due = [(run.next_deadline_ns, key) for key, run in self.runs.items() if run.next_deadline_ns is not None]
            if not due or min(due)[0] > until_ns:
                break
            due_ns, run_key = min(due)
            self.env.time_ns = max(self.env.time_ns, due_ns)
            self.runs[run_key].deadline_due()
        self.env.time_ns = until_ns


@dataclass
class Run:
    """One run, with the worker that serves it."""

    core: Core
    state: RunState
    stored: StoredRun = field(default_factory=StoredRun)
    offered_workflow_task: EnqueueWorkflowTask | None = None
    offered_activities: dict[int, EnqueueActivityTask] = field(default_factory=dict)
    answered_queries: list[AnswerQueries] = field(default_factory=list)
    answered_updates: dict[str, Failure | ServiceError] = field(default_factory=dict)
    task: StartedWorkflowTask | None = None

    @property
    def ref(self) -> RunRef:
        return RunRef(NAMESPACE_ID, run_key=self.state.run_key)

    @property
    def events(self) -> list[HistoryEvent]:
        return self.stored.events()

    @property
    def next_deadline_ns(self) -> int | None:
        return next_deadline_ns(self.state)

    @property
    def next_run(self) -> Run:
        """The run that this one was followed by."""
        for run in self.core.runs.values():
            if run.state.run_id == self.state.new_execution_run_id:
                return run
        raise AssertionError("no run follows this one")

    def history(self) -> str:
        """Return the history in the DSL, without attributes."""
        return outline(self.events)

    def assert_history(self, expected: str) -> None:
        """Compare the history, from the first event that `expected` names, with the DSL."""
        assert_history(self.events, expected)

    def activity(self, activity_id: str) -> ActivityInfo:
        """Return a pending activity."""
        return self.state.activities[self.state.activity_ids[activity_id]]

    # Inputs.

    def send(self, item: Any) -> Any:
        """Handle one input: keep what its transition says, or see that a refusal changed nothing."""
        before = copy.deepcopy(self.state)
        t = Transition(self.core.context, self.state)
        try:
            reply = HANDLERS[type(item)](t, item)
        except ServiceError:
            if t.touched or t.changed_in_memory:
                # A completion may be half done when a command is refused; the runtime loads the run again.
                assert isinstance(item, RespondWorkflowTaskCompleted)
                self.reload()
            else:
                assert self.state == before
            raise
        except FailWorkflowTask as error:
            assert isinstance(item, RespondWorkflowTaskCompleted)
            self.reload()
            return self.send(FailWorkflowTaskCommand.instead_of(item, error))
        try:
            self.finish(t)
        except RunOutgrown as error:
            self.reload()
            self.send(inputs.EndOutgrownRun(self.ref, error.message))
            raise InvalidArgument(error.message) from None
        return reply

    def reload(self) -> None:
        """Throw the state away and load the run again, as after an eviction or a crash."""
        self.state = self.stored.load(self.state)

    def finish(self, t: Transition) -> None:
        """Close a transition, keep it, take its effects, and compare with the run loaded again."""
        t.close()
        if not t.touched:
            assert not t.event_rows
            assert not t.effects or t.changed_in_memory
        self.stored.save(t)
        for effect in t.effects:
            if isinstance(effect, EnqueueWorkflowTask):
                self.offered_workflow_task = effect
            elif isinstance(effect, EnqueueActivityTask):
                self.offered_activities[effect.scheduled_event_id] = effect
            elif isinstance(effect, AnswerQueries):
                self.answered_queries.append(effect)
            elif isinstance(effect, AnswerUpdate):
                self.answered_updates[effect.update_id] = effect.result
            elif isinstance(effect, SetDeadline):
                assert effect.due_ns == self.next_deadline_ns
        self.stored.check(self.state)
        self.core.finish_new_runs(t)
        for effect in t.effects:
            if isinstance(effect, SendToRun):
                self.core.deliver(effect)

    def deadline_due(self) -> None:
        """Tell the run that its earliest deadline has passed."""
        self.send(inputs.DeadlineDue(self.ref))

    def signal(self, signal_name: str = "go", **fields: Any) -> Message:
        request = SignalWorkflowExecutionRequest(
            **({"namespace": "default", "signal_name": signal_name, "identity": "signaller"} | fields)
        )
        reply: Message = self.send(inputs.SignalWorkflowExecution(self.ref, request))
        return reply

    def request_cancel(self, **fields: Any) -> Message:
        request = RequestCancelWorkflowExecutionRequest(**({"identity": "canceller"} | fields))
        reply: Message = self.send(inputs.RequestCancelWorkflowExecution(self.ref, request))
        return reply

    def update(self, update_id: str = "update", *arguments: Any, **fields: Any) -> AdmittedUpdate:
        """Send an update; `fields` are the request's beside the update itself."""
        update = Request(meta=Meta(update_id=update_id, identity="updater"), input=Input(name="set"))
        if arguments:
            update.input.args.CopyFrom(payloads(*arguments))
        request = UpdateWorkflowExecutionRequest(
            **({"namespace": "default", "workflow_execution": {"workflow_id": WORKFLOW_ID}, "request": update} | fields)
        )
        validate_update_workflow_execution(request, self.core.limits)
        admitted: AdmittedUpdate = self.send(inputs.UpdateWorkflowExecution(self.ref, request))
        return admitted

    def update_status(self, update_id: str = "update") -> UpdateStatus | ServiceError | None:
        """Return how far an update has come."""
        return find_status(self.state, update_id)

    def terminate(self, **fields: Any) -> None:
        request = TerminateWorkflowExecutionRequest(**({"reason": "enough", "identity": "terminator"} | fields))
        self.send(inputs.TerminateWorkflowExecution(self.ref, request))

    # The worker: workflow tasks.

    def poll(self, *, task_queue: str = "", identity: str = WORKER) -> StartedWorkflowTask:
        """Take the offered workflow task from the queue that it is on, or from `task_queue`."""
        offer, self.offered_workflow_task = self.offered_workflow_task, None
        assert offer is not None, "no workflow task is offered"
        task = self.dispatch_workflow_task(offer, task_queue=task_queue or offer.task_queue, identity=identity)
        assert task is not None, "the offered workflow task is stale"
        self.task = task
        return task

    def dispatch_workflow_task(
        self, offer: EnqueueWorkflowTask, *, task_queue: str = TASK_QUEUE, identity: str = WORKER
    ) -> StartedWorkflowTask | None:
        """Hand an offer, which may be stale, to a poller of `task_queue`."""
        sticky = offer.sticky and task_queue == offer.task_queue
        task: StartedWorkflowTask | None = self.send(
            inputs.WorkflowTaskDispatched(
                self.ref, offer.scheduled_event_id, offer.attempt, task_queue, sticky, identity
            )
        )
        return task

    def complete(self, *commands: Command, task: StartedWorkflowTask | None = None, **fields: Any) -> CompletedReply:
        """Complete the task that the worker has (polling one first if it has none)."""
        if task is None:
            task = self.task or self.poll()
        request = RespondWorkflowTaskCompletedRequest(commands=commands, **({"identity": WORKER} | fields))
        self.task = None
        try:
            reply: CompletedReply = self.send(inputs.RespondWorkflowTaskCompleted(self.ref, task.token, request))
        except ServiceError:
            self.task = task
            raise
        if reply.new_workflow_task is not None:
            self.task = reply.new_workflow_task
        return reply

    def fail_workflow_task(self, *, task: StartedWorkflowTask | None = None, **fields: Any) -> None:
        """Fail the task that the worker has (polling one first if it has none)."""
        if task is None:
            task = self.task or self.poll()
        self.task = None
        request = RespondWorkflowTaskFailedRequest(**({"identity": WORKER} | fields))
        self.send(inputs.RespondWorkflowTaskFailed(self.ref, task.token, request))

    # The worker: activities.

    def poll_activity(self, activity_id: str, *, identity: str = WORKER) -> StartedActivityTask:
        """Take the offered attempt of an activity."""
        offer = self.offered_activities.pop(self.state.activity_ids[activity_id], None)
        assert offer is not None, f"activity {activity_id} is not offered"
        task = self.dispatch_activity(offer, identity=identity)
        assert task is not None, "the offered activity task is stale"
        return task

    def dispatch_activity(self, offer: EnqueueActivityTask, *, identity: str = WORKER) -> StartedActivityTask | None:
        """Hand an offer, which may be stale, to a poller."""
        task: StartedActivityTask | None = self.send(
            inputs.ActivityTaskDispatched(self.ref, offer.scheduled_event_id, offer.attempt, identity)
        )
        return task

    def complete_activity(self, which: StartedActivityTask | str, *results: Any) -> None:
        """Complete by the task's token, or by activity id."""
        result = payloads(*results) if results else None
        self.send(inputs.RespondActivityTaskCompleted(self.ref, activity_ref(which), result, WORKER))

    def fail_activity(
        self,
        which: StartedActivityTask | str,
        failure: Failure | None = None,
        last_heartbeat_details: Payloads | None = None,
    ) -> None:
        """Fail by the task's token, or by activity id."""
        failure = failure or application_failure()
        self.send(
            inputs.RespondActivityTaskFailed(self.ref, activity_ref(which), failure, WORKER, last_heartbeat_details)
        )

    def cancel_activity(self, which: StartedActivityTask | str, *details: Any) -> None:
        """Report a cancellation by the task's token, or by activity id."""
        sent = payloads(*details) if details else None
        self.send(inputs.RespondActivityTaskCanceled(self.ref, activity_ref(which), sent, WORKER))

    def heartbeat(self, which: StartedActivityTask | str, *details: Any) -> HeartbeatReply:
        """Heartbeat by the task's token, or by activity id."""
        sent = payloads(*details) if details else None
        reply: HeartbeatReply = self.send(
            inputs.RecordActivityTaskHeartbeat(self.ref, activity_ref(which), sent, WORKER)
        )
        return reply
