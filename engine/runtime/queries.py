"""Queries in flight: those that ride on a workflow task, and those sent to a worker by themselves. Memory only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from temporalio.api.enums.v1.query_pb2 import QUERY_RESULT_TYPE_ANSWERED, QUERY_RESULT_TYPE_UNSPECIFIED
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult

from engine.core.errors import ServiceError
from engine.core.matching.task_token import QueryTaskToken

__all__ = ["PendingQuery", "Queries", "QueryTask"]


@dataclass(slots=True)
class PendingQuery:
    """A caller's query; the future's result is the worker's answer, None means "ask the worker directly now"."""

    run_key: int
    query_id: str
    query: WorkflowQuery
    future: asyncio.Future[WorkflowQueryResult | None]


@dataclass(frozen=True, slots=True)
class QueryTask:
    """A query as a task of its own for a worker; with `sticky` the worker has the history."""

    pending: PendingQuery
    future: asyncio.Future[WorkflowQueryResult | None]
    workflow_id: str
    run_id: str
    workflow_type: str
    task_queue: str
    previous_started_event_id: int
    next_event_id: int
    sticky: bool

    @property
    def gone(self) -> bool:
        return self.future.done()

    @property
    def token(self) -> bytes:
        return QueryTaskToken(self.pending.run_key, self.pending.query_id).encode()


@dataclass(slots=True)
class Queries:
    """Queries by run that wait for a workflow task, and direct ones by id."""

    _buffered: dict[int, dict[str, PendingQuery]] = field(default_factory=dict)
    _direct: dict[str, PendingQuery] = field(default_factory=dict)

    def buffer(self, pending: PendingQuery) -> None:
        """Keep a query for the run's next workflow task."""
        self._buffered.setdefault(pending.run_key, {})[pending.query_id] = pending

    def buffered_count(self, run_key: int) -> int:
        """Return how many queries wait for the run's workflow task."""
        return len(self._buffered.get(run_key, ()))

    def buffered(self, run_key: int) -> dict[str, WorkflowQuery]:
        """Return the queries to put on the workflow task that is about to be sent."""
        return {query_id: pending.query for query_id, pending in self._buffered.get(run_key, {}).items()}

    def all(self) -> Iterator[PendingQuery]:
        """Return every query that waits for an answer."""
        for waiting in self._buffered.values():
            yield from waiting.values()
        yield from self._direct.values()

    def send_directly(self, pending: PendingQuery) -> None:
        """Expect the answer to a query that goes to a worker by itself."""
        self._direct[pending.query_id] = pending

    def forget(self, pending: PendingQuery) -> None:
        """Drop a query whose caller is gone or answered."""
        self._direct.pop(pending.query_id, None)
        waiting = self._buffered.get(pending.run_key)
        if waiting is not None:
            waiting.pop(pending.query_id, None)
            if not waiting:
                del self._buffered[pending.run_key]

    def answer_buffered(
        self, run_key: int, results: Mapping[str, WorkflowQueryResult | ServiceError], *, unblock: bool
    ) -> None:
        """Give answers that came with a workflow task; with `unblock` send the others on their own way."""
        waiting = self._buffered.get(run_key)
        if not waiting:
            return
        for query_id, result in results.items():
            if query_id in waiting:
                _resolve(waiting.pop(query_id), result)
        if unblock:
            for pending in waiting.values():
                _resolve(pending, None)
            waiting.clear()
        if not waiting:
            self._buffered.pop(run_key, None)

    def answer_direct(self, query_id: str, result: WorkflowQueryResult) -> bool:
        """Give the answer to a direct query; False when nobody waits for it.

        An answer that says neither yes nor no leaves the caller waiting.
        """
        pending = self._direct.get(query_id)
        if pending is None:
            return False
        if result.result_type == QUERY_RESULT_TYPE_UNSPECIFIED:
            return True
        del self._direct[query_id]
        _resolve(pending, result)
        return True


def _resolve(pending: PendingQuery, result: WorkflowQueryResult | ServiceError | None) -> None:
    if pending.future.done():
        return
    if isinstance(result, ServiceError):
        pending.future.set_exception(result)
    else:
        pending.future.set_result(result)


def is_answered(result: WorkflowQueryResult) -> bool:
    """Say whether the worker could answer."""
    return result.result_type == QUERY_RESULT_TYPE_ANSWERED
