"""The engine: inputs queue, one synchronous `step` applies and commits them, effects follow.

Rules:
- `step` has no await: a cancelled caller can't leave something applied and not committed.
- Everything here runs on the event loop's thread; it owns the writer connection and the run cache.
- A run that is not cached is loaded from the file inside the step, on the same thread as the writer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult

from engine.core.errors import NotFound, Unavailable
from engine.core.inputs import Input, RunRef
from engine.core.matching.backlog import TaskRef
from engine.core.matching.task_queue import PollerRecord, TaskQueueKey, TaskQueues, WaitingPoller
from engine.core.matching.task_token import QueryTaskToken
from engine.core.namespace import Namespace
from engine.core.policy.limits import Limits
from engine.core.run.activity_task import StartedActivityTask
from engine.core.run.state import RunState
from engine.core.run.workflow_task import StartedWorkflowTask
from engine.core.transition import Context
from engine.runtime.batch import Batch
from engine.runtime.clock import ServerEnv
from engine.runtime.due_runs import DueRuns
from engine.runtime.fast_forward_waiters import FastForwardWaiters
from engine.runtime.namespaces import NamespaceRegistry
from engine.runtime.queries import Queries, QueryTask
from engine.runtime.recovery import load_tasks
from engine.runtime.run_cache import RunCache
from engine.runtime.time_control import TimeControl
from engine.runtime.undelivered import goes_on, take_back
from engine.runtime.update_waiters import UpdateWaiter, UpdateWaiters
from engine.runtime.waiters import HistoryWaiters
from engine.store.clock import load_clock
from engine.store.database import Database
from engine.store.history import load_event_blobs
from engine.store.runs import find_current_run_key, find_run_key, load_run

__all__ = ["Engine"]

RUN_CACHE_BYTES = 96 * 1024 * 1024
MAX_BATCH = 256
RETRY_NS = 1_000_000_000
HOUSEKEEPING_SECONDS = 5.0
FORGET_IDLE_NS = 60 * 1_000_000_000

logger = logging.getLogger("dx.engine")


class Engine:
    """A server's engine on an open database; use it from one event loop."""

    def __init__(self, database: Database, env: ServerEnv, limits: Limits) -> None:
        self.database = database
        self.env = env
        self.clock = env.clock
        self.clock.set(load_clock(database.writer))
        self.limits = limits
        self.namespaces = NamespaceRegistry(database)
        self.runs = RunCache(RUN_CACHE_BYTES)
        self.task_queues = TaskQueues(limits.fairness)
        self.history_waiters = HistoryWaiters()
        self.update_waiters = UpdateWaiters()
        self.fast_forward_waiters = FastForwardWaiters()
        self.queries = Queries()
        self.due_runs = DueRuns(self)
        self.time_control = TimeControl(self)
        self._housekeeping: asyncio.TimerHandle | None = None
        self._idle_forgotten_ns = 0
        self._contexts: dict[str, Context] = {}
        self._queue: list[tuple[Input | WaitingPoller, asyncio.Future[Any] | None]] = []
        self._step_scheduled = False
        self._stopped = False

    async def start(self) -> None:
        """Read what is to be dispatched and what falls due soon; call it on the serving event loop."""
        self.loop = asyncio.get_running_loop()
        self._load_tasks()
        self.due_runs.load_window()
        self._idle_forgotten_ns = self.clock.system_ns()
        self._housekeeping = self.loop.call_later(HOUSEKEEPING_SECONDS, self._keep_house)

    async def stop(self) -> None:
        """Answer nobody any more; what was acknowledged is in the file."""
        self._stopped = True
        self.due_runs.stop()
        self.time_control.stop()
        if self._housekeeping is not None:
            self._housekeeping.cancel()
        self.history_waiters.wake_all()
        self.update_waiters.clear_all()
        self.fast_forward_waiters.answer_all()
        for key in self.task_queues:
            for poller in self.task_queues.take_pollers(key):
                _resolve_poller(poller, None)
        for _, future in self._queue:
            if future is not None and not future.done():
                future.set_exception(Unavailable("the server is stopping"))
        self._queue.clear()

    # Inputs.

    async def submit(self, item: Input) -> Any:
        """Apply an input; return the handler's reply once it is committed.

        Raises:
            ServiceError: what the handler refused, or UNAVAILABLE when it could not be written.
        """
        if self._stopped:
            raise Unavailable("the server is stopping")
        future: asyncio.Future[Any] = self.loop.create_future()
        self.enqueue(item, future)
        try:
            return await future
        except asyncio.CancelledError:
            # Nobody reads the reply: its tasks must go to others, and an update is waited for no more.
            self._leave(future)
            raise

    def enqueue(self, item: Input | WaitingPoller, future: asyncio.Future[Any] | None) -> None:
        """Take an item into the next step."""
        self._queue.append((item, future))
        if not self._step_scheduled:
            self._step_scheduled = True
            self.loop.call_soon(self.step)

    @property
    def busy(self) -> bool:
        """Say whether there is something for the next step."""
        return bool(self._queue)

    def step(self) -> None:
        """Apply what is queued and commit it in one transaction."""
        self._step_scheduled = False
        items, self._queue = self._queue[:MAX_BATCH], self._queue[MAX_BATCH:]
        batch = Batch(self)
        for item, future in items:
            if isinstance(item, WaitingPoller):
                if not item.gone:
                    batch.poll(item)
            else:
                batch.run(item, future)
        batch.commit()
        self.runs.shrink()
        if self.time_control.watching:
            self.time_control.look_soon()
        if self._queue and not self._step_scheduled:
            self._step_scheduled = True
            self.loop.call_soon(self.step)

    # Runs.

    def context(self, namespace_id: str) -> Context:
        """Return what handlers of a namespace's runs may use."""
        context = self._contexts.get(namespace_id)
        if context is None:
            namespace = self.namespaces.get_by_id(namespace_id)
            context = self._contexts[namespace_id] = Context(self.env, self.limits, namespace, self.namespaces.find)
        return context

    def forget_namespace(self, namespace: Namespace) -> None:
        """Drop what is cached of a namespace that was deleted; who waits for an update looks again."""
        self._contexts.pop(namespace.namespace_id, None)
        self.runs.evict_namespace(namespace.namespace_id)
        self.update_waiters.clear_all()
        self.reload_tasks()

    def forget_run(self, run_key: int) -> None:
        """Throw a run out of memory, with the updates that are only admitted: their callers send them again."""
        self.runs.evict(run_key)
        self.update_waiters.clear(run_key)

    def find_run(self, run_key: int) -> RunState | None:
        """Return a run by key, loading it if it is not cached; None when it is gone."""
        state = self.runs.get(run_key)
        if state is None:
            state = load_run(self.database.writer, run_key)
            if state is not None:
                self.runs.put(state)
        return state

    def find_current_run(self, namespace_id: str, workflow_id: str) -> RunState | None:
        """Return the newest run of a workflow id, or None."""
        state = self.runs.find_current(namespace_id, workflow_id)
        if state is not None:
            return state
        namespace_key = self.namespaces.get_by_id(namespace_id).namespace_key
        run_key = find_current_run_key(self.database.writer, namespace_key, workflow_id)
        if run_key is None:
            return None
        state = self.find_run(run_key)
        if state is not None:
            self.runs.put(state, current=True)
        return state

    def load_run(self, ref: RunRef) -> RunState:
        """Return the run that an input is for.

        Raises:
            NotFound: no such workflow or run.
        """
        if ref.run_key:
            state = self.find_run(ref.run_key)
            if state is None or state.namespace_id != ref.namespace_id:
                raise NotFound("workflow execution not found")
            return state
        if not ref.run_id:
            state = self.find_current_run(ref.namespace_id, ref.workflow_id)
            if state is None:
                raise NotFound(f"workflow not found for ID: {ref.workflow_id}")
            return state
        current = self.runs.find_current(ref.namespace_id, ref.workflow_id)
        if current is not None and current.run_id == ref.run_id:
            return current
        namespace_key = self.namespaces.get_by_id(ref.namespace_id).namespace_key
        run_key = find_run_key(self.database.writer, namespace_key, ref.workflow_id, ref.run_id)
        state = None if run_key is None else self.find_run(run_key)
        if state is None:
            raise NotFound(
                f'workflow execution not found for workflow ID "{ref.workflow_id}" and run ID "{ref.run_id}"'
            )
        return state

    def follow_resets(self, state: RunState) -> RunState:
        """Return the run that took the place of a closed one by resets; it may be closed, too."""
        while not state.running and state.reset_run_id:
            state = self.load_run(RunRef(state.namespace_id, state.workflow_id, state.reset_run_id))
        return state

    def get_run(self, namespace: Namespace, execution: WorkflowExecution) -> RunState:
        """Return a run by its ids; without a run id the current one.

        Raises:
            NotFound: no such workflow or run.
        """
        self.runs.shrink()
        return self.load_run(RunRef(namespace.namespace_id, execution.workflow_id, execution.run_id))

    def load_history(self, state: RunState, first_event_id: int, next_event_id: int) -> list[bytes]:
        """Return the serialized events [first_event_id, next_event_id), from memory where they are still there."""
        tail_first = state.tail_first_event_id
        if first_event_id >= tail_first:
            return state.tail[first_event_id - tail_first : next_event_id - tail_first]
        return load_event_blobs(self.database.writer, state.run_key, first_event_id, next_event_id)

    async def wait_for_history(
        self, state: RunState, next_event_id: int, timeout_seconds: float, *, close_only: bool = False
    ) -> None:
        """Return when the run has the event `next_event_id` (with `close_only`: is closed), or at the time limit."""
        if not self._stopped:
            await self.history_waiters.wait(state, next_event_id, timeout_seconds, close_only=close_only)

    # Polls.

    async def poll_workflow_task(
        self, namespace: Namespace, task_queue: str, *, sticky: bool, record: PollerRecord, timeout_seconds: float
    ) -> StartedWorkflowTask | QueryTask | None:
        """Wait for a workflow task or a query; None at the time limit."""
        key = (namespace.namespace_id, task_queue, False)
        self.task_queues.note_poll(key, record)
        query = self.task_queues.next_query(key)
        if isinstance(query, QueryTask):
            return query
        reply: StartedWorkflowTask | QueryTask | None = await self._poll(key, record, sticky, timeout_seconds)
        return reply

    async def poll_activity_task(
        self, namespace: Namespace, task_queue: str, *, record: PollerRecord, timeout_seconds: float
    ) -> StartedActivityTask | None:
        """Wait for an activity task; None at the time limit."""
        key = (namespace.namespace_id, task_queue, True)
        self.task_queues.note_poll(key, record)
        reply: StartedActivityTask | None = await self._poll(key, record, False, timeout_seconds)
        return reply

    async def _poll(self, key: TaskQueueKey, record: PollerRecord, sticky: bool, timeout_seconds: float) -> Any:
        if self._stopped:
            return None
        future: asyncio.Future[Any] = self.loop.create_future()
        poller = WaitingPoller(key, record.identity, sticky, future, record.worker_version)
        if self.task_queues.backlog(key):
            self.enqueue(poller, None)
        else:
            self.task_queues.add_poller(poller)
        handle = self.loop.call_later(timeout_seconds, _resolve_poller, poller, None)
        try:
            return await future
        except asyncio.CancelledError as error:
            if goes_on(error, future):
                return future.result()
            self._leave(future, poller.key)
            raise
        finally:
            handle.cancel()
            record.last_access_time_ns = self.clock.system_ns()
            self.task_queues.forget_gone(key)

    def _leave(self, future: asyncio.Future[Any], key: TaskQueueKey | None = None) -> None:
        """Take back the reply that is there already and nobody will read; one that comes later is for `answer`."""
        if future.done() and not future.cancelled() and future.exception() is None:
            self.take_back(future.result(), key)

    def take_back(self, reply: object, key: TaskQueueKey | None = None) -> None:
        """Give the tasks in a reply to others, since its client has gone; `key` is the queue that it polled."""
        if isinstance(reply, QueryTask) and key is not None:
            self.offer_query(key, reply)
        waiter = reply[1] if type(reply) is tuple else reply  # the answer to an update with start is a pair
        if isinstance(waiter, UpdateWaiter):
            self.update_waiters.leave(waiter)
        for item in take_back(reply):
            self.enqueue(item, None)

    def pending_queries(self, run_key: int) -> dict[str, WorkflowQuery]:
        """Return the queries that ride on the run's workflow task that was just started."""
        return self.queries.buffered(run_key)

    def answer_query(self, token: QueryTaskToken, result: WorkflowQueryResult) -> None:
        """Give the answer to a query task.

        Raises:
            NotFound: nobody waits for it any more.
        """
        if not self.queries.answer_direct(token.query_id, result):
            raise NotFound("query task not found, or already expired")
        self.time_control.look_soon()

    def offer_query(self, key: TaskQueueKey, task: QueryTask) -> None:
        """Hand a query to a waiting worker, or keep it for the next one that polls."""
        poller = self.task_queues.next_poller(key)
        if poller is None:
            self.task_queues.add_query(key, task)
        else:
            _resolve_poller(poller, task)

    def unblock_queries(self, run_key: int) -> None:
        """Send the queries of a run that has closed straight to a worker."""
        self.queries.answer_buffered(run_key, {}, unblock=True)

    def shut_down_sticky_queue(self, namespace: Namespace, task_queue: str) -> None:
        """Give up a worker's sticky queue: its polls end, its tasks go to the normal queues at once."""
        key = (namespace.namespace_id, task_queue, False)
        for poller in self.task_queues.take_pollers(key):
            _resolve_poller(poller, None)
        for task in self.task_queues.mark_sticky_dead(key):
            self.offer_again((namespace.namespace_id, task.normal_task_queue, False), task)

    def offer_again(self, key: TaskQueueKey, task: TaskRef) -> None:
        """Put a task into a queue and let whoever waits there have it."""
        self.task_queues.add_task(key, task)
        poller = self.task_queues.next_poller(key)
        if poller is not None:
            self.enqueue(poller, None)

    # Housekeeping and recovery.

    def _keep_house(self) -> None:
        """Move the window of deadlines and forget idle task queues, when it is time by the system clock.

        The loop's own clock stands still while the machine sleeps: a timer of the loop would move the window too late.
        """
        self._housekeeping = self.loop.call_later(HOUSEKEEPING_SECONDS, self._keep_house)
        self.due_runs.move_window(self.env.now_ns())
        now_ns = self.clock.system_ns()
        if abs(now_ns - self._idle_forgotten_ns) >= FORGET_IDLE_NS:
            self._idle_forgotten_ns = now_ns
            for key, task in self.task_queues.forget_idle(now_ns):
                self.offer_again(key, task)

    def reload_tasks(self) -> None:
        """Fill the task queues from the file after a commit that failed; what can't be read now is read soon."""
        if self._stopped:
            return
        try:
            self._load_tasks()
        except Exception:
            logger.exception("tasks can't be read; they are read again soon")
            self.loop.call_later(RETRY_NS / 1e9, self.reload_tasks)

    def _load_tasks(self) -> None:
        load_tasks(self.database, self.task_queues, self.runs)
        for key in list(self.task_queues):
            for _ in range(self.task_queues.backlog(key)):
                poller = self.task_queues.next_poller(key)
                if poller is None:
                    break
                self.enqueue(poller, None)


def _resolve_poller(poller: WaitingPoller, reply: Any) -> None:
    future: asyncio.Future[Any] = poller.waiter  # type: ignore[assignment]
    with contextlib.suppress(asyncio.InvalidStateError):
        future.set_result(reply)
