"""What a server's metrics page says, and what follows from two readings of it.

The names are those of the Temporal server. A page that has others gives nothing, and then nothing is shown.
"""

from __future__ import annotations

import re
from collections import deque

__all__ = ["MetricsHistory", "parse_metrics"]

KEPT_READINGS = 240
FRONTEND = b'service_name="frontend"'
# Calls that wait for something to happen say nothing of how fast the server is.
WAITING = re.compile(rb'operation="(?:Poll|GetWorkflowExecutionHistory"|UpdateWorkflowExecution"|QueryWorkflow")')
_SAMPLE = re.compile(
    rb"^(service_requests|service_latency_sum|service_latency_count|service_error_with_type|persistence_requests"
    rb"|memory_heapinuse)\{([^}]*)\} (\S+)$",
    re.MULTILINE,
)


def parse_metrics(page: bytes) -> dict[str, float]:
    """Sum up what is shown: the frontend's requests, errors and times, all persistence requests, the memory."""
    values: dict[str, float] = {}
    for found in _SAMPLE.finditer(page):
        name, labels, number = found[1].decode(), found[2], float(found[3])
        if name == "memory_heapinuse":
            values[name] = max(values.get(name, 0), number)  # every service tells of the same process
        elif name == "persistence_requests" or (
            FRONTEND in labels and not (name.startswith("service_latency") and WAITING.search(labels))
        ):
            values[name] = values.get(name, 0) + number
    return values


class MetricsHistory:
    """What was between the readings, the newest last."""

    def __init__(self) -> None:
        self.requests: deque[float] = deque(maxlen=KEPT_READINGS)
        """A second; so are errors and persistence."""
        self.errors: deque[float] = deque(maxlen=KEPT_READINGS)
        self.persistence: deque[float] = deque(maxlen=KEPT_READINGS)
        self.latency_ms: deque[float] = deque(maxlen=KEPT_READINGS)
        self.memory_mb: deque[float] = deque(maxlen=KEPT_READINGS)
        self._before: tuple[float, dict[str, float]] | None = None

    def note(self, time_s: float, values: dict[str, float]) -> None:
        """Take a reading."""
        before, self._before = self._before, (time_s, values)
        if "memory_heapinuse" in values:
            self.memory_mb.append(values["memory_heapinuse"] / 1e6)
        if before is None or time_s <= before[0] or "service_requests" not in values:
            return
        grown = {name: value - before[1].get(name, 0) for name, value in values.items()}
        if grown["service_requests"] < 0:
            return  # the server was started anew
        span = time_s - before[0]
        self.requests.append(grown["service_requests"] / span)
        self.errors.append(grown.get("service_error_with_type", 0) / span)
        self.persistence.append(grown.get("persistence_requests", 0) / span)
        count = grown.get("service_latency_count", 0)
        self.latency_ms.append(grown.get("service_latency_sum", 0) / count * 1000 if count > 0 else 0)
