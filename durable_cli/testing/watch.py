"""Find out why a test would wait for ever, and tell those who wait.

While a `dx_worker` runs, the open workflows of the test are looked at a few times a second. A workflow task that
fails is tried again without end, so the first failure ends the test with the worker's own error. The same goes for an
activity that the worker does not know, and for a task queue that nobody polls.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

from temporalio.api.enums.v1 import PendingWorkflowTaskState, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryReverseRequest,
    ListWorkflowExecutionsRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from durable_cli.testing.errors import StuckError
from durable_cli.testing.portal import Portal
from durable_cli.testing.reasons import (
    find_failed_task,
    is_unknown_activity,
    is_untouched,
    task_failed,
    unknown_activity,
    unpolled_activity,
    unpolled_workflow,
)

__all__ = ["Watch"]

T = TypeVar("T")
Listener = Callable[[StuckError], None]

_LOOK_SECONDS = 0.15
# Who starts the worker after the workflow is not waiting for its result meanwhile.
_UNPOLLED_SECONDS = 2.0
_WORKFLOWS = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
_ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
_RUNS_AT_ONCE = 20


class Watch:
    """What is known of the open workflows of one test; `problem` is why one of them can't get on."""

    def __init__(self, portal: Portal, client: Client) -> None:
        self.problem: StuckError | None = None
        self._portal = portal
        self._client = client
        self._heard = False
        self._listeners: list[Listener] = []
        self._task: Future[None] | None = None
        self._served: set[str] = set()
        self._exempt: set[str] = set()
        self._calls = 0
        self._calls_since_s = 0.0
        self._unpolled_since_s: dict[tuple[str, str, int], float] = {}

    @property
    def unheard(self) -> StuckError | None:
        """The problem, if nobody who waited has been told."""
        return None if self._heard else self.problem

    def add_task_queue(self, task_queue: str, *, fail_when_stuck: bool) -> None:
        """Say that a worker of the test polls this queue, and start to look at the test's workflows.

        Args:
            fail_when_stuck: False leaves the workflows of this queue alone.
        """
        self._served.add(task_queue)
        if not fail_when_stuck:
            self._exempt.add(task_queue)
        elif self._task is None:
            self._task = self._portal.start(self._run())

    def stop(self) -> None:
        """Look no more; what went wrong in looking is raised."""
        if self._task is not None and not self._task.cancel():
            self._task.result()

    @contextlib.contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Call `listener` with the problem, on another thread, when there is one."""
        self._listeners.append(listener)
        try:
            if self.problem is not None:
                listener(self.problem)
            yield
        finally:
            self._listeners.remove(listener)

    async def guard(self, call: Awaitable[T]) -> T:
        """Await a call that waits for a workflow.

        Raises:
            StuckError: the workflow, or another one of the test, can't get on.
        """
        if self._task is None:
            return await call
        loop = asyncio.get_running_loop()
        stuck: asyncio.Future[None] = loop.create_future()

        def end() -> None:
            if not stuck.done():
                stuck.set_result(None)

        def tell(problem: StuckError) -> None:
            with contextlib.suppress(RuntimeError):  # The loop is closed: nobody waits there any more.
                loop.call_soon_threadsafe(end)

        waiting: asyncio.Future[T] = asyncio.ensure_future(call)
        if not self._calls:
            self._calls_since_s = time.monotonic()
        self._calls += 1
        try:
            with self.listening(tell):
                both: list[asyncio.Future[Any]] = [waiting, stuck]
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._calls -= 1
            if not waiting.done():
                waiting.cancel()
        if waiting.done() or self.problem is None:
            return await waiting
        self._heard = True
        raise self.problem

    async def _run(self) -> None:
        """Look until there is a problem."""
        offset = 0
        while self.problem is None:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                runs = await self._list_open()
                offset = offset % len(runs) if runs else 0
                for run in (runs[offset:] + runs[:offset])[:_RUNS_AT_ONCE]:
                    self.problem = self.problem or await self._look(run)
            except RPCError:
                continue  # A run may be gone meanwhile.
            offset += _RUNS_AT_ONCE
        for listener in list(self._listeners):
            listener(self.problem)

    async def _list_open(self) -> list[WorkflowExecutionInfo]:
        reply = await self._client.workflow_service.list_workflow_executions(
            ListWorkflowExecutionsRequest(
                namespace=self._client.namespace, query='ExecutionStatus = "Running"', page_size=1000
            )
        )
        return list(reply.executions)

    async def describe_open(self) -> AsyncIterator[DescribeWorkflowExecutionResponse]:
        """Describe some of the open workflows, the newest first."""
        for run in (await self._list_open())[:_RUNS_AT_ONCE]:
            with contextlib.suppress(RPCError):
                yield await self._describe(run)

    async def _describe(self, run: WorkflowExecutionInfo) -> DescribeWorkflowExecutionResponse:
        return await self._client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace=self._client.namespace, execution=run.execution)
        )

    async def _look(self, run: WorkflowExecutionInfo) -> StuckError | None:
        if run.task_queue in self._exempt:
            return None
        described = await self._describe(run)
        task = described.pending_workflow_task
        if task.attempt > 1:
            event = find_failed_task(
                await self._client.workflow_service.get_workflow_execution_history_reverse(
                    GetWorkflowExecutionHistoryReverseRequest(
                        namespace=self._client.namespace, execution=run.execution, maximum_page_size=20
                    )
                )
            )
            if event is not None:
                return await task_failed(run, event, self._client.data_converter)
        if task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
            queue = run.task_queue
            if queue not in self._served and await self._is_overdue(run, queue, _WORKFLOWS):
                return unpolled_workflow(run, self._served)
        for activity in described.pending_activities:
            if is_unknown_activity(activity.last_failure):
                return unknown_activity(run, activity)
            queue = activity.activity_options.task_queue.name
            if is_untouched(activity) and await self._is_overdue(run, queue, _ACTIVITIES):
                return unpolled_activity(run, activity, served=queue in self._served)
        return None

    async def _is_overdue(self, run: WorkflowExecutionInfo, task_queue: str, kind: TaskQueueType.ValueType) -> bool:
        """Say whether the test has waited for a workflow, and this one for a worker, for long enough."""
        now_s = time.monotonic()
        since_s = self._unpolled_since_s.setdefault((run.execution.run_id, task_queue, kind), now_s)
        if not self._calls or now_s - max(since_s, self._calls_since_s) < _UNPOLLED_SECONDS:
            return False
        reply = await self._client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=self._client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=kind
            )
        )
        return not reply.pollers
