"""The runs in memory, least recently used first out, bounded by bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from engine.core.run.state import RunState
from engine.core.run.update_messages import has_messages

__all__ = ["RunCache"]

_RUN_BYTES = 3_000
_PENDING_BYTES = 1_000
_DEADLINE_BYTES = 250
_REQUEST_ID_BYTES = 150
_UPDATE_BYTES = 400


class RunCache:
    """Cached runs by key, and the current run of a workflow id."""

    def __init__(self, maximum_bytes: int) -> None:
        self._maximum_bytes = maximum_bytes
        self._runs: OrderedDict[int, tuple[RunState, int]] = OrderedDict()
        self._current: dict[tuple[str, str], int] = {}
        self._bytes = 0

    def get(self, run_key: int) -> RunState | None:
        """Return a cached run and make it the most recent, or None."""
        entry = self._runs.get(run_key)
        if entry is None:
            return None
        self._runs.move_to_end(run_key)
        return entry[0]

    def find_current(self, namespace_id: str, workflow_id: str) -> RunState | None:
        """Return the newest run of a workflow id if it is cached."""
        key = self._current.get((namespace_id, workflow_id))
        return None if key is None else self.get(key)

    def put(self, state: RunState, *, current: bool = False) -> None:
        """Add a run, or measure it again after a change; `shrink` later evicts what no longer fits."""
        size = _size_bytes(state)
        old = self._runs.pop(state.run_key, None)
        self._bytes += size - (old[1] if old is not None else 0)
        self._runs[state.run_key] = (state, size)
        if current:
            self._current[state.namespace_id, state.workflow_id] = state.run_key

    def shrink(self) -> None:
        """Evict the oldest runs beyond the limit; not within a step, whose changes are not in the file yet.

        Runs with updates that are only admitted stay: those are in memory alone.
        """
        excess_bytes = self._bytes - self._maximum_bytes
        if excess_bytes <= 0:
            return
        oldest: list[int] = []
        for run_key, (state, size) in self._runs.items():
            if excess_bytes <= 0 or len(oldest) == len(self._runs) - 1:
                break
            if not (state.updates and state.running and has_messages(state)):
                oldest.append(run_key)
                excess_bytes -= size
        for run_key in oldest:
            self.evict(run_key)

    def evict(self, run_key: int) -> None:
        """Forget a run; it is loaded again when it is needed."""
        entry = self._runs.pop(run_key, None)
        if entry is None:
            return
        state, size = entry
        self._bytes -= size
        workflow = (state.namespace_id, state.workflow_id)
        if self._current.get(workflow) == run_key:
            del self._current[workflow]

    def evict_namespace(self, namespace_id: str) -> None:
        """Forget every run of a namespace."""
        for run_key, (state, _) in list(self._runs.items()):
            if state.namespace_id == namespace_id:
                self.evict(run_key)

    def states(self) -> Iterator[RunState]:
        """Return every cached run, the least recently used first."""
        return (state for state, _ in self._runs.values())

    def __len__(self) -> int:
        return len(self._runs)


def _size_bytes(state: RunState) -> int:
    """Estimate what a run takes in memory, from what is counted already: it is asked for at every change."""
    return (
        _RUN_BYTES
        + state.tail_bytes
        + state.input_size_bytes
        + _PENDING_BYTES * (len(state.activities) + len(state.timers) + len(state.children))
        + _DEADLINE_BYTES * len(state.deadlines)
        + _REQUEST_ID_BYTES * len(state.request_ids)
        + _UPDATE_BYTES * (len(state.updates) + len(state.completed_updates))
    )
