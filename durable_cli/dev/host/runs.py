"""Which runs are checked, and their histories."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    ListWorkflowExecutionsRequest,
    ListWorkflowExecutionsResponse,
)
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

# Not Terminated: so ends what has been reset, and what a person ended since it did not survive a change.
_CLOSED = ("Completed", "Failed", "Canceled", "ContinuedAsNew", "TimedOut")
_OPEN = " AND ExecutionStatus = 'Running'"
_PAGE_SIZE = 200
_FETCHED_AT_ONCE = 16


@dataclass(frozen=True)
class Run:
    """A run that is looked at."""

    workflow_id: str
    run_id: str
    workflow_type: str
    open: bool
    order: float = 0.0

    @classmethod
    def of(cls, info: WorkflowExecutionInfo, *, is_open: bool) -> Run:
        """Make one of what the server lists."""
        ordered_by = info.start_time if is_open else info.close_time
        return cls(
            info.execution.workflow_id, info.execution.run_id, info.type.name, is_open, ordered_by.ToNanoseconds()
        )


class RunLister:
    """Lists runs of one task queue, newest first, by filters that every Temporal server understands."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._filter = f"TaskQueue = {_quote(task_queue)}"

    async def list_open(self, limit: int) -> list[Run]:
        """Return the newest open runs, of whatever type."""
        runs: list[Run] = []
        page_token = b""
        while len(runs) < limit:
            answer = await self._ask(_OPEN, min(limit, _PAGE_SIZE), page_token)
            runs += [Run.of(info, is_open=True) for info in answer.executions]
            page_token = answer.next_page_token
            if not page_token:
                break
        return runs[:limit]

    async def count_open(self) -> int:
        """Return how many runs are open."""
        request = CountWorkflowExecutionsRequest(namespace=self._client.namespace, query=f"{self._filter}{_OPEN}")
        answer = await self._client.workflow_service.count_workflow_executions(request, retry=True)
        return answer.count

    async def list_closed(self, workflow_types: Sequence[str] | None, limit: int) -> list[Run]:
        """Return the runs of each type (of all types, for None) that were closed last, the newest first.

        Servers allow few questions a second. One for each status is enough as long as the answers are whole.
        """
        if limit <= 0:
            return []
        answers = await asyncio.gather(*(self._list_page(f" AND ExecutionStatus = '{status}'") for status in _CLOSED))
        runs = {run.run_id: run for answer, _ in answers for run in answer}
        cut = [status for status, (_, is_cut) in zip(_CLOSED, answers, strict=True) if is_cut]
        found = Counter(run.workflow_type for run in runs.values())
        for workflow_type in workflow_types or ():
            if cut and found[workflow_type] < limit:
                of_type = f" AND WorkflowType = {_quote(workflow_type)} AND ExecutionStatus = "
                pages = await asyncio.gather(*(self._list_page(f"{of_type}'{status}'") for status in cut))
                runs |= {run.run_id: run for page, _ in pages for run in page}
        return _newest_of_each_type(runs.values(), workflow_types, limit)

    async def _list_page(self, condition: str) -> tuple[list[Run], bool]:
        """Return one page of closed runs, and whether there are more."""
        answer = await self._ask(condition, _PAGE_SIZE)
        return [Run.of(info, is_open=False) for info in answer.executions], bool(answer.next_page_token)

    async def _ask(self, condition: str, page_size: int, page_token: bytes = b"") -> ListWorkflowExecutionsResponse:
        request = ListWorkflowExecutionsRequest(
            namespace=self._client.namespace,
            query=f"{self._filter}{condition}",
            page_size=page_size,
            next_page_token=page_token,
        )
        return await self._client.workflow_service.list_workflow_executions(request, retry=True)


def _newest_of_each_type(runs: Iterable[Run], workflow_types: Sequence[str] | None, limit: int) -> list[Run]:
    counts: Counter[str] = Counter()
    chosen = []
    for run in sorted(runs, key=lambda run: run.order, reverse=True):
        if (workflow_types is None or run.workflow_type in workflow_types) and counts[run.workflow_type] < limit:
            counts[run.workflow_type] += 1
            chosen.append(run)
    return chosen


async def fetch_histories(
    client: Client, runs: Sequence[Run]
) -> AsyncIterator[tuple[Run, WorkflowHistory | Exception | None]]:
    """Yield the runs' histories in the order of the runs, many on their way at once; None for a run that is gone."""
    allowed = asyncio.Semaphore(_FETCHED_AT_ONCE)

    async def fetch(run: Run) -> WorkflowHistory | Exception | None:
        async with allowed:
            try:
                return await client.get_workflow_handle(run.workflow_id, run_id=run.run_id).fetch_history()
            except RPCError as error:
                return None if error.status == RPCStatusCode.NOT_FOUND else error

    tasks = [asyncio.ensure_future(fetch(run)) for run in runs]
    try:
        for run, task in zip(runs, tasks, strict=True):
            yield run, await task
    finally:
        for task in tasks:
            task.cancel()


def has_run(history: WorkflowHistory) -> bool:
    """Say whether a workflow task was ever completed, so that there is something to compare with."""
    return any(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED for event in history.events)


def with_first_task(history: WorkflowHistory) -> WorkflowHistory | None:
    """Return the history of a run that waits for its first workflow task as if that were completed.

    The replay then runs the new code with the run's input for the first time, as the worker will in a moment. None for
    a run that is not due yet, and for one whose workflow task has failed already: that is no worse with the new code.
    """
    events = list(history.events)
    seen = {event.event_type for event in events}
    if EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED not in seen or seen & {
        EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
    }:
        return None
    scheduled = next(
        event.event_id for event in events if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED
    )
    started = next(
        (event.event_id for event in events if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED), None
    )
    if started is None:
        started = _append(events, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED)
        events[-1].workflow_task_started_event_attributes.scheduled_event_id = scheduled
    _append(events, EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    events[-1].workflow_task_completed_event_attributes.scheduled_event_id = scheduled
    events[-1].workflow_task_completed_event_attributes.started_event_id = started
    return WorkflowHistory(history.workflow_id, events)


def _append(events: list[HistoryEvent], event_type: EventType.ValueType) -> int:
    event = HistoryEvent(event_id=len(events) + 1, event_type=event_type, event_time=events[-1].event_time)
    events.append(event)
    return event.event_id


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
