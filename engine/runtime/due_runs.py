"""Which runs to look at, and when: the deadlines of a near window are in memory, the rest stays in the file."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from engine.core.inputs import DeadlineDue, RunRef
from engine.runtime.deadlines import DeadlineTimer
from engine.store.runs import load_run_keys_due

if TYPE_CHECKING:
    from engine.runtime.engine import Engine

__all__ = ["DueRuns"]

WINDOW_NS = 600 * 1_000_000_000
RETRY_NS = 1_000_000_000

logger = logging.getLogger("dx.engine")


class DueRuns:
    """Gives the engine `DeadlineDue` inputs, each as its time comes."""

    def __init__(self, engine: Engine) -> None:
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
        engine = self._engine
        window_end_ns = engine.env.now_ns() + WINDOW_NS
        for due_ns, run_key in load_run_keys_due(engine.database.writer, window_end_ns):
            self._timer.set(run_key, due_ns)
        self._window_end_ns = window_end_ns

    def move_window(self, now_ns: int) -> None:
        """Read further deadlines when half of the window has passed."""
        if self._window_end_ns - now_ns < WINDOW_NS // 2:
            try:
                self.load_window()
            except Exception:
                logger.exception("deadlines can't be read; they are read again soon")

    def _due(self, run_key: int) -> None:
        """Look at the run in the next step; whatever becomes of that, its next deadline is set again."""
        engine = self._engine
        try:
            state = engine.find_run(run_key)
        except Exception:
            logger.exception("run %d can't be loaded at its deadline", run_key)
            self._timer.set(run_key, engine.env.now_ns() + RETRY_NS)
            return
        if state is None or not state.running:
            return
        future: asyncio.Future[int | None] = engine.loop.create_future()
        future.add_done_callback(lambda done: self._settled(run_key, done))
        engine.enqueue(DeadlineDue(RunRef(state.namespace_id, run_key=run_key)), future)

    def _settled(self, run_key: int, done: asyncio.Future[int | None]) -> None:
        due_ns = done.result() if done.exception() is None else self._engine.env.now_ns() + RETRY_NS
        if due_ns is not None:
            self.note(run_key, due_ns)
