"""How long to wait before something that crashed is started again."""

from __future__ import annotations

__all__ = ["Backoff"]

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 30.0
STABLE_SECONDS = 15.0


class Backoff:
    """One second, then twice as long each time, until it has run well for a while."""

    def __init__(self) -> None:
        self._seconds = FIRST_SECONDS

    def next_seconds(self, ran_seconds: float) -> float:
        """Return how long to wait now, after it ran for so long."""
        if ran_seconds >= STABLE_SECONDS:
            self.reset()
        seconds = self._seconds
        self._seconds = min(seconds * 2, LONGEST_SECONDS)
        return seconds

    def reset(self) -> None:
        """Begin with the shortest wait again."""
        self._seconds = FIRST_SECONDS
