"""How a task queue did in the last minutes."""

from __future__ import annotations

from collections import deque

from durable_cli.tui.place_rows import TaskQueueRow

__all__ = ["QueueHistory"]

KEPT_SAMPLES = 240


class QueueHistory:
    """What was measured of one task queue, the newest last."""

    def __init__(self) -> None:
        self.backlog: deque[float] = deque(maxlen=KEPT_SAMPLES)
        self.added: deque[float] = deque(maxlen=KEPT_SAMPLES)
        """Tasks a second that came in."""
        self.dispatched: deque[float] = deque(maxlen=KEPT_SAMPLES)
        """Tasks a second that workers took."""

    def note(self, row: TaskQueueRow) -> None:
        """Keep what the server says now."""
        if row.kinds:
            self.backlog.append(row.backlog_count)
            self.added.append(sum(kind.add_rate for kind in row.kinds))
            self.dispatched.append(sum(kind.dispatch_rate for kind in row.kinds))

    @property
    def has_rates(self) -> bool:
        """Whether the server measures rates at all, as far as was seen."""
        return any(self.added) or any(self.dispatched)
