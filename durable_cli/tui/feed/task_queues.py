"""Task queues. No RPC lists them: they are known from the runs and the workers of the namespace, or by their name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from durable_cli.errors import CliError
from durable_cli.tui.feed.link import Link, LostError, Post, seconds
from durable_cli.tui.feed.watch import repeat
from durable_cli.tui.place_messages import TaskQueuesDescribed
from durable_cli.tui.place_rows import KindRow, PollerRow, TaskQueueRow

if TYPE_CHECKING:
    from temporalio.api.taskqueue.v1 import PollerInfo
    from temporalio.api.workflowservice.v1 import DescribeTaskQueueResponse

__all__ = ["watch_task_queue", "watch_task_queues"]

LIST_SECONDS = 2.0
DESCRIBE_SECONDS = 1.0
PAGE_RUNS = 500
SLOTS = 8
KINDS = {"workflow": 1, "activity": 2}
"""By their number in the protocol's TaskQueueType."""


async def watch_task_queues(link: Link, typed: Iterable[str], visible: Callable[[], Iterable[str]], post: Post) -> None:
    """Tell of the task queues that are known, and all of those that are looked at.

    Args:
        typed: further names, which somebody typed.
        visible: the names that are on the screen.
    """

    async def ask() -> TaskQueuesDescribed:
        names = sorted({*typed, *await _names_of_runs(link), *await _names_of_workers(link)})
        seen = set(visible()) or set(names[:SLOTS])
        slots = asyncio.Semaphore(SLOTS)

        async def describe(name: str) -> TaskQueueRow:
            async with slots:
                return await _describe(link, name)

        described = await asyncio.gather(*(describe(name) for name in names if name in seen))
        rows = {row.name: row for row in described}
        return TaskQueuesDescribed([rows.get(name) or TaskQueueRow(name) for name in names])

    await repeat(ask, post, LIST_SECONDS)


async def watch_task_queue(link: Link, name: str, post: Post) -> None:
    """Tell of one task queue, again and again."""

    async def ask() -> TaskQueuesDescribed:
        return TaskQueuesDescribed([await _describe(link, name)])

    await repeat(ask, post, DESCRIBE_SECONDS)


async def _names_of_runs(link: Link) -> set[str]:
    async with link.asking("list workflows") as client:
        from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest

        page = await client.workflow_service.list_workflow_executions(
            ListWorkflowExecutionsRequest(namespace=link.namespace, page_size=PAGE_RUNS), timeout=seconds(10)
        )
    return {info.task_queue for info in page.executions if info.task_queue}


async def _names_of_workers(link: Link) -> set[str]:
    try:
        async with link.asking("list workers") as client:
            from temporalio.api.workflowservice.v1 import ListWorkersRequest

            page = await client.workflow_service.list_workers(
                ListWorkersRequest(namespace=link.namespace, page_size=PAGE_RUNS), timeout=seconds(10)
            )
    except LostError:
        raise
    except CliError:
        return set()  # an older server: the runs must do
    names = {each.task_queue for each in page.workers} | {
        each.worker_heartbeat.task_queue for each in page.workers_info
    }
    return names - {""}


async def _describe(link: Link, name: str) -> TaskQueueRow:
    replies = {kind: await _ask(link, name, number) for kind, number in KINDS.items()}
    kinds = {kind: _kind_row(kind, reply) for kind, reply in replies.items()}
    return TaskQueueRow(name, kinds["workflow"], kinds["activity"], tuple(_fields(replies["workflow"])))


async def _ask(link: Link, name: str, kind: int) -> DescribeTaskQueueResponse:
    async with link.asking(f"describe task queue {name!r}") as client:
        from temporalio.api.enums.v1 import TaskQueueType
        from temporalio.api.taskqueue.v1 import TaskQueue
        from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

        return await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=link.namespace,
                task_queue=TaskQueue(name=name),
                task_queue_type=TaskQueueType.ValueType(kind),
                report_stats=True,
                report_config=True,
            ),
            timeout=seconds(10),
        )


def _kind_row(kind: str, reply: DescribeTaskQueueResponse) -> KindRow:
    stats = reply.stats
    age = stats.approximate_backlog_age
    return KindRow(
        stats.approximate_backlog_count,
        age.seconds * 1_000_000_000 + age.nanos,
        stats.tasks_add_rate,
        stats.tasks_dispatch_rate,
        tuple(_poller_row(kind, poller) for poller in reply.pollers),
    )


def _poller_row(kind: str, poller: PollerInfo) -> PollerRow:
    from durable_cli.tui.feed.from_protos import timestamp_ns

    options = poller.deployment_options
    version = options.build_id or poller.worker_version_capabilities.build_id
    if options.deployment_name:
        version = f"{options.deployment_name}:{version}"
    return PollerRow(kind, poller.identity, timestamp_ns(poller.last_access_time), poller.rate_per_second, version)


def _fields(reply: DescribeTaskQueueResponse) -> Iterable[tuple[str, str]]:
    versioning = reply.versioning_info
    if versioning.HasField("current_deployment_version"):
        version = versioning.current_deployment_version
        yield "current version", f"{version.deployment_name}:{version.build_id}"
    if versioning.HasField("ramping_deployment_version"):
        version = versioning.ramping_deployment_version
        yield (
            "ramping",
            f"{version.deployment_name}:{version.build_id} {versioning.ramping_version_percentage:g} %",
        )
    for label, limit in (
        ("rate limit", reply.config.queue_rate_limit),
        ("rate limit of each fairness key", reply.config.fairness_keys_rate_limit_default),
    ):
        if limit.HasField("rate_limit"):
            reason = f" ({limit.metadata.reason})" if limit.metadata.reason else ""
            yield label, f"{limit.rate_limit.requests_per_second:g}/s{reason}"
    priorities = {key: stats.approximate_backlog_count for key, stats in reply.stats_by_priority_key.items()}
    if any(count for key, count in priorities.items()) and len(priorities) > 1:
        yield "waiting by priority", ", ".join(f"{key}: {priorities[key]:,}" for key in sorted(priorities))
