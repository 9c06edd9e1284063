"""One batch: inputs applied one after the other, their writes committed together, then their effects.

Rules:
- A *unit* is one input with everything it sets off at once: the next run of a chain, what its runs send to others and
  the answers to that, tasks paired with waiting pollers. A unit is in the batch as a whole or not at all.
- Until the commit nobody hears anything; after it nothing can fail any more.
- A unit that fails unexpectedly evicts the runs that it touched: nobody sees what it made of them. What earlier units
  of the batch wrote is committed then, so the runs are loaded again as those left them.
- So a message that can't be delivered takes its cause with it: whoever caused it hears of the failure and tries again.
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
    EnqueueActivityTask,
    EnqueueWorkflowTask,
    SendToRun,
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
        self._settling = False
        self._unit: list[Transition] = []
        self._unit_after: list[Callable[[], None]] = []
        self._unit_futures: list[asyncio.Future[Any]] = []
        self._unit_run_keys: set[int] = set()
        self._unit_messages: deque[SendToRun] = deque()
        self._unit_tasks: deque[EnqueueWorkflowTask | EnqueueActivityTask] = deque()

    def run(self, item: Input, future: asyncio.Future[Any] | None) -> None:
        """Apply one input; `future` gets its reply after the commit, or its error."""
        to_apply: Input | None = item
        while to_apply is not None:
            to_apply = self._run(to_apply, future)

    def _run(self, item: Input, future: asyncio.Future[Any] | None) -> Input | None:
        """Apply one input; return what is to be applied in its place, after what it came upon was put right."""
        try:
            reply = self._apply(item)
            self._settle()
        except ServiceError as error:
            self._refuse_unit()
            fail(future, error)
            return None
        except FailWorkflowTask as error:
            self._abandon_unit(comes_back=True)
            assert isinstance(item, RespondWorkflowTaskCompleted)
            return FailWorkflowTaskCommand.instead_of(item, error)
        except RunOutgrown as error:
            return self._run_after_end(item, future, error)
        except Exception:
            logger.exception("internal error in %s", type(item).__name__)
            self._abandon_unit()
            fail(future, _internal(item))
            return None
        self._accept_unit()
        if future is not None:
            self._futures.append(future)
            self._after_commit.append(partial(answer, self._engine, future, reply))
        return None

    def _run_after_end(self, item: Input, future: asyncio.Future[Any] | None, outgrown: RunOutgrown) -> Input | None:
        """End a run that has no room for what `item` does to it; if `item` is for another run, return it."""
        was_reached_by_message = self._settling
        self._abandon_unit()
        if not self._end(outgrown):
            fail(future, _internal(item))
        elif was_reached_by_message:
            return item
        elif future is not None:
            self._futures.append(future)
            self._after_commit.append(partial(fail, future, InvalidArgument(outgrown.message)))
        return None

    def _end(self, outgrown: RunOutgrown) -> bool:
        """End a run, in one unit with those that have no room to hear of it; False if that can't be done."""
        ends: dict[int, EndOutgrownRun] = {}
        while True:
            try:
                run_key, state = outgrown.run_key, self._engine.find_run(outgrown.run_key)
                if state is not None:
                    ends[run_key] = EndOutgrownRun(RunRef(state.namespace_id, run_key=run_key), outgrown.message)
                for end in ends.values():
                    self._apply(end)
                self._settle()
            except RunOutgrown as another:
                self._abandon_unit()
                outgrown = another
            except Exception:
                logger.exception("run %d can't be ended", outgrown.run_key)
                self._abandon_unit()
                return False
            else:
                self._accept_unit()
                return True

    def poll(self, poller: WaitingPoller) -> None:
        """Give a poll the oldest task of its queue, or let it wait."""
        while (task := self._engine.task_queues.next_task(poller.key)) is not None:
            try:
                delivered = self._deliver(poller, task)
                self._settle()
            except Exception as error:
                self._abandon_unit()
                if isinstance(error, RunOutgrown):
                    self._end(error)
                else:
                    logger.exception("internal error in dispatching a task")
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
        if self._engine.time_control.watching:
            self._engine.time_control.touch((*writes, *unwritten))
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
                self._engine.reload_tasks()
                return
            self._engine.database.note_commit(len(writes))
        # The worker first: it should know that its answer has arrived when its client sees what came of it.
        for call in after:
            call()
        for write in writes.values():
            if write.next_deadline_ns is not None:
                self._engine.due_runs.note(write.run_key, write.next_deadline_ns)
            self._notify(write.run_key)

    def _notify(self, run_key: int) -> None:
        """Wake those who wait for what was written of a run."""
        try:
            # Not in the cache when the unit that is just thrown away had changed it: the file says what is true.
            state = self._engine.find_run(run_key)
        except Exception:
            logger.exception("run %d can't be loaded after its commit; who waits for it looks again", run_key)
            self._engine.history_waiters.wake(run_key)
            self._engine.update_waiters.clear(run_key)
            return
        if state is not None:
            self._engine.history_waiters.notify(state)
            self._engine.update_waiters.notify(state)
            self._engine.fast_forward_waiters.notify(state)

    def _apply(self, item: Input) -> Any:
        self._open = None
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
        self._unit_run_keys.add(state.run_key)
        reply = HANDLERS[type(item)](t, item)
        # A deadline that was stored too early (it moved, or is gone) is put right in the file as well.
        self._finish(t, write=isinstance(item, DeadlineDue))
        return reply

    def _apply_to_several_runs(self, item: SeveralRuns) -> Any:
        if isinstance(item, ResetWorkflowExecution):
            self.commit()  # the run's events are read from the file
        outcome = SEVERAL_RUNS[type(item)](self._engine, item, self._unit_run_keys)
        for t in outcome.transitions:
            self._finish(t)
        return outcome.reply

    def _finish(self, t: Transition, *, write: bool = False) -> None:
        """Close a transition, and add it to the unit with the runs that it started and what is to be done for it."""
        t.close()
        if t.touched or write:
            self._unit.append(t)
            self._unit_run_keys.add(t.state.run_key)
            self._engine.runs.put(t.state, current=t.is_new)
        elif t.changed_in_memory:
            self._unwritten[t.state.run_key] = None
        for new_run in t.new_runs:
            self._finish(new_run)
        for effect in t.effects:
            if isinstance(effect, SendToRun):
                self._unit_messages.append(effect)
            elif isinstance(effect, EnqueueWorkflowTask | EnqueueActivityTask):
                self._unit_tasks.append(effect)
            else:
                self._unit_after.append(partial(tell, self._engine, effect))

    def _settle(self) -> None:
        """Deliver what the unit's runs send, then offer their tasks.

        In this order, so that a workflow task carries all the answers that its run has got.
        """
        self._settling = True
        while self._unit_messages or self._unit_tasks:
            if self._unit_messages:
                self._deliver_message(self._unit_messages.popleft())
            else:
                self._offer(self._unit_tasks.popleft())

    def _deliver_message(self, message: SendToRun) -> None:
        """Hand a message to its run and the answer to its sender, unless the sender has closed meanwhile."""
        item, sender = message.item, message.sender
        if sender is not None and not self._engine.load_run(sender.run).running:
            return
        run_id, error = "", None
        try:
            reply = self._apply(item)
            if isinstance(item, StartChildWorkflowExecution):
                run_id = reply
        except ServiceError as refusal:
            if self._open is not None and self._open.touched:
                raise InvariantViolated(f"a refused {type(item).__name__} has changed its run") from refusal
            error = refusal
        if sender is not None and self._engine.load_run(sender.run).running:
            self._apply(MessageAnswered(sender.run, sender.command_type, sender.initiated_event_id, run_id, error))

    def _offer(self, effect: EnqueueWorkflowTask | EnqueueActivityTask) -> None:
        """Offer a task to its queue; a sticky queue whose worker is gone is passed over."""
        queues = self._engine.task_queues
        key: TaskQueueKey = (effect.namespace_id, effect.task_queue, isinstance(effect, EnqueueActivityTask))
        if isinstance(effect, EnqueueWorkflowTask) and effect.sticky and not self._sticky_alive(key):
            key = (effect.namespace_id, effect.normal_task_queue, False)
        poller = queues.next_poller(key)
        if poller is None:
            queues.add_task(key, effect.task)
        elif not self._deliver(poller, effect.task):
            queues.put_back_poller(poller)

    def _sticky_alive(self, key: TaskQueueKey) -> bool:
        return self._engine.task_queues.sticky_alive(key, self._engine.clock.system_ns())

    def _deliver(self, poller: WaitingPoller, task: TaskRef) -> bool:
        """Start the task for the poller; False when the task is stale."""
        state = self._engine.find_run(task.run_key)
        if state is None or not state.running:
            return False
        t = Transition(self._engine.context(state.namespace_id), state)
        self._unit_run_keys.add(state.run_key)
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
            if not state.running:
                self._unit_after.append(partial(self._engine.unblock_queries, state.run_key))
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
        """Throw the unit away, and the runs that it may have changed; then commit what came before it.

        Args:
            comes_back: another input puts back at once what the runs had in memory only.
        """
        run_keys, futures = self._unit_run_keys, self._unit_futures
        self._clear_unit()
        # Before the commit, which wakes those who wait for what is true of these runs.
        for run_key in run_keys:
            self._engine.runs.evict(run_key)
        self.commit()
        if not comes_back:
            for run_key in run_keys:
                self._engine.forget_run(run_key)
        for future in futures:
            fail(future, Unavailable("the task could not be started; poll again"))

    def _clear_unit(self) -> None:
        self._open = None
        self._unit, self._unit_after, self._unit_futures, self._unit_run_keys = [], [], [], set()
        self._unit_messages.clear()
        self._unit_tasks.clear()
        self._settling = False


def _internal(item: Input) -> Internal:
    return Internal(f"internal error in {type(item).__name__}; the server's log has its cause")
