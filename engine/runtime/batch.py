"""One batch: inputs applied one after the other, their writes committed together, then their effects.

Rules:
- A *unit* is one input with everything it sets off at once (tasks paired with waiting pollers, the next run of a
  chain). A unit is in the batch as a whole or not at all.
- Until the commit nobody hears anything; after it nothing can fail any more.
- What a run sends to another one is a unit of its own, in the same batch: both are in one commit.
- A unit that fails unexpectedly evicts the runs that it touched. What earlier units of the batch wrote is committed
  first, so the runs are loaded again as those left them.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from engine.core.dispatch import HANDLERS
from engine.core.effects import (
    AnswerQueries,
    AnswerUpdate,
    Effect,
    EnqueueActivityTask,
    EnqueueWorkflowTask,
    SendToRun,
    SetDeadline,
)
from engine.core.errors import (
    FailWorkflowTask,
    Internal,
    InvalidArgument,
    InvariantViolated,
    RunOutgrown,
    ServiceError,
    Unavailable,
)
from engine.core.inputs import (
    ActivityTaskDispatched,
    DeadlineDue,
    EndOutgrownRun,
    FailWorkflowTaskCommand,
    Input,
    MessageAnswered,
    RecordChildWorkflowExecutionClosed,
    ResetWorkflowExecution,
    RespondWorkflowTaskCompleted,
    RunRef,
    StartChildWorkflowExecution,
    UpdateWorkflowExecution,
    WorkflowTaskDispatched,
)
from engine.core.matching.backlog import TaskRef
from engine.core.matching.task_queue import TaskQueueKey, WaitingPoller
from engine.core.run.state import RunState
from engine.core.transition import Transition
from engine.runtime.answers import answer, fail, resolve, tell
from engine.runtime.several_runs import SEVERAL_RUNS, SeveralRuns
from engine.store.commit import RunWrite, commit
from engine.store.runs import load_updates

if TYPE_CHECKING:
    from engine.runtime.engine import Engine

__all__ = ["Batch"]

logger = logging.getLogger("dx.engine")


class Batch:
    """The units of one step."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writes: dict[int, RunWrite] = {}
        self._after_commit: list[Callable[[], None]] = []
        self._futures: list[asyncio.Future[Any]] = []
        self._unwritten: dict[int, None] = {}
        self._open: Transition | None = None
        self._unit: list[Transition] = []
        self._unit_after: list[Callable[[], None]] = []
        self._unit_futures: list[asyncio.Future[Any]] = []
        self._unit_states: dict[int, RunState] = {}
        self._messages: deque[SendToRun] = deque()
        self._unit_messages: list[SendToRun] = []
        self._holds_back = False
        self._held_back: list[Effect] = []

    def run(self, item: Input, future: asyncio.Future[Any] | None) -> None:
        """Apply one input; `future` gets its reply after the commit, or its error."""
        try:
            reply = self._apply(item)
        except ServiceError as error:
            self._refuse_unit()
            fail(future, error)
            return
        except FailWorkflowTask as error:
            self._abandon_unit(comes_back=True)
            assert isinstance(item, RespondWorkflowTaskCompleted)
            self.run(_failing(item, error), future)
            return
        except RunOutgrown as error:
            self._abandon_unit()
            self.run(self._ending(error), None)
            if future is not None:
                self._futures.append(future)
                self._after_commit.append(partial(fail, future, InvalidArgument(error.message)))
            return
        except Exception:
            logger.exception("internal error in %s", type(item).__name__)
            self._abandon_unit()
            fail(future, Internal(f"internal error in {type(item).__name__}; the server's log has its cause"))
            return
        self._accept_unit()
        if future is not None:
            self._futures.append(future)
            self._after_commit.append(partial(answer, self._engine, future, reply))
        if self._messages:
            self._deliver_messages()

    def send(self, message: SendToRun) -> None:
        """Deliver a message whose first delivery failed, and whatever follows from it."""
        self._messages.append(message)
        self._deliver_messages()

    def _deliver_messages(self) -> None:
        """Hand every message to its run, tell the senders, then offer the tasks that came of it.

        Tasks are held back until then, so that a workflow task carries all the answers that its run has got.
        """
        self._holds_back = True
        while self._messages:
            message = self._messages.popleft()
            try:
                self._deliver_message(message)
            except Exception:
                logger.exception("internal error in %s from another run", type(message.item).__name__)
                self._abandon_unit()
                self._engine.send_later(message)
        self._holds_back = False
        held_back, self._held_back = self._held_back, []
        for effect in held_back:
            try:
                self._perform(effect)
            except Exception:
                logger.exception("internal error in dispatching a task")
                self._abandon_unit()
                self._engine.reload_tasks()
            else:
                self._accept_unit()

    def _deliver_message(self, message: SendToRun) -> None:
        sender = message.sender
        if sender is not None and not self._engine.load_run(sender.run).running:
            # It closed in the task that sent this: nothing is sent.
            return
        run_id, error = "", None
        try:
            reply = self._apply(message.item)
            if isinstance(message.item, StartChildWorkflowExecution):
                run_id = reply
        except ServiceError as refusal:
            self._refuse_unit()
            error = refusal
        except RunOutgrown as outgrown:
            self._end_outgrown(outgrown)
            self._messages.appendleft(message)
            return
        else:
            self._accept_unit()
        if sender is None:
            return
        try:
            self._apply(MessageAnswered(sender.run, sender.command_type, sender.initiated_event_id, run_id, error))
        except ServiceError:
            # Nobody waits for the answer any more.
            self._refuse_unit()
        except RunOutgrown as outgrown:
            self._end_outgrown(outgrown)
        else:
            self._accept_unit()

    def _end_outgrown(self, error: RunOutgrown) -> None:
        """End a run in the place of the change that it has no room for."""
        self._abandon_unit()
        self._apply(self._ending(error))
        self._accept_unit()

    def _ending(self, error: RunOutgrown) -> EndOutgrownRun:
        state = self._engine.find_run(error.run_key)
        if state is None:
            raise InvariantViolated(f"run {error.run_key} is gone")
        return EndOutgrownRun(RunRef(state.namespace_id, run_key=error.run_key), error.message)

    def poll(self, poller: WaitingPoller) -> None:
        """Give a poll the oldest task of its queue, or let it wait."""
        while (task := self._engine.task_queues.next_task(poller.key)) is not None:
            try:
                delivered = self._deliver(poller, task)
            except Exception:
                logger.exception("internal error in dispatching a task")
                self._abandon_unit()
                # The task is still in the file; another poll may have better luck with it.
                self._engine.offer_again(poller.key, task)
                fail(poller.waiter, Unavailable("the task could not be started; poll again"))  # type: ignore[arg-type]
                return
            self._accept_unit()
            if delivered:
                return
        if not poller.gone:
            self._engine.task_queues.add_poller(poller)

    def commit(self) -> None:
        """Write everything in one transaction and then tell everybody; on failure tell them to try again."""
        writes, after, futures, unwritten = self._writes, self._after_commit, self._futures, self._unwritten
        self._writes, self._after_commit, self._futures, self._unwritten = {}, [], [], {}
        if writes:
            try:
                commit(self._engine.database.writer, writes.values())
            except Exception as error:
                if isinstance(error, sqlite3.Error):
                    logger.error("commit failed: %s", error)
                else:
                    logger.exception("internal error in a commit")
                for run_key in {**writes, **unwritten}:
                    self._engine.forget_run(run_key)
                for future in futures:
                    fail(future, Unavailable(f"the history could not be written ({error}); try again"))
                self._messages.clear()
                self._held_back.clear()
                self._engine.reload_tasks()
                return
            self._engine.database.note_commit(len(writes))
        for write in writes.values():
            if write.next_deadline_ns is not None:
                self._engine.due_runs.note(write.run_key, write.next_deadline_ns)
            state = self._engine.runs.get(write.run_key)
            if state is not None:
                self._engine.history_waiters.notify(state)
                self._engine.update_waiters.notify(state)
        for call in after:
            call()

    def _apply(self, item: Input) -> Any:
        if isinstance(item, SeveralRuns):
            return self._apply_to_several_runs(item)
        if isinstance(item, WorkflowTaskDispatched | ActivityTaskDispatched):
            raise InvariantViolated("dispatch is the batch's own business")
        state = self._engine.load_run(item.run)
        if isinstance(item, RecordChildWorkflowExecutionClosed):
            state = self._engine.follow_resets(state)
        elif isinstance(item, UpdateWorkflowExecution):
            load_updates(self._engine.database.writer, state)
        t = self._open = Transition(self._engine.context(state.namespace_id), state)
        self._unit_states[state.run_key] = state
        reply = HANDLERS[type(item)](t, item)
        # A deadline that was stored too early (it moved, or is gone) is put right in the file as well.
        self._finish(t, write=isinstance(item, DeadlineDue))
        return reply

    def _apply_to_several_runs(self, item: SeveralRuns) -> Any:
        if isinstance(item, ResetWorkflowExecution):
            self.commit()  # the run's events are read from the file
        outcome = SEVERAL_RUNS[type(item)](self._engine, item, self._unit_states)
        for t in outcome.transitions:
            self._finish(t)
        return outcome.reply

    def _finish(self, t: Transition, *, write: bool = False) -> None:
        """Close a transition, add it and the runs it started to the unit, and pair the tasks that it scheduled."""
        t.close()
        if t.touched or write:
            self._unit.append(t)
            self._unit_states[t.state.run_key] = t.state
        elif t.changed_in_memory:
            self._unwritten[t.state.run_key] = None
        for new_run in t.new_runs:
            self._finish(new_run)
        for effect in t.effects:
            if isinstance(effect, SendToRun):
                self._unit_messages.append(effect)
            elif isinstance(effect, AnswerQueries | AnswerUpdate | SetDeadline):
                self._unit_after.append(partial(tell, self._engine, effect))
            elif self._unit_messages or self._holds_back:
                self._held_back.append(effect)
            else:
                self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        """Offer a task to its queue."""
        if isinstance(effect, EnqueueWorkflowTask):
            self._enqueue_workflow_task(effect)
        elif isinstance(effect, EnqueueActivityTask):
            self._enqueue_activity_task(effect)

    def _enqueue_workflow_task(self, effect: EnqueueWorkflowTask) -> None:
        queues = self._engine.task_queues
        key: TaskQueueKey = (effect.namespace_id, effect.task_queue, False)
        if effect.sticky and not queues.sticky_alive(key, self._engine.env.now_ns()):
            key = (effect.namespace_id, effect.normal_task_queue, False)
        task = TaskRef(
            effect.run_key,
            effect.scheduled_event_id,
            effect.attempt,
            effect.sticky,
            effect.normal_task_queue,
            effect.priority,
        )
        self._enqueue(key, task)

    def _enqueue_activity_task(self, effect: EnqueueActivityTask) -> None:
        key: TaskQueueKey = (effect.namespace_id, effect.task_queue, True)
        self._enqueue(key, TaskRef(effect.run_key, effect.scheduled_event_id, effect.attempt, priority=effect.priority))

    def _enqueue(self, key: TaskQueueKey, task: TaskRef) -> None:
        queues = self._engine.task_queues
        poller = queues.next_poller(key)
        if poller is None:
            queues.add_task(key, task)
        elif not self._deliver(poller, task):
            queues.put_back_poller(poller)

    def _deliver(self, poller: WaitingPoller, task: TaskRef) -> bool:
        """Start the task for the poller; False when the task is stale."""
        # A run that this unit has just started is not in the cache yet.
        state = self._unit_states.get(task.run_key) or self._engine.find_run(task.run_key)
        if state is None or not state.running:
            return False
        t = Transition(self._engine.context(state.namespace_id), state)
        self._unit_states[state.run_key] = state
        run = RunRef(state.namespace_id, run_key=task.run_key)
        _, task_queue, is_activity = poller.key
        item: ActivityTaskDispatched | WorkflowTaskDispatched
        if is_activity:
            item = ActivityTaskDispatched(run, task.scheduled_event_id, task.attempt, poller.identity)
        else:
            item = WorkflowTaskDispatched(
                run,
                task.scheduled_event_id,
                task.attempt,
                task_queue,
                poller.sticky,
                poller.identity,
                poller.worker_version,
            )
        future: asyncio.Future[Any] = poller.waiter  # type: ignore[assignment]
        self._unit_futures.append(future)
        reply = HANDLERS[type(item)](t, item)
        if reply is None:
            self._unit_futures.remove(future)
            self._finish(t)
            return False
        self._finish(t)
        self._unit_after.append(lambda: resolve(future, reply))
        return True

    def _accept_unit(self) -> None:
        for t in self._unit:
            state = t.state
            write = self._writes.get(state.run_key)
            if write is None:
                namespace = self._engine.namespaces.get_by_id(state.namespace_id)
                write = self._writes[state.run_key] = RunWrite(state.run_key, namespace.namespace_key)
            write.add(t)
            self._engine.runs.put(state, current=t.is_new)
            if not state.running:
                self._unit_after.append(partial(self._engine.unblock_queries, state.run_key))
        self._messages += self._unit_messages
        self._after_commit += self._unit_after
        self._futures += self._unit_futures
        self._clear_unit()

    def _refuse_unit(self) -> None:
        """Drop a unit that was refused; handlers validate first, so it has usually changed nothing."""
        if self._unit or (self._open is not None and (self._open.touched or self._open.changed_in_memory)):
            self._abandon_unit()
        else:
            self._clear_unit()

    def _abandon_unit(self, *, comes_back: bool = False) -> None:
        """Throw the unit away; runs that it may have changed are loaded again, after what came before is committed.

        Args:
            comes_back: another input puts back at once what the runs had in memory only.
        """
        states, futures = list(self._unit_states.values()), self._unit_futures
        self._clear_unit()
        self.commit()
        for state in states:
            if comes_back:
                self._engine.runs.evict(state.run_key)
            else:
                self._engine.forget_run(state.run_key)
        for future in futures:
            fail(future, Unavailable("the task could not be started; poll again"))

    def _clear_unit(self) -> None:
        self._open = None
        self._unit, self._unit_after, self._unit_futures, self._unit_states = [], [], [], {}
        self._unit_messages = []


def _failing(item: RespondWorkflowTaskCompleted, error: FailWorkflowTask) -> FailWorkflowTaskCommand:
    return FailWorkflowTaskCommand(
        run=item.run,
        token=item.token,
        cause=error.cause,
        message=error.message,
        terminates_workflow=error.terminates_workflow,
        identity=item.request.identity,
        binary_checksum=item.request.binary_checksum,
        unstored=error.unstored,
    )
