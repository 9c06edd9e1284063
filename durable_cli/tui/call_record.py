"""What the browser asked the server in the last minutes, second by second."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

__all__ = ["CallRecord", "Second"]

KEPT_SECONDS = 300


class Second(NamedTuple):
    """The calls that ended in one second; those that may wait have no part in the time."""

    calls: int = 0
    errors: int = 0
    timed: int = 0
    total_seconds: float = 0
    slowest_seconds: float = 0

    @property
    def mean_seconds(self) -> float:
        """How long a call took."""
        return self.total_seconds / self.timed if self.timed else 0


class CallRecord:
    """Counts calls by the second in which they end; times are of a clock that only goes on."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, Second]] = deque(maxlen=KEPT_SECONDS)

    def note(self, started_s: float, ended_s: float, *, waits: bool = False) -> None:
        """Count a call that was answered."""
        now = self._current(ended_s)
        took = ended_s - started_s
        if waits:
            self._put(ended_s, now._replace(calls=now.calls + 1))
        else:
            self._put(
                ended_s,
                now._replace(
                    calls=now.calls + 1,
                    timed=now.timed + 1,
                    total_seconds=now.total_seconds + took,
                    slowest_seconds=max(now.slowest_seconds, took),
                ),
            )

    def note_error(self, ended_s: float) -> None:
        """Count a call that was refused, or not answered."""
        now = self._current(ended_s)
        self._put(ended_s, now._replace(calls=now.calls + 1, errors=now.errors + 1))

    def last(self, now_s: float, count: int) -> list[Second]:
        """Return the seconds that are over, the newest last."""
        known = dict(self._seconds)
        return [known.get(second, Second()) for second in range(int(now_s) - count, int(now_s))]

    def _current(self, time_s: float) -> Second:
        return self._seconds[-1][1] if self._seconds and self._seconds[-1][0] == int(time_s) else Second()

    def _put(self, time_s: float, value: Second) -> None:
        if self._seconds and self._seconds[-1][0] == int(time_s):
            self._seconds.pop()
        self._seconds.append((int(time_s), value))
