"""Runs in a database file, made by the core and written by the store, without an engine around them."""

from __future__ import annotations

import dataclasses
import uuid
from pathlib import Path
from types import TracebackType

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import TimeSkippingConfig
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest, StartWorkflowExecutionRequest

from engine.core.dispatch import HANDLERS
from engine.core.inputs import ActivityTaskDispatched, RespondWorkflowTaskCompleted, RunRef, WorkflowTaskDispatched
from engine.core.matching.task_token import WorkflowTaskToken
from engine.core.namespace import Namespace
from engine.core.policy.limits import Limits
from engine.core.policy.start_request import validate_start_workflow_execution
from engine.core.run.start import start_workflow
from engine.core.run.state import RunState
from engine.core.transition import Context, Transition
from engine.store.commit import RunWrite, commit
from engine.store.database import open_database
from engine.store.namespaces import load_namespaces, save_namespace
from engine.store.runs import load_run, max_run_key
from tests.support.stored_views import NEVER_STORED

__all__ = ["NAMESPACE_ID", "StoredRuns", "loads_equal"]

NAMESPACE_ID = "11111111-1111-4111-8111-111111111111"
_MEMORY_ONLY = {"deadlines", "buffered_stored", "tail", "tail_bytes"} | NEVER_STORED


class _Env:
    """A clock that moves by one millisecond per look."""

    def __init__(self, last_run_key: int) -> None:
        self._now_ns = 1_700_000_000_000_000_000
        self._last_run_key = last_run_key

    def now_ns(self) -> int:
        self._now_ns += 1_000_000
        return self._now_ns

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def new_run_key(self) -> int:
        self._last_run_key += 1
        return self._last_run_key

    def use_run_key(self, run_key: int) -> None:
        self._last_run_key = run_key - 1


class StoredRuns:
    """An open file with one namespace; every method commits what it did."""

    def __init__(self, path: Path) -> None:
        self.database = open_database(path, {})
        namespaces = load_namespaces(self.database.writer)
        if not namespaces:
            namespaces = [Namespace(0, NAMESPACE_ID, "default")]
            save_namespace(self.database.writer, namespaces[0])
        self.namespace = namespaces[0]
        self.env = _Env(max_run_key(self.database.writer))
        self.context = Context(self.env, Limits(), self.namespace, {self.namespace.name: self.namespace}.get)

    def __enter__(self) -> StoredRuns:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.database.close()

    def started(self, workflow_id: str, *, run_key: int = 0, config: TimeSkippingConfig | None = None) -> Transition:
        """Return the transition of a new run, with a time skipping config; nothing is written."""
        if run_key:
            self.env.use_run_key(run_key)
        request = StartWorkflowExecutionRequest(namespace="default", workflow_id=workflow_id, request_id=workflow_id)
        request.workflow_type.name = "type"
        request.task_queue.name = "q"
        if config is not None:
            request.time_skipping_config.CopyFrom(config)
        validate_start_workflow_execution(request, Limits(), registered={}, now_ns=self.env.now_ns())
        (t,) = start_workflow(self.context, None, request).transitions
        t.close()
        return t

    def start(self, workflow_id: str, *, run_key: int = 0, config: TimeSkippingConfig | None = None) -> RunState:
        t = self.started(workflow_id, run_key=run_key, config=config)
        self.commit(t)
        return t.state

    def write(self, t: Transition) -> RunWrite:
        """Return the rows of a closed transition."""
        write = RunWrite(t.state.run_key, self.namespace.namespace_key)
        write.add(t)
        return write

    def commit(self, *transitions: Transition) -> None:
        commit(self.database.writer, [self.write(t) for t in transitions])

    def apply(self, state: RunState, item: object) -> object:
        """Handle an input on a run and commit it; return the handler's reply."""
        write = RunWrite(state.run_key, self.namespace.namespace_key)
        reply = self.handle(state, item, write)
        commit(self.database.writer, [write])
        return reply

    def handle(self, state: RunState, item: object, write: RunWrite) -> object:
        """Handle an input on a run and add its rows to `write`; return the handler's reply."""
        t = Transition(self.context, state)
        reply = HANDLERS[type(item)](t, item)
        t.close()
        write.add(t)
        return reply

    def run_workflow_task(self, state: RunState, *commands: Command) -> None:
        """Start the pending workflow task and complete it with commands."""
        assert state.workflow_task is not None
        run, task = RunRef(NAMESPACE_ID, run_key=state.run_key), state.workflow_task
        stamp = (task.scheduled_event_id, task.attempt)
        self.apply(state, WorkflowTaskDispatched(run, *stamp, "q", False, "worker"))
        self.complete_workflow_task(state, *commands)

    def complete_workflow_task(self, state: RunState, *commands: Command) -> None:
        """Complete the started workflow task with commands."""
        task = state.workflow_task
        assert task is not None
        token = WorkflowTaskToken(
            state.run_key,
            state.run_id,
            task.scheduled_event_id,
            task.started_event_id,
            task.attempt,
            task.started_time_ns,
        )
        run, request = (
            RunRef(NAMESPACE_ID, run_key=state.run_key),
            RespondWorkflowTaskCompletedRequest(commands=commands),
        )
        self.apply(state, RespondWorkflowTaskCompleted(run, token, request))

    def start_activity(self, state: RunState, scheduled_event_id: int) -> None:
        run = RunRef(NAMESPACE_ID, run_key=state.run_key)
        self.apply(state, ActivityTaskDispatched(run, scheduled_event_id, 1, "worker"))


def loads_equal(stored: StoredRuns, state: RunState) -> RunState:
    """Assert that the run is loaded as it is in memory; return it as loaded."""
    loaded = load_run(stored.database.writer, state.run_key)
    assert loaded is not None
    for each in dataclasses.fields(RunState):
        if each.name not in _MEMORY_ONLY:
            assert getattr(loaded, each.name) == getattr(state, each.name), each.name
    return loaded
