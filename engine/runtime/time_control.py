"""Move the server's clock: skips, pauses, and jumps whenever nothing is in flight.

Rules:
- The clock jumps to due times only, one after the other: those of deadlines, and those that somebody waits for. After
  each jump what is in flight (in_flight.py) must end before the next one, so everything happens at its own time.
- It jumps while a skip is under way, and while it is automatic and not locked.
- Locks and tasks are one count, as on the official test server: whoever unlocks without a lock lets the clock jump over
  as many of the tasks that are there then, first over those that no worker fetches. So an activity may let its own time
  pass by sleeping unlocked.
- A jump is in the file before anything happens at its time: after a crash the clock is not behind the histories.
- A skip ends for certain: work holds it for `SKIP_PATIENCE_SECONDS` of real time, then its time limits pass as they
  would have passed.
- Whether the clock is automatic is not kept in the file: a server that has just started has no workers yet.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.core.errors import FailedPrecondition, InvalidArgument, Unavailable
from engine.core.run.state import RunState
from engine.runtime.in_flight import InFlight, Work
from engine.runtime.sleepers import Sleepers
from engine.store.clock import ClockSetting, save_clock

if TYPE_CHECKING:
    from engine.runtime.engine import Engine

__all__ = ["TimeControl"]

SKIP_PATIENCE_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.25
RETRY_SECONDS = 1.0
END_OF_TIME_NS = 7_258_118_400 * 1_000_000_000
"""The year 2200: the clock goes no further, since nanoseconds in 63 bits end soon after it."""

logger = logging.getLogger("dx.engine")


class TimeControl:
    """Who may move the clock. While it is `watching`, the engine tells it what its steps touch."""

    def __init__(self, engine: Engine) -> None:
        self.automatic = False
        self.locks = 0
        self.watching = False
        self.sleepers = Sleepers(engine.env.now_ns)
        self._engine = engine
        self._in_flight = InFlight(engine)
        self._one_skip = asyncio.Lock()
        self._passed_over: set[Work] = set()
        self._skipping = False
        self._skipped_deadlines = 0
        self._seen: dict[Work, float] = {}
        self._look_scheduled = False
        self._look_again: asyncio.TimerHandle | None = None

    def stop(self) -> None:
        """Move the clock no more."""
        self.automatic = self._skipping = False
        self.sleepers.stop()
        if self._look_again is not None:
            self._look_again.cancel()

    # Who moves the clock.

    async def skip(self, duration_ns: int) -> int:
        """Move the clock by a duration; return how many deadlines passed on the way.

        Raises:
            InvalidArgument: a duration that is not positive, or leads beyond the end of time.
            Unavailable: the clock can't be written, or the server stops.
        """
        if duration_ns <= 0:
            raise InvalidArgument("the duration to skip must be positive")
        async with self._one_skip:
            until_ns = self._engine.env.now_ns() + duration_ns
            if until_ns > END_OF_TIME_NS:
                raise InvalidArgument("the clock does not go beyond the year 2200")
            # Whoever can't write hears of it before anything has moved.
            save_clock(self._engine.database.writer, self._engine.clock.setting)
            self._watch(True)
            self._skipping, self._skipped_deadlines, self._seen = True, 0, {}
            self.look_soon()
            await self.sleepers.sleep_until(until_ns, self._end_skip)
            return self._skipped_deadlines

    def _end_skip(self) -> None:
        self._skipping = False
        self._watch(self.automatic)

    def pause(self) -> None:
        """Let the clock stand.

        Raises:
            Unavailable: it can't be written.
        """
        clock = self._engine.clock
        if not clock.stands:
            self._set(clock.stopped())
        self._set_automatic(False)

    def resume(self, *, automatic: bool = False) -> None:
        """Let the clock go on from where it is, as the system's does; if `automatic`, jump when nothing is in flight.

        Raises:
            Unavailable: it can't be written.
        """
        clock = self._engine.clock
        if clock.stands:
            self._set(clock.running())
        self._set_automatic(automatic)

    def lock(self) -> None:
        """Let the clock not jump by itself, until it is unlocked as often as it was locked."""
        self.locks += 1
        if self.locks >= 0:
            self._passed_over.clear()

    def unlock(self) -> None:
        """Take back a lock.

        Raises:
            FailedPrecondition: there is none, and no task.
        """
        if self.locks <= 0:
            in_flight = set(self._in_flight.find_all())
            if self.locks + len(in_flight) + self._in_flight.count_waiting() <= 0:
                raise FailedPrecondition("time skipping is not locked: it was unlocked as often as it was locked")
            self._passed_over |= in_flight
        self.locks -= 1
        self.look_soon()

    async def sleep_until(self, time_ns: int) -> None:
        """Return when the clock is at `time_ns`; while nothing else is to be done, it may jump there.

        Raises:
            Unavailable: the server stops.
        """
        self.look_soon()
        await self.sleepers.sleep_until(time_ns)

    async def sleep_unlocked_until(self, time_ns: int) -> None:
        """Take back a lock until the clock is at `time_ns`: that very moment it is locked again.

        Raises:
            FailedPrecondition: there is no lock, and no task.
            Unavailable: the server stops.
        """
        self.unlock()
        await self.sleepers.sleep_until(time_ns, self.lock)

    # What is said of it.

    def find_next_deadline(self) -> tuple[int, RunState] | None:
        """Return the next deadline, and of which run it is; None when there is none."""
        return self._engine.due_runs.find_next()

    def find_holder(self) -> Work | None:
        """Return some work that holds the next jump, or None; None as well while the clock does not jump."""
        return self._find_holder() if self._jumping else None

    # Jumps.

    @property
    def _jumping(self) -> bool:
        return self._skipping or (self.automatic and self.locks <= 0)

    def _set_automatic(self, automatic: bool) -> None:
        self._watch(automatic or self._skipping)
        self.automatic = automatic
        self.look_soon()

    def _watch(self, watching: bool) -> None:
        """Learn what is in flight, if that has to be known from now on."""
        if watching and not self.watching:
            self._in_flight.start()
        self.watching = watching

    def touch(self, run_keys: Iterable[int]) -> None:
        """Note that a step has changed these runs."""
        self._in_flight.touch(run_keys)

    def look_soon(self) -> None:
        """See whether the clock may jump, once all that is to be done now is done."""
        if self._jumping and not self._look_scheduled:
            self._look_scheduled = True
            self._engine.loop.call_soon(self._look)

    def _look(self) -> None:
        self._look_scheduled = False
        if self._look_again is not None:
            self._look_again.cancel()
            self._look_again = None
        if not self._jumping:
            return
        try:
            if not self._jump():
                self._look_after(LOOK_AGAIN_SECONDS)
        except Unavailable as error:
            logger.error("the clock can't jump: %s", error.message)
            self._look_after(RETRY_SECONDS)
        except Exception:
            logger.exception("the clock can't jump; it is tried again soon")
            self._look_after(RETRY_SECONDS)

    def _look_after(self, seconds: float) -> None:
        self._look_again = self._engine.loop.call_later(seconds, self.look_soon)

    def _jump(self) -> bool:
        """Jump to the next due time if nothing is in flight.

        Returns:
            False when it is to be tried again even if nothing happens.
        """
        engine = self._engine
        if engine.busy or engine.due_runs.under_way:
            return True  # After the step, and when the runs that were due are settled, it is looked at again.
        deadline = engine.due_runs.find_next()
        if engine.due_runs.under_way:
            return True
        deadline_ns = END_OF_TIME_NS if deadline is None else deadline[0]
        due_ns = min(deadline_ns, self.sleepers.find_first_ns() or END_OF_TIME_NS)
        if due_ns >= END_OF_TIME_NS:
            return True
        if due_ns > engine.env.now_ns():
            if self._is_held():
                return False
            self._skipped_deadlines += due_ns == deadline_ns
            self._set(engine.clock.moved_to(due_ns))
        else:
            self._look_at_what_is_due()
        self.look_soon()
        return True

    def _find_holder(self) -> Work | None:
        """Return some work that holds the next jump, or None."""
        to_pass_over = -self.locks
        if to_pass_over > 0:
            to_pass_over -= self._in_flight.count_waiting()
        for work in self._in_flight.find_all():
            if to_pass_over <= 0 or work not in self._passed_over:
                return work
            to_pass_over -= 1
        return None

    def _is_held(self) -> bool:
        if not self._skipping:
            return self._find_holder() is not None
        now = self._engine.loop.time()
        self._seen = {work: self._seen.get(work, now) for work in self._in_flight.find_all()}
        return any(now - since < SKIP_PATIENCE_SECONDS for since in self._seen.values())

    def _set(self, setting: ClockSetting) -> None:
        save_clock(self._engine.database.writer, setting)
        self._engine.clock.set(setting)
        self._look_at_what_is_due()

    def _look_at_what_is_due(self) -> None:
        self._engine.due_runs.clock_moved()
        self.sleepers.wake()
