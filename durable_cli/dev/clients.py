"""The connection of dx itself to the server that the workers work for."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeTaskQueueRequest,
    ListWorkflowExecutionsRequest,
)

from durable_cli.client import Client
from durable_cli.config import Settings
from durable_cli.errors import CliError

__all__ = ["Clients"]

PAGE_SIZE = 200


class Clients:
    """One client for each namespace; all speak to the same server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._by_namespace: dict[str, Client] = {}

    @property
    def address(self) -> str:
        return self.settings.connect.target_host

    def of(self, namespace: str) -> Client:
        """Return the client of a namespace; it connects when it is first used."""
        if namespace not in self._by_namespace:
            self._by_namespace[namespace] = Client(replace(self.settings, namespace=namespace))
        return self._by_namespace[namespace]

    async def find_pollers(self, namespace: str, task_queue: str) -> frozenset[str]:
        """Return the identities of the workers that have polled lately; none while the server does not answer."""
        client = self.of(namespace)
        requests = [
            DescribeTaskQueueRequest(
                namespace=namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=task_queue_type
            )
            for task_queue_type in (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
        ]
        try:
            async with client.doing(f"describe task queue {task_queue!r}"):
                replies = await asyncio.gather(
                    *(client.workflow_service.describe_task_queue(request) for request in requests)
                )
        except CliError:
            return frozenset()
        return frozenset(poller.identity for reply in replies for poller in reply.pollers)

    async def list_runs(self, namespace: str, query: str, limit: int) -> list[WorkflowExecutionInfo]:
        """Return at most so many runs that match a list filter, newest first."""
        client = self.of(namespace)
        request = ListWorkflowExecutionsRequest(namespace=namespace, query=query, page_size=min(limit, PAGE_SIZE))
        runs: list[WorkflowExecutionInfo] = []
        while len(runs) < limit:
            async with client.doing("list workflows"):
                page = await client.workflow_service.list_workflow_executions(request, retry=True)
            runs += page.executions
            request.next_page_token = page.next_page_token
            if not page.next_page_token:
                break
        return runs[:limit]

    async def count_runs(self, namespace: str, query: str) -> int:
        """Return how many runs match a list filter."""
        client = self.of(namespace)
        request = CountWorkflowExecutionsRequest(namespace=namespace, query=query)
        async with client.doing("count workflows"):
            reply = await client.workflow_service.count_workflow_executions(request, retry=True)
        return reply.count
