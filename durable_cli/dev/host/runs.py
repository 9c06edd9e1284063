"""Which runs are checked, and their histories."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    ListWorkflowExecutionsRequest,
)
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

# Not Terminated: so ends what has been reset, and what a person ended since it did not survive a change.
_CLOSED = ("Completed", "Failed", "Canceled", "ContinuedAsNew", "TimedOut")
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
        return await self._list(f"{self._filter} AND ExecutionStatus = 'Running'", limit, is_open=True)

    async def count_open(self) -> int:
        """Return how many runs are open."""
        answer = await self._client.workflow_service.count_workflow_executions(
            CountWorkflowExecutionsRequest(
                namespace=self._client.namespace, query=f"{self._filter} AND ExecutionStatus = 'Running'"
            )
        )
        return answer.count

    async def list_closed(self, workflow_types: Sequence[str] | None, limit: int) -> list[Run]:
        """Return the runs of each type (of all types together for None) that were closed last, the newest first."""
        filters = [""] if workflow_types is None else [f" AND WorkflowType = {_quote(name)}" for name in workflow_types]
        runs = await asyncio.gather(*(self._list_closed(of_type, limit) for of_type in filters))
        return sorted((run for of_type in runs for run in of_type), key=lambda run: run.order, reverse=True)

    async def _list_closed(self, of_type: str, limit: int) -> list[Run]:
        if limit <= 0:
            return []
        # One question for each status: not every server understands OR, IN or !=.
        answers = await asyncio.gather(
            *(
                self._list(f"{self._filter}{of_type} AND ExecutionStatus = '{status}'", limit, is_open=False)
                for status in _CLOSED
            )
        )
        runs = [run for answer in answers for run in answer]
        return sorted(runs, key=lambda run: run.order, reverse=True)[:limit]

    async def _list(self, query: str, limit: int, *, is_open: bool) -> list[Run]:
        request = ListWorkflowExecutionsRequest(
            namespace=self._client.namespace, query=query, page_size=min(limit, _PAGE_SIZE)
        )
        runs: list[Run] = []
        while len(runs) < limit:
            answer = await self._client.workflow_service.list_workflow_executions(request)
            runs += [Run.of(info, is_open=is_open) for info in answer.executions]
            request.next_page_token = answer.next_page_token
            if not answer.next_page_token:
                break
        return runs[:limit]


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
