"""Which runs to look at, and when: the deadlines of a near window are in memory, the rest stays in the file."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from engine.core.inputs import DeadlineDue, RunRef
from engine.core.run.deadlines import next_deadline_ns
from engine.core.run.state import RunState
from engine.runtime.deadlines import DeadlineTimer
from engine.store.runs import find_deadline_after, load_run_keys_due

if TYPE_CHECKING:
    from engine.runtime.engine import Engine

__all__ = ["DueRuns"]

WINDOW_NS = 600 * 1_000_000_000
RETRY_SECONDS = 1.0

logger = logging.getLogger("dx.engine")


class DueRuns:
    """Gives the engine `DeadlineDue` inputs, each as its time comes.

    `under_way` counts the runs that were due and of which it is not known yet when they are due next.
    """

    def __init__(self, engine: Engine) -> None:
        self.under_way = 0
        self._engine = engine
        self._timer = DeadlineTimer(engine.env.now_ns, self._due)
        self._window_end_ns = 0

    def stop(self) -> None:
        """Look at no run any more."""
        self._timer.stop()

    def note(self, run_key: int, due_ns: int) -> None:
        """Look at the run by `due_ns`; a far one stays in the file until its time comes near."""
        if due_ns <= self._window_end_ns:
            self._timer.set(run_key, due_ns)

    def load_window(self) -> None:
        """Read the deadlines of the next minutes."""
        self._load_until(self._engine.env.now_ns() + WINDOW_NS)

    def move_window(self, now_ns: int) -> None:
        """Read further deadlines when half of the window has passed."""
        if self._window_end_ns - now_ns < WINDOW_NS // 2:
            try:
                self.load_window()
            except Exception:
                logger.exception("deadlines can't be read; they are read again soon")

    def clock_moved(self) -> None:
        """Look at the runs that are due by the clock as it is now."""
        self.move_window(self._engine.env.now_ns())
        self._timer.fire()

    def find_next(self) -> tuple[int, RunState] | None:
        """Return the earliest deadline, and whose it is; None when there is none.

        Runs whose stored deadline is no longer true are looked at in the next step, which puts that right: while they
        are `under_way`, a deadline of theirs may come before the one that is returned.

        Raises:
            Exception: the file can't be read.
        """
        while (first := self._find_first()) is not None:
            due_ns, run_key = first
            state = self._engine.find_run(run_key)
            if state is not None and next_deadline_ns(state) == due_ns:
                return due_ns, state
            self._timer.forget(run_key)
            self._due(run_key)
        return None

    def _find_first(self) -> tuple[int, int] | None:
        first = self._timer.find_first()
        if first is None:
            due_ns = find_deadline_after(self._engine.database.writer, self._window_end_ns)
            if due_ns is not None:
                self._load_until(due_ns)
                first = self._timer.find_first()
        return first

    def _load_until(self, window_end_ns: int) -> None:
        for due_ns, run_key in load_run_keys_due(self._engine.database.writer, window_end_ns):
            self._timer.set(run_key, due_ns)
        self._window_end_ns = max(self._window_end_ns, window_end_ns)

    def _due(self, run_key: int) -> None:
        """Look at the run in the next step; whatever becomes of that, its next deadline is set again."""
        engine = self._engine
        self.under_way += 1
        try:
            state = engine.find_run(run_key)
        except Exception:
            logger.exception("run %d can't be loaded at its deadline", run_key)
            self._look_again_soon(run_key)
            return
        if state is None or not state.running:
            self.under_way -= 1
            return
        future: asyncio.Future[int | None] = engine.loop.create_future()
        future.add_done_callback(lambda done: self._settled(run_key, done))
        engine.enqueue(DeadlineDue(RunRef(state.namespace_id, run_key=run_key)), future)

    def _settled(self, run_key: int, done: asyncio.Future[int | None]) -> None:
        if done.exception() is not None:
            self._look_again_soon(run_key)
            return
        self.under_way -= 1
        due_ns = done.result()
        if due_ns is not None:
            self.note(run_key, due_ns)
        self._engine.time_control.look_soon()

    def _look_again_soon(self, run_key: int) -> None:
        """Look at a run again that could not be loaded or written: in a second of the real world."""
        self._engine.loop.call_later(RETRY_SECONDS, self._look_again, run_key)

    def _look_again(self, run_key: int) -> None:
        self.under_way -= 1
        self._timer.set(run_key, self._engine.env.now_ns())
